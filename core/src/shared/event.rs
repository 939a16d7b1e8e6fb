//! What the core tells its host.

use std::sync::Arc;

use bytes::Bytes;

use crate::shared::reply::{CorsReply, Decision, EngineReply, HttpReply, Reply};
use crate::types::ids::{ConnId, SocketHandle};
use crate::types::raw_message::RawMessage;
use crate::types::reason::{Reason, Refusal};
use crate::types::request::RequestInfo;

/// What happened. Per socket the order is the order on the wire.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A client asked to join a namespace. With `pending` the namespace is decided by the host: call
    /// `Server::accept` or `Server::reject`; otherwise the socket is connected already.
    Connect {
        /// The new socket.
        socket: SocketHandle,
        /// Namespace name, with the leading `/`.
        nsp: Arc<str>,
        /// Public id: 20 characters, or of an Engine.IO 3 client what it makes of its session id.
        id: Box<str>,
        /// The request that opened the connection.
        request: Arc<RequestInfo>,
        /// JSON text of the CONNECT payload (`auth`), an object, or empty.
        auth: Box<str>,
        /// The host has to accept or reject.
        pending: bool,
        /// Which engine connection this is; equal for the sockets of one client.
        conn: ConnId,
        /// The socket of an earlier connection, with its id, is back (`connectionStateRecovery`).
        recovered: Option<Box<Recovered>>,
    },
    /// The client sent an event.
    Packet {
        /// From.
        socket: SocketHandle,
        /// JSON array `["event", …]`, placeholders for attachments.
        data: Box<str>,
        /// Binary attachments.
        attachments: Vec<Bytes>,
        /// The client wants an ack: answer with `Server::ack`.
        ack: Option<u64>,
    },
    /// The client acknowledged an emit.
    Ack {
        /// From.
        socket: SocketHandle,
        /// The id given at the emit.
        id: u64,
        /// JSON array of the arguments.
        data: Box<str>,
        /// Binary attachments.
        attachments: Vec<Bytes>,
    },
    /// An emit with a time-out was not acknowledged in time, or will not be: its socket ends. That is told at once, ahead
    /// of [`Event::Disconnect`].
    AckTimeout {
        /// To whom it went.
        socket: SocketHandle,
        /// The id given at the emit.
        id: u64,
        /// Why the socket ends; `None` if the time is over, or the socket was gone before the emit.
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
        /// Other nodes that did not say how many clients they asked: theirs are not in `expected`.
        missing: usize,
        /// Ids of sockets of this node that did not answer, or whose answer there was no room for (`maxAnswerBytes`): the
        /// first thousand.
        silent: Vec<Box<str>>,
        /// First argument of each answer as JSON text (`null` where it had none), with its attachments.
        responses: Vec<(Box<str>, Vec<Bytes>)>,
    },
    /// The socket is gone; it left its rooms already.
    Disconnect {
        /// Which.
        socket: SocketHandle,
        /// Why.
        reason: Reason,
        /// Detail for the log, may be empty.
        detail: &'static str,
    },
    /// A client asked for a namespace that does not exist. Answer `true` after creating it with
    /// `Server::namespace`, else the client gets `Invalid namespace`.
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
    /// A request under the engine's path, before anything is read from it (`hooks.engine`). Requests whose
    /// head another server has read are not asked about: that server had its word.
    Engine {
        /// The request; transport and protocol are not known yet.
        request: Arc<RequestInfo>,
        /// The answer; dropped means refuse.
        reply: Reply<EngineReply>,
    },
    /// A request under the engine's path, and the host decides by which cross-origin rules (`hooks.cors`).
    Cors {
        /// The request; transport and protocol are not known yet.
        request: Arc<RequestInfo>,
        /// The answer; dropped means refuse.
        reply: Reply<CorsReply>,
    },
    /// A handshake waits for the host's word (`hooks.allow_request`).
    AllowRequest {
        /// The request.
        request: Arc<RequestInfo>,
        /// Session id that the connection will have.
        sid: Box<str>,
        /// The answer.
        reply: Reply<Decision>,
    },
    /// A later polling response or an upgrade asks for extra headers (`hooks.headers`).
    Headers {
        /// The request.
        request: Arc<RequestInfo>,
        /// The headers to add.
        reply: Reply<Vec<(String, String)>>,
    },
    /// A request outside the engine's path (`hooks.http`), or for one of the files of a client under it
    /// (`hooks.files`): `socket.io.js` and its like.
    Http {
        /// The request.
        request: Arc<RequestInfo>,
        /// Its body.
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
        /// Connection number, as in [`Event::Connect`].
        conn: ConnId,
        /// Session id: a secret, for the host's eyes only.
        sid: Box<str>,
        /// The request.
        request: Arc<RequestInfo>,
    },
    /// A message of a client (`Options::raw`).
    Message {
        /// From, as in [`Event::Open`].
        conn: ConnId,
        /// What it says.
        message: RawMessage,
    },
    /// Everything that was sent to the connection has left it (`Server::raw_notify`; with any host).
    Flushed {
        /// Connection number, as in [`Event::Open`].
        conn: ConnId,
        /// Number given with the question.
        number: u64,
    },
    /// A client showed that it lives: its ping or pong came (`Options::raw`, `hooks.heartbeats`).
    Heartbeat {
        /// Connection number, as in [`Event::Open`].
        conn: ConnId,
    },
    /// An engine packet of a client, on a connection that is watched (`Server::watch`); comes before what it means.
    PacketIn {
        /// Connection number, as in [`Event::Connect`].
        conn: ConnId,
        /// Text begins with the type of the packet; bytes are a message.
        packet: RawMessage,
    },
    /// An engine packet for a client, on a connection that is watched.
    PacketOut {
        /// Connection number, as in [`Event::Connect`].
        conn: ConnId,
        /// As in [`Event::PacketIn`].
        packet: RawMessage,
    },
    /// All packets of a connection that is watched have left it.
    Drained {
        /// Connection number, as in [`Event::Connect`].
        conn: ConnId,
    },
    /// An engine connection ended (`hooks.connections`, `Server::watch`).
    ConnectionClosed {
        /// Connection number, as in [`Event::Open`].
        conn: ConnId,
        /// Why.
        reason: Reason,
        /// Detail for the log, may be empty.
        detail: &'static str,
    },
    /// A polling connection is a WebSocket now.
    Upgraded {
        /// Connection number, as in [`Event::Connect`].
        conn: ConnId,
    },
    /// Another node of the fleet sent an event to the servers (`Server::server_side_emit` there).
    ServerSide {
        /// Namespace.
        nsp: Arc<str>,
        /// JSON array `["event", …]`, placeholders for attachments.
        data: Box<str>,
        /// Binary attachments.
        attachments: Vec<Bytes>,
        /// The sender waits for an answer: one argument as JSON text, with its attachments. Dropped means none.
        reply: Option<Reply<(Box<str>, Vec<Bytes>)>>,
    },
    /// Another node fetches sockets, and the host knows their data (`hooks.socketData`).
    SocketData {
        /// Namespace.
        nsp: Arc<str>,
        /// Whose data is asked for.
        sockets: Vec<SocketHandle>,
        /// JSON text for each, in the same order. Dropped means what `Server::set_data` attached.
        reply: Reply<Vec<Box<str>>>,
    },
    /// The client of a socket that had a [`Event::Disconnect`] can't come back to it any more (`hooks.sessions`, with
    /// the option `connectionStateRecovery`).
    SessionEnd {
        /// Handle of its last connection.
        socket: SocketHandle,
        /// Namespace.
        nsp: Arc<str>,
        /// Public id.
        id: Box<str>,
        /// Rooms that it would have been in again.
        rooms: Vec<Box<str>>,
        /// JSON that the host attached with `Server::set_data`, may be empty.
        data: Box<str>,
        /// Why.
        end: SessionEnd,
    },
    /// Another node put sockets of this one into a room, or took them out (`hooks.moves`).
    Moved {
        /// Namespace.
        nsp: Arc<str>,
        /// Room.
        room: Box<str>,
        /// In, or out.
        join: bool,
        /// Who was not there before, or was.
        sockets: Vec<SocketHandle>,
    },
    /// The connection to the other nodes changed.
    Cluster {
        /// How.
        change: ClusterChange,
    },
    /// A room of this process changed (`hooks.rooms`).
    Room {
        /// What happened.
        change: RoomChange,
        /// Namespace.
        nsp: Arc<str>,
        /// Room.
        room: Box<str>,
        /// Who, for joins and leaves.
        socket: Option<SocketHandle>,
    },
    /// Everything is closed; the last event.
    Closed,
}

