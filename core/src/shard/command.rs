//! How anything reaches a shard.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use smallvec::SmallVec;
use tokio::sync::oneshot;

use super::aliases::Aliases;
use super::queue;
use super::raw::{RawCommand, RawSend};
use super::state::Fetched;
use super::{Hold, UnderWay, together};
use crate::cluster::Place;
use crate::engine::conn::{Agreed, PollShape};
use crate::engine::frame::Frame;
use crate::engine::sid::{Id, Tag};
use crate::host::recovery::Recovery;
use crate::host::{
    AnswerRoom, BroadcastAcks, EmitFlags, HostQueue, Namespaces, NspShared, Outboxes, RequestInfo,
    ShardStats, SocketHandle,
};
use crate::net::http::Answer;
use crate::net::listener::Listener;
use crate::net::stream::{Peer, RawStream};
use crate::net::tls::TlsState;
use crate::options::{Options, SharedHooks};
use crate::rooms::{Directory, Target};

/// What all shards and the host share.
pub(crate) struct Core {
    pub options: Options,
    pub hooks: SharedHooks,
    pub aliases: Aliases,
    /// One count for all namespaces, so that an id names one ack in the whole server.
    pub ack_ids: AtomicU64,
    pub namespaces: Namespaces,
    pub directory: Directory,
    pub host: Arc<HostQueue>,
    pub outboxes: Outboxes,
    pub answers: Arc<AnswerRoom>,
    pub shards: Vec<ShardSender>,
    pub tls: Option<TlsState>,
    pub started: Instant,
    pub closing: AtomicBool,
    pub next_shard: AtomicUsize,
    pub running: AtomicUsize,
    /// With the option `connectionStateRecovery`.
    pub recovery: Option<Recovery>,
    /// Of the socket ids that this server gives.
    pub tag: Tag,
    /// With the option `cluster`.
    pub fleet: Place,
    pub under_way: Arc<UnderWay>,
}

impl Core {
    /// The shard for the next connection.
    pub(crate) fn pick(&self) -> usize {
        self.next_shard.fetch_add(1, Ordering::Relaxed) % self.shards.len()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

/// The way into one shard.
pub(crate) struct ShardSender {
    index: usize,
    commands: queue::Sender,
    /// Payload bytes of publishes and emits that wait in `commands`.
    pub queued: AtomicUsize,
    /// Joins that wait in `commands`: rooms may be about to have members here.
    joining: AtomicUsize,
    pub stats: ShardStats,
}

impl ShardSender {
    pub(crate) fn new(index: usize, commands: queue::Sender) -> Self {
        Self {
            index,
            commands,
            queued: AtomicUsize::new(0),
            joining: AtomicUsize::new(0),
            stats: ShardStats::default(),
        }
    }

    /// Queues a command; false if the shard has ended.
    pub(crate) fn send(&self, command: Command) -> bool {
        match together::hold(self, self.index, command) {
            Some(command) => self.commands.send(command),
            None => !self.is_closed(),
        }
    }

    /// The shard has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.commands.is_closed()
    }

    /// Queues a command for each shard; false if one has ended.
    pub(crate) fn send_all(shards: &[Self], mut command: impl FnMut(&Self) -> Command) -> bool {
        let mut sent = true;
        let mut wake: SmallVec<[&queue::Sender; 16]> = SmallVec::new();
        for shard in shards {
            match together::hold(shard, shard.index, command(shard)) {
                None => sent &= !shard.is_closed(),
                Some(command) => match shard.commands.push(command) {
                    true => wake.push(&shard.commands),
                    false => sent = false,
                },
            }
        }
        queue::wake(wake);
        sent
    }

    /// Queues what was held back.
    pub(super) fn release(shards: &[Self], held: Vec<Vec<Command>>) {
        let mut wake: SmallVec<[&queue::Sender; 16]> = SmallVec::new();
        for (shard, mut commands) in shards.iter().zip(held) {
            let command = match commands.len() {
                0 => continue,
                1 => commands.remove(0),
                _ => Command::Together(commands),
            };
            if shard.commands.push(command) {
                wake.push(&shard.commands);
            }
        }
        queue::wake(wake);
    }

    /// Queues a command that puts sockets into rooms; the shard calls `joined` when it is done.
    pub(crate) fn send_join(&self, command: Command) {
        self.joining.fetch_add(1, Ordering::Relaxed);
        if !self.send(command) {
            self.joined();
        }
    }

    pub(super) fn joined(&self) {
        self.joining.fetch_sub(1, Ordering::Release);
    }

    /// Whether the directory of rooms may lack what the host has asked for.
    pub(crate) fn is_joining(&self) -> bool {
        self.joining.load(Ordering::Acquire) > 0
    }
}

/// One broadcast.
#[derive(Clone)]
pub(crate) struct Publish {
    pub nsp: Arc<NspShared>,
    pub target: Arc<Target>,
    pub frame: Arc<Frame>,
    pub flags: EmitFlags,
    /// With acks: the packet id and who collects.
    pub acks: Option<(u64, Arc<BroadcastAcks>)>,
    /// How long answers may take; set for the one shard that keeps the time.
    pub timeout: Option<Duration>,
    /// Its number in the journal of `connectionStateRecovery`, 0 if it is not kept there.
    pub entry: u64,
}

/// A message for one socket. It is encoded by the caller.
pub(crate) struct EmitTo {
    pub socket: SocketHandle,
    pub frame: Arc<Frame>,
    pub flags: EmitFlags,
    pub ack: Option<(u64, Option<Duration>)>,
    /// As in [`Publish`].
    pub entry: u64,
}

/// Something to send that is counted against the command queue.
pub(crate) enum Outgoing {
    Publish(Publish),
    Emit(EmitTo),
    Raw(RawSend),
}

/// A request that another HTTP server (Node's) passes in.
pub(crate) struct PassedIn {
    pub request: RequestInfo,
    pub body: Bytes,
    pub reply: Box<dyn FnOnce(Answer) + Send>,
    /// Resolves when the client gave the request up.
    pub cancelled: oneshot::Receiver<()>,
    /// Taken by who passes it in: the server may end before a shard has heard of it.
    pub hold: Hold,
}

/// See the module's text.
pub(crate) enum Command {
    /// Several of one thread, in order.
    Together(Vec<Command>),
    /// Count of bytes to subtract from `queued`, and what to send.
    Send(usize, Outgoing),
    Accept(SocketHandle),
    Reject(SocketHandle, Box<str>),
    Join(SocketHandle, Box<[Box<str>]>),
    Leave(SocketHandle, Box<[Box<str>]>),
    LeaveAll(SocketHandle),
    SocketsJoin(Arc<NspShared>, Arc<Target>, Arc<[Box<str>]>),
    SocketsLeave(Arc<NspShared>, Arc<Target>, Arc<[Box<str>]>),
    DisconnectSockets(Arc<NspShared>, Arc<Target>, bool),
    /// As [`Command::SocketsJoin`] (`true`) or [`Command::SocketsLeave`], for another node.
    MoveSockets(Arc<NspShared>, Arc<Target>, Arc<[Box<str>]>, bool),
    Disconnect(SocketHandle, bool),
    CloseConnection(u64),
    /// The client of a socket is back on another connection; answered when the socket is gone.
    Supersede(SocketHandle, oneshot::Sender<()>),
    Fetch(Arc<NspShared>, Arc<Target>, oneshot::Sender<Vec<Fetched>>),
    SetData(SocketHandle, Box<str>),
    /// Ids of the sockets that sit in the room named by their id.
    OwnRooms(Arc<NspShared>, oneshot::Sender<Vec<Box<str>>>),
    /// From now on the cluster is told of such rooms.
    ShowOwnRooms,

