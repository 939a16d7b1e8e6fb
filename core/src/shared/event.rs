//! Events: messages from the core to its host.

use std::sync::Arc;

use bytes::Bytes;

use crate::shared::reply::{CorsReply, Decision, EngineReply, HttpReply, Reply};
use crate::types::change::Move;
use crate::types::ids::{ConnId, SocketHandle};
use crate::types::raw_message::RawMessage;
use crate::types::reason::{Reason, Refusal};
use crate::types::request::RequestInfo;

/// A message from the core to its host. The events of one socket come in the order of the wire.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A client asked to join a namespace. With `pending` the host decides: call `Server::accept` or
    /// `Server::reject`. Without it the socket is already connected.
    Connect {
        /// The new socket.
        socket: SocketHandle,
        /// Namespace name, with the leading `/`.
        nsp: Arc<str>,
        /// Public id: 20 characters; for an Engine.IO 3 client the id that the client derives from its session id.
        id: Box<str>,
        /// The request that opened the connection.
        request: Arc<RequestInfo>,
        /// JSON text of the CONNECT payload (`auth`), an object, or empty.
        auth: Box<str>,
        /// The host has to accept or reject.
        pending: bool,
        /// Number of the engine connection; equal for the sockets of one client.
        conn: ConnId,
        /// Set if this is the socket of an earlier connection, recovered with its id (`connectionStateRecovery`).
        recovered: Option<Box<Recovered>>,
    },
    /// The client sent an event.
    Event {
        /// The sender.
        socket: SocketHandle,
        /// JSON array `["event", …]` with placeholders for the attachments.
        data: Box<str>,
        /// Binary attachments.
        attachments: Vec<Bytes>,
        /// The client wants an ack: answer with `Server::ack`.
        ack: Option<u64>,
    },
    /// The client acknowledged an emit.
    Ack {
        /// The sender.
        socket: SocketHandle,
        /// The id given at the emit.
        id: u64,
        /// JSON array of the arguments.
        data: Box<str>,
        /// Binary attachments.
        attachments: Vec<Bytes>,
    },
    /// An emit with a time-out was not acknowledged in time, or can't be any more because its socket ends. In the
    /// second case the event comes at once, ahead of [`Event::Disconnect`].
    AckTimeout {
        /// The recipient.
        socket: SocketHandle,
        /// The id given at the emit.
        id: u64,
        /// Why the socket ends; `None` if the time-out has passed, or if the socket was gone before the emit.
        gone: Option<Reason>,
    },
    /// A broadcast with acks is complete or timed out.
    BroadcastAck {
        /// The id given at the publish.
        id: u64,
        /// Not all clients answered in time.
        timed_out: bool,
        /// How many clients were asked.
        expected: usize,
        /// Other nodes that did not report how many clients they asked; those clients are not in `expected`.
        missing: usize,
        /// Ids of sockets of this node that did not answer, or whose answer exceeded `maxAnswerBytes`; at most 1000.
        silent: Vec<Box<str>>,
        /// First argument of each answer as JSON text (`null` if it had none), with its attachments.
        responses: Vec<(Box<str>, Vec<Bytes>)>,
    },
    /// The socket is gone, and has already left its rooms.
    Disconnect {
        /// The socket.
        socket: SocketHandle,
        /// The reason.
        reason: Reason,
        /// Detail for the log, may be empty.
        detail: &'static str,
    },
    /// A client asked for a namespace that does not exist. Answer `true` after creating it with `Server::namespace`;
    /// otherwise the client gets `Invalid namespace`.
    Namespace {
        /// The name.
        name: Box<str>,
        /// CONNECT payload.
        auth: Box<str>,
        /// The request that opened the connection.
        request: Arc<RequestInfo>,
        /// The answer.
        reply: Reply<bool>,
    },
    /// A request under the engine's path, before the core evaluates it (`hooks.engine`). The host is not asked about
    /// requests whose head another server has read: that server could decide about them itself.
    Engine {
        /// The request; transport and protocol are not known yet.
        request: Arc<RequestInfo>,
        /// The answer; dropped means refuse.
        reply: Reply<EngineReply>,
    },
    /// A request under the engine's path for which the host chooses the CORS rules (`hooks.cors`).
    Cors {
        /// The request; transport and protocol are not known yet.
        request: Arc<RequestInfo>,
        /// The answer; dropped means refuse.
        reply: Reply<CorsReply>,
    },
    /// A handshake waits for the decision of the host (`hooks.allowRequest`).
    AllowRequest {
        /// The request.
        request: Arc<RequestInfo>,
        /// Session id that the connection will have.
        sid: Box<str>,
        /// The answer.
        reply: Reply<Decision>,
    },
    /// A later polling response or an upgrade, to which the host may add headers (`hooks.headers`).
    Headers {
        /// The request.
        request: Arc<RequestInfo>,
        /// The headers to add.
        reply: Reply<Vec<(String, String)>>,
    },
    /// A request outside the engine's path (`hooks.http`), or for a client file under it such as `socket.io.js`
    /// (`hooks.files`).
    Http {
        /// The request.
        request: Arc<RequestInfo>,
        /// The request body.
        body: Bytes,
        /// The answer; dropped means 404.
        reply: Reply<HttpReply>,
    },
    /// The engine refused a request.
    ConnectionError {
        /// The request.
        request: Arc<RequestInfo>,
        /// engine.io's code.
        refusal: Refusal,
        /// Detail: a name and its value, for the log.
        context: Vec<(&'static str, String)>,
    },
    /// An engine connection opened (`hooks.connections`).
    Open {
        /// The connection, as in [`Event::Connect`].
        conn: ConnId,
        /// Session id. It is a secret: pass it to nobody.
        sid: Box<str>,
        /// The request.
        request: Arc<RequestInfo>,
    },
    /// A message of a client (`Options::raw`).
    Message {
        /// The connection, as in [`Event::Open`].
        conn: ConnId,
        /// The message.
        message: RawMessage,
    },
    /// Everything that was sent to the connection before `Server::raw_notify` has left it. Any host may ask for this
    /// event, not only a raw one.
    Flushed {
        /// The connection, as in [`Event::Open`].
        conn: ConnId,
        /// Number given to `Server::raw_notify`.
        number: u64,
    },
    /// A ping or pong of a client arrived (`Options::raw`, `Hooks::HEARTBEATS`).
    Heartbeat {
        /// The connection, as in [`Event::Open`].
        conn: ConnId,
    },
    /// An engine packet of a client, on a connection that is watched (`Server::watch`). It precedes the event that
    /// the packet causes.
    PacketIn {
        /// The connection, as in [`Event::Connect`].
        conn: ConnId,
        /// Text begins with the type of the packet; bytes are a binary message.
        packet: RawMessage,
    },
    /// An engine packet for a client, on a connection that is watched.
    PacketOut {
        /// The connection, as in [`Event::Connect`].
        conn: ConnId,
        /// As in [`Event::PacketIn`].
        packet: RawMessage,
    },
    /// All packets of a connection that is watched have left it.
    Drained {
        /// The connection, as in [`Event::Connect`].
        conn: ConnId,
    },
    /// An engine connection ended (`hooks.connections`, `Server::watch`).
    ConnectionClosed {
        /// The connection, as in [`Event::Open`].
        conn: ConnId,
        /// The reason.
        reason: Reason,
        /// Detail for the log, may be empty.
        detail: &'static str,
    },
    /// A polling connection has been upgraded to WebSocket.
    Upgraded {
        /// The connection, as in [`Event::Connect`].
        conn: ConnId,
    },
    /// Another node of the fleet sent an event to the servers (`Server::server_side_emit` there).
    ServerSide {
        /// Namespace.
        nsp: Arc<str>,
        /// JSON array `["event", …]` with placeholders for the attachments.
        data: Box<str>,
        /// Binary attachments.
        attachments: Vec<Bytes>,
        /// Set if the sender waits for an answer: one argument as JSON text, with its attachments. Dropping it sends
        /// no answer.
        reply: Option<Reply<(Box<str>, Vec<Bytes>)>>,
    },
    /// Another node fetches sockets, and this host supplies their data (`hooks.socketData`).
    SocketData {
        /// Namespace.
        nsp: Arc<str>,
        /// Sockets whose data is asked for.
        sockets: Vec<SocketHandle>,
        /// JSON text for each socket, in the same order. If it is dropped, the data from `Server::set_data` counts.
        reply: Reply<Vec<Box<str>>>,
    },
    /// A socket that had its [`Event::Disconnect`] can't be recovered by its client any more (`hooks.sessions`, with
    /// the option `connectionStateRecovery`).
    SessionEnd {
        /// Handle of the socket on its last connection.
        socket: SocketHandle,
        /// Namespace.
        nsp: Arc<str>,
        /// Public id.
        id: Box<str>,
        /// Rooms that a recovery would have restored.
        rooms: Vec<Box<str>>,
        /// JSON that the host attached with `Server::set_data`, may be empty.
        data: Box<str>,
        /// The reason.
        end: SessionEnd,
    },
    /// Another node added sockets of this one to a room, or removed them (`hooks.moves`).
    Moved {
        /// Namespace.
        nsp: Arc<str>,
        /// Room.
        room: Box<str>,
        /// Whether the sockets joined or left.
        way: Move,
        /// The sockets that were not in the room before, or those that were.
        sockets: Vec<SocketHandle>,
    },
    /// The connection to the other nodes changed.
    Cluster {
        /// The change.
        change: ClusterChange,
    },
    /// A room of this process changed (`hooks.rooms`).
    Room {
        /// The change.
        change: RoomChange,
        /// Namespace.
        nsp: Arc<str>,
        /// Room.
        room: Box<str>,
        /// The socket, for joins and leaves.
        socket: Option<SocketHandle>,
    },
    /// The server has closed; this is the last event.
    Closed,
}

