//! This node: the server as a host drives it, without other nodes.

mod adopt;
mod emit;
mod fetched;
mod listen;
mod namespaces;
mod raw;
mod recoverable;
mod sockets;
mod stats;
mod watch;

pub use adopt::{AdoptInfo, Cancel};
pub use fetched::FetchedSocket;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::Instant;

use kraken_ws_codec::sid::Id;

use crate::engine::budget::Outboxes;
use crate::net::tls::TlsState;
use crate::options::{Hooks, Options, SharedHooks};
use crate::rooms::Directory;
use crate::shard;
use crate::shared::aliases::Aliases;
use crate::shared::answer_room::AnswerRoom;
use crate::shared::broker::BrokerSlot;
use crate::shared::command::Command;
use crate::shared::core::Core;
use crate::shared::event::Event;
use crate::shared::host_queue::{Events, HostQueue};
use crate::shared::journal::Recovery;
use crate::shared::namespaces::{Admission, Namespaces};
use crate::shared::shard_sender::ShardSender;
use crate::shared::{batch, command_queue, thread_start};
use crate::types::error::{Error, ErrorCode, Result};
use crate::types::ids::{ConnId, SocketHandle};

/// Upper bound of the memory that a queued message takes beside its payload. Without it in the count, small messages
/// would take several times `commandQueueBytes`. `tests/tests/command_queue_memory.rs` measures it.
pub const COMMAND_BYTES: usize = 512;

/// A running server. A clone is another handle to the same server; every method may be called from any thread.
/// Packets that one thread sends to a socket leave in the order of the calls.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    /// Threads of the server, until [`Server::join_threads`] takes them.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        close(&self.core);
    }
}

/// Weak handle to a server.
#[derive(Clone)]
pub(crate) struct WeakServer(Weak<Inner>);

impl WeakServer {
    pub(crate) fn upgrade(&self) -> Option<Server> {
        self.0.upgrade().map(Server)
    }
}

impl Server {
    /// Starts the shards, without other nodes.
    pub(crate) fn start(options: Options) -> Result<(Server, Events)> {
        let system =
            |e: std::io::Error| Error::new(ErrorCode::System, format!("a thread could not start: {e}"));
        let count = match options.shards {
            0 => std::thread::available_parallelism().map_or(1, |n| n.get()).min(64),
            n => n,
        };
        for what in &options.unknown {
            tracing::warn!("an option is ignored: {what}");
        }
        options.check_features()?;
        let tls = options.tls.as_ref().map(|t| TlsState::new(&t.cert, &t.key)).transpose()?;
        let (shards, receivers): (Vec<_>, Vec<_>) = command_queue::channels(count)
            .enumerate()
            .map(|(index, (sender, receiver))| (ShardSender::new(index, sender), receiver))
            .unzip();
        // One slot more than shards: the thread of the cluster pushes events too.
        let host = HostQueue::new(count + 1, options.host_queue_bytes);
        let hooks = SharedHooks::default();
        hooks.set(options.hooks);
        let core = Arc::new(Core {
            namespaces: Namespaces::default(),
            directory: Directory::default(),
            hooks,
            ack_ids: AtomicU64::new(0),
            aliases: Aliases::default(),
            host: host.clone(),
            outboxes: Outboxes::new(options.total_outbox_bytes),
            answers: AnswerRoom::new(options.max_answer_bytes),
            shards,
            tls,
            started: Instant::now(),
            closing: AtomicBool::new(false),
            next_shard: AtomicUsize::new(0),
            running: AtomicUsize::new(count),
            recovery: Recovery::new(&options),
            tag: Id::tag(),
            broker: BrokerSlot::default(),
            under_way: Arc::default(),
            options,
        });
        let weak = Arc::downgrade(&core);
        host.on_resume(Box::new(move |shard| {
            if let Some(core) = weak.upgrade() {
                core.shards[shard].send(Command::Resume);
            }
        }));
        if let Some(recovery) = &core.recovery {
            recovery.lock().set_reports(core.hooks.has(Hooks::SESSIONS));
        }
        core.namespaces.create("/", Admission::Core);
        // If a later thread can't start, dropping `server` ends those that run.
        let server = Server(Arc::new(Inner { core, threads: Mutex::default() }));
        for (index, receiver) in receivers.into_iter().enumerate() {
            let thread = server.0.core.clone();
            let (tell, started) = thread_start::started();
            let thread = std::thread::Builder::new()
                .name(format!("kraken-shard-{index}"))
                .spawn(move || {
                    let _last = LastOut(thread.clone());
                    shard::run(thread, index, receiver, &tell);
                })
                .map_err(system)?;
            server.0.threads.lock().unwrap_or_else(|e| e.into_inner()).push(thread);
            started.wait().map_err(system)?;
        }
        Ok((server, Events(host)))
    }

