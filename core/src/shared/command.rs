//! Commands: messages from any thread to a shard.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kraken_ws_codec::sid::Id;
use tokio::sync::oneshot;

use crate::engine::frame::Frame;
use crate::engine::transport::{Agreed, PollShape};
use crate::net::http::Answer;
use crate::net::listener::Listener;
use crate::net::stream::{Peer, RawStream};
use crate::shared::broadcast_acks::BroadcastAcks;
use crate::shared::namespaces::NspShared;
use crate::shared::under_way::Hold;
use crate::types::change::{Disconnect, Move};
use crate::types::flags::EmitFlags;
use crate::types::ids::{ConnId, NspId, SocketHandle};
use crate::types::request::RequestInfo;
use crate::types::target::Target;

/// One broadcast.
#[derive(Clone)]
pub(crate) struct Publish {
    pub nsp: Arc<NspShared>,
    pub target: Arc<Target>,
    pub frame: Arc<Frame>,
    pub flags: EmitFlags,
    /// Packet id and collector, for a broadcast with acks.
    pub acks: Option<(u64, Arc<BroadcastAcks>)>,
    /// How long answers may take; each shard that gets the broadcast starts a timer.
    pub timeout: Option<Duration>,
    /// Number of the message in the journal of `connectionStateRecovery`; 0 if the journal does not keep it.
    pub entry: u64,
}

/// A message for one socket, already encoded.
pub(crate) struct EmitTo {
    pub socket: SocketHandle,
    pub frame: Arc<Frame>,
    pub flags: EmitFlags,
    pub ack: Option<(u64, Option<Duration>)>,
    /// As in [`Publish`].
    pub entry: u64,
}

/// A message that counts against `commandQueueBytes`.
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
    /// Resolves when the client has given up the request.
    pub cancelled: oneshot::Receiver<()>,
    /// The caller takes the hold before it queues the command: the server could end before a shard has received it.
    pub hold: Hold,
}

/// A message from any thread to a shard. A shard carries out the commands of one thread in order.
pub(crate) enum Command {
    /// A batch of commands of one thread, in order.
    Batch(Vec<Command>),
    /// Bytes to subtract from `queued`, and the message.
    Send(usize, Outgoing),
    Accept(SocketHandle),
    Reject(SocketHandle, Box<str>),
    Join(SocketHandle, Box<[Box<str>]>),
    Leave(SocketHandle, Box<[Box<str>]>),
    LeaveAll(SocketHandle),
    MoveSockets(Arc<NspShared>, Arc<Target>, Arc<[Box<str>]>, Move),
    /// [`Command::MoveSockets`] for another node.
    MoveForNode(Arc<NspShared>, Arc<Target>, Arc<[Box<str>]>, Move),
    DisconnectSockets(Arc<NspShared>, Arc<Target>, Disconnect),
    Disconnect(SocketHandle, Disconnect),
    CloseConnection(ConnId),
    /// The client of a socket is back on another connection. The channel is answered when the socket is gone.
    Supersede(SocketHandle, oneshot::Sender<()>),
    Fetch(Arc<NspShared>, Arc<Target>, oneshot::Sender<Vec<Fetched>>),
    SetData(SocketHandle, Box<str>),
    /// Asks for the ids of the sockets that are in their own-id room.
    OwnRooms(Arc<NspShared>, oneshot::Sender<Vec<Box<str>>>),
    /// Reports own-id rooms to the broker: all existing ones, then each change.
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
    /// The connection of a pending poll has closed.
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
    /// A POST without a usable body.
    PostEnded {
        sid: Id,
        end: PostEnd,
    },
    /// Asks for the transport and protocol of a session.
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
    /// Turns the packet events of a connection on or off.
    Watch {
        conn: ConnId,
        on: bool,
    },
    /// The host queue has room again: paused connections resume.
    Resume,
    /// The outboxes exceed their common budget.
    Relieve,
    StopListening,
    /// Ends the shard. Its hold is dropped when the command is carried out: no shard ends before all have received
    /// it, because a request on one shard may be for a session of another.
    Shutdown(Hold),
}

impl Command {
    /// Whether this is a request that another server passed in, or a step of a request that names a session.
    pub(crate) fn is_of_request(&self) -> bool {
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

/// Why a POST has no usable body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PostEnd {
    /// The body is too long; the answer says so.
    TooLong,
    /// The connection of the POST ended.
    Gone,
}

/// What `fetch_sockets` finds in one shard.
pub(crate) struct Fetched {
    pub socket: SocketHandle,
    pub id: Box<str>,
    pub request: Arc<RequestInfo>,
    pub auth: Box<str>,
    pub rooms: Vec<Box<str>>,
    pub data: Box<str>,
}

/// One message for one connection.
pub(crate) struct RawSend {
    pub conn: ConnId,
    pub frame: Frame,
    pub flags: EmitFlags,
    /// A further frame of the packet that the last message began.
    pub more: bool,
}

/// Commands of a raw host other than messages; see `Server::raw_*`.
pub(crate) enum RawCommand {
    Join { conn: ConnId, nsp: Arc<NspShared>, id: Box<str>, rooms: Box<[Box<str>]> },
    Leave { conn: ConnId, nsp: NspId, room: Box<str> },
    Remove { conn: ConnId, nsp: NspId },
    Notify { conn: ConnId, number: u64 },
}