    Listen(Listener),
    Serve {
        stream: RawStream,
        prefix: Bytes,
        peer: Option<Peer>,
        tls: bool,
        tag: u64,
    },
    PassedIn(Box<PassedIn>),
    /// A poll for a session of this shard that arrived at another one.
    Poll {
        sid: Id,
        shape: PollShape,
        reply: oneshot::Sender<Answer>,
    },
    /// The connection that a poll came on is gone.
    PollAborted {
        sid: Id,
    },
    PostBegin {
        sid: Id,
        binary: bool,
        shape: PollShape,
        reply: oneshot::Sender<Answer>,
    },
    /// The body of a POST that began.
    Post {
        sid: Id,
        body: Bytes,
        binary: bool,
    },
    /// A POST without a usable body; `gone`: its connection ended.
    PostEnded {
        sid: Id,
        gone: bool,
    },
    /// What transport and protocol has a session?
    Lookup {
        sid: Id,
        reply: oneshot::Sender<Option<(&'static str, u8)>>,
    },
    /// A WebSocket for a session of this shard.
    Upgraded {
        sid: Id,
        stream: RawStream,
        rest: Bytes,
        agreed: Agreed,
    },
    Raw(RawCommand),
    /// Engine packets of a connection are shown to the host, or no more.
    Watch {
        conn: u64,
        on: bool,
    },
    /// The host took events: paused connections may go on.
    Resume,
    /// The outboxes are over their budget.
    Relieve,
    StopListening,
    /// The hold is dropped when this is carried out: no shard ends before all have heard of the end, for a request on one
    /// may be for a session of another.
    Shutdown(Hold),
}

impl Command {
    /// A request that another server passed in, or a step of one that names a session.
    pub(super) fn is_of_request(&self) -> bool {
        matches!(
            self,
            Command::PassedIn(_)
                | Command::Lookup { .. }
                | Command::Poll { .. }
                | Command::PollAborted { .. }
                | Command::PostBegin { .. }
                | Command::Post { .. }
                | Command::PostEnded { .. }
        )
    }
}