/// What a recovered socket brings along; see [`Event::Connect`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// The rooms that it is in again, the one named by its own id included.
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
    /// The oldest of more than `maxRecoveryBytes`.
    Limit,
    /// The host, or that of another node, disconnected it while its client was away.
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
        /// Redis' or the system's words.
        reason: Box<str>,
    },
    /// Messages for other nodes that did not, or perhaps did not, leave this one since the last such event.
    Lost {
        /// How many.
        publishes: u64,
    },
}

/// See [`Event::Room`]. Complete: hosts have a callback or an event for each.
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
    /// What the event weighs in the host queue, in bytes (payload plus a flat share).
    pub(crate) fn weight(&self) -> usize {
        /// Its place in the queue, and what the allocator adds.
        const FLAT: usize = 64 + size_of::<Event>();
        /// A question: the channel for its answer, and the task that waits.
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
            // A connection that has ended meanwhile is kept by these.
            Event::Connect { request, auth, recovered, .. } => {
                let rooms = |back: &Recovered| back.rooms.iter().map(|room| 16 + room.len()).sum::<usize>();
                let recovered = recovered.as_ref().map_or(0, |back| back.data.len() + rooms(back));
                request.weight() + auth.len() + recovered
            }
            Event::Open { request, .. } => request.weight(),
            Event::ConnectionError { request, context, .. } => {
                request.weight() + context.iter().map(|(_, text)| 64 + text.len()).sum::<usize>()
            }
            Event::Packet { data, attachments, .. }
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