/// State of a recovered socket; see [`Event::Connect`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// The rooms that the socket is in again, its own-id room included.
    pub rooms: Vec<Box<str>>,
    /// JSON that the host attached with `Server::set_data`, may be empty.
    pub data: Box<str>,
}

/// See [`Event::SessionEnd`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEnd {
    /// The client stayed away for longer than `maxDisconnectionDuration`.
    TimedOut,
    /// The session was the oldest when the journal exceeded `maxRecoveryBytes`.
    Limit,
    /// The host, or the host of another node, disconnected the socket while its client was away.
    Disconnected,
}

impl SessionEnd {
    /// `timeout`, `limit` or `disconnect`.
    pub fn as_str(self) -> &'static str {
        match self {
            SessionEnd::TimedOut => "timeout",
            SessionEnd::Limit => "limit",
            SessionEnd::Disconnected => "disconnect",
        }
    }
}

/// See [`Event::Cluster`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterChange {
    /// Connected to Redis, and everything is subscribed.
    Up,
    /// Not connected any more, or not yet. Local clients are served; attempts to reconnect are under way.
    Down {
        /// Message of Redis or of the system.
        reason: Box<str>,
    },
    /// Number of messages for other nodes that did not, or perhaps did not, leave this node since the last such
    /// event.
    Lost {
        /// How many.
        publishes: u64,
    },
}

