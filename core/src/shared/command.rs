//! How anything reaches a shard.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::engine::frame::Frame;
use crate::engine::sid::Id;
use crate::engine::transport::{Agreed, PollShape};
use crate::net::http::Answer;
use crate::net::listener::Listener;
use crate::net::stream::{Peer, RawStream};
use crate::shared::broadcast_acks::BroadcastAcks;
use crate::shared::namespaces::NspShared;
use crate::shared::under_way::Hold;
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
    CloseConnection(ConnId),
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
        conn: ConnId,
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

/// What a raw host does besides sending; `Server::raw_*` say more.
pub(crate) enum RawCommand {
    Join { conn: ConnId, nsp: Arc<NspShared>, id: Box<str>, rooms: Box<[Box<str>]> },
    Leave { conn: ConnId, nsp: NspId, room: Box<str> },
    Remove { conn: ConnId, nsp: NspId },
    Notify { conn: ConnId, number: u64 },
}
