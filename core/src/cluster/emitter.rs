//! Publishes to a fleet from a process without clients, like `@socket.io/redis-emitter`.

use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use kraken_ws_codec::packet;
use tokio::sync::oneshot;

use crate::cluster::message::{Broadcast, FleetMessage};
use crate::cluster::node::{self, NodeParts};
use crate::cluster::queue::{FleetCommand, Queue};
use crate::cluster::stats::Figures;
use crate::cluster::wire::Names;
use crate::options::cluster::ClusterOptions;
use crate::shared::encode;
use crate::shared::figures::ClusterStats;
use crate::types::change::{Disconnect, Move};
use crate::types::error::{Error, ErrorCode, Result};
use crate::types::flags::EmitFlags;
use crate::types::target::Target;

/// A connection to all nodes of a fleet from another process. Every method can be called from any thread; messages of
/// one thread are sent in the order of the calls. Dropping the emitter first sends what is queued, for at most
/// `redis_timeout`.
pub struct Emitter {
    queue: Arc<Queue>,
    figures: Arc<Figures>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Emitter {
    /// Starts the sending thread. With `wait_for_redis`, the call returns when Redis is connected; without it,
    /// messages are queued until then, within `queue_bytes` and by the policy `overflow`.
    ///
    /// # Errors
    /// [`ErrorCode::Redis`] if `wait_for_redis` is set and Redis can't be reached within `redis_timeout`,
    /// [`ErrorCode::Option`] for invalid settings, [`ErrorCode::System`].
    pub fn new(options: ClusterOptions) -> Result<Self> {
        let figures = Arc::<Figures>::default();
        let queue = Queue::new(options.queue_bytes, options.overflow, figures.clone());
        let names = Arc::new(Names::of_emitter(options.mode, &options.prefix, options.subscriptions));
        let parts = NodeParts {
            options,
            names,
            queue: queue.clone(),
            figures: figures.clone(),
            server: None,
            panics: Arc::default(),
        };
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("kraken-emitter".to_owned())
            .spawn(move || node::run(parts, ready))
            .map_err(|e| Error::new(ErrorCode::System, format!("a thread could not start: {e}")))?;
        let started = is_ready.recv();
        started.unwrap_or_else(|_| Err(Error::new(ErrorCode::Internal, "emitter: its thread ended")))?;
        Ok(Self { queue, figures, thread: Mutex::new(Some(thread)) })
    }

    fn send_message(&self, nsp: &str, message: FleetMessage) -> Result<()> {
        let nsp = if nsp.starts_with('/') { nsp.into() } else { format!("/{nsp}").into() };
        if self.queue.send_message(&nsp, message) { Ok(()) } else { Err(closed()) }
    }

    /// Sends an event to all clients that `target` selects. `data` is a JSON array `["event", …]`.
    ///
    /// # Errors
    /// [`ErrorCode::Payload`] for invalid data and reserved event names; [`ErrorCode::Closed`].
    pub fn publish(
        &self,
        nsp: &str,
        target: Target,
        data: &str,
        attachments: Vec<Bytes>,
        flags: EmitFlags,
    ) -> Result<()> {
        encode::check(data, &attachments)?;
        if !packet::has_shape(packet::PacketType::Event, data) {
            let what =
                "payload: expected an array that begins with the name of an event, none that is reserved";
            return Err(Error::new(ErrorCode::Payload, what));
        }
        let broadcast = Broadcast { target, data: data.into(), attachments, flags, ack: None };
        self.send_message(nsp, FleetMessage::Broadcast(broadcast))
    }

    /// Adds all sockets that `target` selects to rooms. After [`Emitter::close`] nothing happens.
    pub fn sockets_join(&self, nsp: &str, target: Target, rooms: &[&str]) {
        self.move_sockets(nsp, target, rooms, Move::Join);
    }

    /// Removes all sockets that `target` selects from rooms. After [`Emitter::close`] nothing happens.
    pub fn sockets_leave(&self, nsp: &str, target: Target, rooms: &[&str]) {
        self.move_sockets(nsp, target, rooms, Move::Leave);
    }

    fn move_sockets(&self, nsp: &str, target: Target, rooms: &[&str], way: Move) {
        let rooms = rooms.iter().map(|room| Box::from(*room)).collect();
        let _ = self.send_message(nsp, FleetMessage::Move { way, target, rooms });
    }

    /// Disconnects all sockets that `target` selects. After [`Emitter::close`] nothing happens.
    pub fn disconnect_sockets(&self, nsp: &str, target: Target, what: Disconnect) {
        let _ = self.send_message(nsp, FleetMessage::Disconnect { target, what });
    }

    /// Sends an event to the hosts of all nodes. `data` is a JSON array `["event", …]`.
    ///
    /// # Errors
    /// [`ErrorCode::Payload`], [`ErrorCode::Closed`].
    pub fn server_side_emit(&self, nsp: &str, data: &str, attachments: Vec<Bytes>) -> Result<()> {
        encode::check(data, &attachments)?;
        self.send_message(nsp, FleetMessage::ServerSide { data: data.into(), attachments, id: None })
    }

    /// Waits until Redis has confirmed everything sent so far.
    ///
    /// # Errors
    /// [`ErrorCode::Timeout`] if that takes longer, [`ErrorCode::Redis`] if messages are lost or unconfirmed,
    /// [`ErrorCode::Closed`].
    pub async fn flush(&self, timeout: Duration) -> Result<()> {
        let (reply, done) = oneshot::channel();
        self.queue.send(FleetCommand::Flush { timeout, reply });
        done.await.unwrap_or_else(|_| Err(closed()))
    }

    /// The current counters.
    pub fn stats(&self) -> ClusterStats {
        self.figures.snapshot(self.queue.bytes())
    }

    /// Sends what is queued, for at most `redis_timeout`, and ends the thread.
    pub fn close(&self) {
        self.queue.send(FleetCommand::Close);
        let thread = self.thread.lock().unwrap_or_else(|e| e.into_inner()).take();
        if let Some(thread) = thread {
            let _ = thread.join(); // a thread that panicked has ended too
        }
    }
}

impl Drop for Emitter {
    fn drop(&mut self) {
        self.close();
    }
}

fn closed() -> Error {
    Error::new(ErrorCode::Closed, "the emitter is closed")
}