/// See [`Event::Room`]. The list is complete: hosts have a callback or an event for each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomChange {
    /// First member in this process.
    Created,
    /// Last member in this process left.
    Deleted,
    /// A socket joined.
    Joined,
    /// A socket left.
    Left,
}

impl Event {
    /// Weight of the event in the host queue, in bytes: its payload plus a flat share.
    pub(crate) fn weight(&self) -> usize {
        /// Entry of the queue, and the overhead of the allocator.
        const FLAT: usize = 64 + size_of::<Event>();
        /// Memory of a question: the channel for its answer, and the task that waits.
        const QUESTION: usize = 512;
        FLAT + match self {
            Event::Http { request, body, .. } => QUESTION + request.weight() + body.len(),
            Event::Namespace { name, auth, request, .. } => {
                QUESTION + request.weight() + name.len() + auth.len()
            }
            Event::Engine { request, .. }
            | Event::Cors { request, .. }
            | Event::AllowRequest { request, .. }
            | Event::Headers { request, .. } => QUESTION + request.weight(),
            // These events keep the request of a connection that has ended meanwhile.
            Event::Connect { request, auth, recovered, .. } => {
                let rooms = |back: &Recovered| back.rooms.iter().map(|room| 16 + room.len()).sum::<usize>();
                let recovered = recovered.as_ref().map_or(0, |back| back.data.len() + rooms(back));
                request.weight() + auth.len() + recovered
            }
            Event::Open { request, .. } => request.weight(),
            Event::ConnectionError { request, context, .. } => {
                request.weight() + context.iter().map(|(_, text)| 64 + text.len()).sum::<usize>()
            }
            Event::Event { data, attachments, .. }
            | Event::Ack { data, attachments, .. }
            | Event::ServerSide { data, attachments, .. } => {
                data.len() + attachments.iter().map(Bytes::len).sum::<usize>()
            }
            Event::BroadcastAck { responses, silent, .. } => {
                let bytes = |list: &[Bytes]| list.iter().map(Bytes::len).sum::<usize>();
                responses.iter().map(|(first, list)| 64 + first.len() + bytes(list)).sum::<usize>()
                    + silent.len() * 48
            }
            Event::Message { message, .. } => message.len(),
            Event::PacketIn { packet, .. } | Event::PacketOut { packet, .. } => packet.len(),
            Event::SessionEnd { rooms, data, .. } => {
                data.len() + rooms.iter().map(|room| room.len() + 16).sum::<usize>()
            }
            Event::SocketData { sockets, .. } | Event::Moved { sockets, .. } => size_of_val(&sockets[..]),
            _ => 0,
        }
    }
}