    pub(crate) fn downgrade(&self) -> WeakServer {
        WeakServer(Arc::downgrade(&self.0))
    }

    /// Spawns a thread of this server: [`Event::Closed`] waits for its end.
    pub(crate) fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
        let core = self.0.core.clone();
        let one_more = |running| (running > 0).then_some(running + 1);
        if core.running.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_err() {
            return Err(Error::closed());
        }
        let last = LastOut(core);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _last = last;
            run();
        });
        let thread =
            thread.map_err(|e| Error::new(ErrorCode::System, format!("a thread could not start: {e}")))?;
        self.0.threads.lock().unwrap_or_else(|e| e.into_inner()).push(thread);
        Ok(())
    }

    pub(crate) fn core(&self) -> &Core {
        &self.0.core
    }

    #[cfg(test)]
    pub(crate) fn shared_core(&self) -> Arc<Core> {
        self.0.core.clone()
    }

    pub(crate) fn open(&self) -> Result<()> {
        if self.core().is_closing() { Err(Error::closed()) } else { Ok(()) }
    }

    pub(super) fn shard_of(&self, socket: SocketHandle) -> Option<&ShardSender> {
        self.core().shards.get(socket.shard())
    }

    pub(super) fn send_to_conn(&self, conn: ConnId, command: Command) {
        if let Some(shard) = self.core().shards.get(conn.shard()) {
            shard.send(command);
        }
    }

    pub(super) fn send_to_socket(&self, socket: SocketHandle, command: Command) {
        if let Some(shard) = self.shard_of(socket) {
            shard.send(command);
        }
    }

    /// Collects the commands that `act` issues on this thread, and queues them in the order of the calls when `act`
    /// returns. This takes fewer wake-ups than command by command, and a shard starts when all of them are there.
    /// `act` must not wait for an answer: its question is still in the batch.
    pub fn batch<T>(&self, act: impl FnOnce() -> T) -> T {
        // The recovery journal numbers messages, and each shard must get them in that order.
        if self.core().recovery.is_some() {
            return act();
        }
        batch::collect(&self.core().shards, act)
    }

    /// Queues a command for every shard.
    fn send_to_all(&self, command: impl Fn() -> Command) {
        ShardSender::send_all(&self.core().shards, |_| command());
    }

    /// Sets which questions the host is asked. Requests in progress may still follow the old hooks.
    pub fn set_hooks(&self, hooks: Hooks) {
        self.core().hooks.set(hooks);
        if let Some(recovery) = &self.core().recovery {
            recovery.lock().set_reports(hooks.contains(Hooks::SESSIONS));
        }
    }

    /// The questions that the host is currently asked.
    pub fn hooks(&self) -> Hooks {
        self.core().hooks.get()
    }

    /// Closes the server: its listeners close, every socket gets `server shutting down`, then the threads end and
    /// [`Event::Closed`] is the last event. A second call does nothing.
    pub fn close(&self) {
        close(self.core());
    }

    /// Whether [`Server::close`] has been called.
    pub fn is_closing(&self) -> bool {
        self.core().is_closing()
    }

    /// Waits for the threads of a closed server to end; after [`Event::Closed`] this takes
    /// microseconds. Does nothing on a server that is not closed.
    pub fn join_threads(&self) {
        if self.is_closing() {
            let threads = std::mem::take(&mut *self.0.threads.lock().unwrap_or_else(|e| e.into_inner()));
            for thread in threads {
                let _ = thread.join(); // one that panicked has ended too
            }
        }
    }
}

fn close(core: &Core) {
    if !core.closing.swap(true, Ordering::AcqRel) {
        if let Some(broker) = core.broker.get() {
            broker.close();
        }
        let holds: Vec<_> = core.shards.iter().map(|_| core.under_way.hold()).collect();
        for (shard, hold) in core.shards.iter().zip(holds) {
            shard.send(Command::Shutdown(hold));
        }
    }
}

/// Guard that each thread holds: the last thread to end reports [`Event::Closed`].
struct LastOut(Arc<Core>);

impl Drop for LastOut {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.host.push(0, &mut vec![Event::Closed]);
        }
    }
}
