//! The implementation of [`Broker`] for a server, and the start of the cluster's thread.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;

use crate::cluster::message::{Broadcast, FleetMessage};
use crate::cluster::node::{self, NodeParts};
use crate::cluster::queue::{FleetCommand, Queue};
use crate::cluster::stats::Figures;
use crate::cluster::wire::{Names, is_private};
use crate::local::Server;
use crate::options::cluster::{ClusterOptions, RoomKind};
use crate::shared::broadcast_acks::BroadcastAcks;
use crate::shared::broker::{Broker, Emit, Question};
use crate::shared::figures::ClusterStats;
use crate::shared::namespaces::{Namespace, NspShared};
use crate::types::change::{Disconnect, Move};
use crate::types::error::{Error, ErrorCode, Result};
use crate::types::ids::NspId;
use crate::types::target::Target;

/// The handle through which a server reaches the cluster's thread.
pub(crate) struct RedisBroker {
    queue: Arc<Queue>,
    figures: Arc<Figures>,
    names: Arc<Names>,
    requests_timeout: Duration,
}

impl Broker for RedisBroker {
    fn emit(&self, emit: Emit<'_>) {
        let nsp = &emit.nsp.0.name.clone();
        self.queue.send_message(nsp, FleetMessage::Broadcast(broadcast(emit, None)));
    }

    fn emit_with_ack(&self, emit: Emit<'_>, acks: Arc<BroadcastAcks>, timeout: Duration) {
        let nsp = emit.nsp.0.name.clone();
        let ack = Some((self.names.request_id(), Some(timeout)));
        let message = FleetMessage::Broadcast(broadcast(emit, ack));
        self.queue.send(FleetCommand::AskClients { nsp, message, timeout, acks });
    }

    fn move_sockets(&self, nsp: &Namespace, target: Target, rooms: Vec<Box<str>>, way: Move) {
        self.queue.send_message(&nsp.0.name, FleetMessage::Move { way, target, rooms });
    }

    fn disconnect_sockets(&self, nsp: &Namespace, target: Target, what: Disconnect) {
        self.queue.send_message(&nsp.0.name, FleetMessage::Disconnect { target, what });
    }

    fn server_side_emit(&self, nsp: &Namespace, data: &str, attachments: Vec<Bytes>) {
        self.queue
            .send_message(&nsp.0.name, FleetMessage::ServerSide { data: data.into(), attachments, id: None });
    }

    fn own_room(&self, nsp: NspId, id: &str, way: Move) {
        let change = way.into();
        self.queue.send(FleetCommand::Room { nsp, room: id.into(), kind: RoomKind::Own, change });
    }

    fn wants_own_rooms(&self) -> bool {
        self.names.has_channels(RoomKind::Own)
    }

    fn ask(&self, nsp: &Namespace, question: Question) {
        let nsp = nsp.0.name.clone();
        let within = |timeout: Option<Duration>| timeout.unwrap_or(self.requests_timeout);
        self.queue.send(match question {
            Question::Sockets { target, timeout, reply } => {
                FleetCommand::Sockets { nsp, target, timeout: within(timeout), reply }
            }
            Question::Rooms { reply } => FleetCommand::Rooms { nsp, timeout: within(None), reply },
            Question::Hosts { data, attachments, timeout, reply } => {
                FleetCommand::Hosts { nsp, data, attachments, timeout: within(timeout), reply }
            }
            Question::Count { reply } => FleetCommand::Count { nsp, reply },
        });
    }

    fn stats(&self) -> ClusterStats {
        self.figures.snapshot(self.queue.bytes())
    }

    fn close(&self) {
        self.queue.send(FleetCommand::Close);
    }
}

fn broadcast(emit: Emit<'_>, ack: Option<(Box<str>, Option<Duration>)>) -> Broadcast {
    let Emit { target, data, attachments, flags, .. } = emit;
    Broadcast { target, data: data.into(), attachments, flags, ack }
}

/// Makes `server` a node of a fleet: starts the thread and returns the broker.
pub(crate) fn start(server: &Server, options: ClusterOptions) -> Result<Box<dyn Broker>> {
    let figures = Arc::<Figures>::default();
    let queue = Queue::new(options.queue_bytes, options.overflow, figures.clone());
    let names = Arc::new(Names::new(options.mode, &options.prefix, options.subscriptions));
    let requests_timeout = options.requests_timeout;
    let (ready, is_ready) = mpsc::channel();
    let core = server.core();
    let parts = NodeParts {
        options,
        names: names.clone(),
        queue: queue.clone(),
        figures: figures.clone(),
        server: Some((server.downgrade(), core.host.clone(), core.shards.len())),
        panics: core.host.panics.clone(),
    };
    // Namespaces are announced before the bus connects, so that the first `Up` covers them.
    show_namespaces(server, &queue, &names);
    server.spawn("kraken-cluster", move || node::run(parts, ready))?;
    let started = is_ready.recv();
    started.unwrap_or_else(|_| Err(Error::new(ErrorCode::Internal, "cluster: its thread ended")))?;
    Ok(Box::new(RedisBroker { queue, figures, names, requests_timeout }))
}

/// Announces all namespaces and rooms again to a node that restarts after a panic.
pub(crate) fn show_all(server: &Server, queue: &Arc<Queue>, names: &Names) {
    show_namespaces(server, queue, names);
    if names.has_channels(RoomKind::Own) {
        server.show_own_rooms();
    }
}

/// Announces namespaces, and rooms where these have channels of their own, now and on every change.
fn show_namespaces(server: &Server, queue: &Arc<Queue>, names: &Names) {
    let core = server.core();
    let to = queue.clone();
    core.namespaces.watch(Box::new(move |nsp: &Arc<NspShared>, change| {
        to.send(FleetCommand::Namespace { nsp: nsp.clone(), change });
    }));
    if !names.has_channels(RoomKind::Joined) {
        return;
    }
    let all = names.has_channels(RoomKind::Own);
    let tell = |kind| {
        let to = queue.clone();
        // JavaScript nodes publish to the main channel when a room's name looks like a socket id, so such a room
        // needs no channel.
        Box::new(move |nsp, room: &str, change| {
            if all || !is_private(room) {
                to.send(FleetCommand::Room { nsp, room: room.into(), kind, change });
            }
        })
    };
    core.directory.watch(tell(RoomKind::Joined));
    if let Some(recovery) = &core.recovery {
        recovery.away.watch(tell(RoomKind::Away));
    }
}
