//! Events: reading and answering them.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use kraken_ws_core::{
    ClusterChange, Decision, EngineReply, HttpReply, Reason, Reply, RequestInfo, RoomChange,
};

use crate::border::{Handle, Handled, lock};

mod answer;
mod cluster;
mod content;
mod owner;
mod read;
mod room;

pub use answer::*;
pub use cluster::*;
pub(crate) use content::Content;
pub(crate) use owner::Owner;
pub use read::*;
pub use room::*;

/// The kind of an event.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum kraken_ws_event_kind {
    /// No event: the pointer was null.
    None = 0,
    /// A client connected to a namespace, or waits to be accepted: see `kraken_ws_event_is_pending`.
    Connect = 1,
    /// A client sent an event: `_name`, `_arg`, `_attachment`; `kraken_ws_event_ack` if `_wants_ack`.
    Event = 2,
    /// The answer to an emit with ack, or that there was none in time (`_timed_out`). `_ack_id` says which;
    /// `_arg` are the arguments.
    Ack = 3,
    /// The answers to a publish with ack: `_arg` are the first arguments of each answer, `_attachment` the
    /// attachments of all of them in that order, `_expected` how many clients were asked, `_missing` how many other
    /// nodes did not say how many clients they asked.
    BroadcastAck = 4,
    /// A socket has disconnected: `_reason`.
    Disconnect = 5,
    /// A request outside the path of Socket.IO: `_method`, `_url`, `_header`; its body is attachment 0.
    /// Answer it with `kraken_ws_event_reply`; without an answer it gets 404.
    Http = 6,
    /// The server has ended: the last event of a poll.
    Closed = 7,
    /// A handshake waits for a decision: `kraken_ws_event_allow`, with headers for its response, or
    /// `kraken_ws_event_refuse`.
    AllowRequest = 8,
    /// A later polling request, or the one that upgrades to WebSocket: `kraken_ws_event_allow` gives headers for
    /// its response. It can't be refused.
    Headers = 9,
    /// A request under the path of Socket.IO, before the engine reads it: `kraken_ws_event_allow` passes it on, with
    /// headers for its response, `kraken_ws_event_reply` answers it, `kraken_ws_event_refuse` is a 400.
    Engine = 10,
    /// A room of this process changed: `_room`, `_room_change`; `_socket` is the one that joined or left.
    Room = 11,
    /// The host of another node sent an event to the hosts: `_name`, `_arg`, `_attachment`; `kraken_ws_event_ack` if
    /// `_wants_ack`.
    ServerSide = 12,
    /// The answers to `kraken_ws_server_side_emit_with_ack`, as in `BROADCAST_ACK`: `_expected` is how many nodes were
    /// asked, `_missing` how many did not answer.
    ServerSideAck = 13,
    /// The connection to the other nodes changed: `_cluster_change`.
    Cluster = 14,
    /// With `connectionStateRecovery`: the client of the socket `_socket_id`, which has disconnected, can't come back to it any
    /// more.
    SessionEnd = 15,
}

/// One event. What its functions return is valid until the event is freed, or, in a callback, until the callback
/// returns. All of them may be called from any thread.
#[repr(C)]
pub struct kraken_ws_event {
    _private: [u8; 0],
}

/// An event as it is handed to modules and hosts: the host may keep it, so it is counted.
pub(crate) type SharedEvent = Arc<Handle<HostEvent>>;

/// The value behind a `kraken_ws_event`.
pub(crate) struct HostEvent {
    pub(crate) owner: Arc<dyn Owner>,
    pub(crate) kind: kraken_ws_event_kind,
    pub(crate) socket: u64,
    pub(crate) id: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) content: Content,
    /// Id of the emit that an ack answers.
    pub(crate) ack_id: u64,
    pub(crate) timed_out: bool,
    pub(crate) expected: usize,
    pub(crate) reason: Option<Reason>,
    pub(crate) request: Option<Arc<RequestInfo>>,
    /// JSON of the CONNECT payload, or empty.
    pub(crate) auth: Box<str>,
    pub(crate) room: Option<(RoomChange, Box<str>)>,
    pub(crate) cluster: Option<ClusterChange>,
    /// Number of other nodes that did not answer, and the names of those whose names are known.
    pub(crate) missing: usize,
    pub(crate) missing_nodes: Vec<Box<str>>,
    pub(crate) question: Mutex<Question>,
}

impl Handled for HostEvent {
    type Opaque = kraken_ws_event;
    const MAGIC: u64 = 0x6b72_616b_656e_6576;
    const KIND: &'static str = "event";
    const MADE_BY: &'static str = "an event";
}

/// The question of an event, with the channel of its answer.
pub(crate) enum Question {
    /// No question.
    None,
    /// The question has been answered.
    Answered,
    /// Whether the socket may connect.
    Connect,
    /// An ack, by its number.
    Ack(u64),
    /// An ack for another node, which has one argument.
    ServerSide(Reply<(Box<str>, Vec<Bytes>)>),
    /// An HTTP response.
    Http(Reply<HttpReply>),
    /// Whether a handshake is allowed.
    Allow(Reply<Decision>),
    /// Headers for a response.
    Headers(Reply<Vec<(String, String)>>),
    /// Whether an engine request is passed on.
    Engine(Reply<EngineReply>),
}

impl HostEvent {
    pub(crate) fn new(owner: Arc<dyn Owner>, kind: kraken_ws_event_kind) -> Self {
        Self {
            owner,
            kind,
            socket: 0,
            id: "".into(),
            namespace: "".into(),
            content: Content::default(),
            ack_id: 0,
            timed_out: false,
            expected: 0,
            reason: None,
            request: None,
            auth: Box::default(),
            room: None,
            cluster: None,
            missing: 0,
            missing_nodes: Vec::new(),
            question: Mutex::new(Question::None),
        }
    }

    /// Sets the event's question.
    pub(crate) fn asking(mut self, question: Question) -> Self {
        self.question = Mutex::new(question);
        self
    }

    /// Wraps the event for modules and the host.
    pub(crate) fn shared(self) -> SharedEvent {
        Arc::new(Handle::new(self))
    }

    /// Takes the question out of the event; the caller answers it.
    pub(crate) fn take_question(&self) -> Question {
        std::mem::replace(&mut *lock(&self.question), Question::Answered)
    }

    pub(crate) fn arg(&self, at: usize) -> Option<&str> {
        let (start, len) = *self.content.args.get(at)?;
        self.content.data.get(start..start + len)
    }
}

/// Takes the client's event out of the host's, with the id of the ack that the client still waits for. The caller answers.
pub(crate) fn take_event(mut event: SharedEvent) -> (Box<str>, Vec<Bytes>, Option<u64>) {
    let ack = match event.take_question() {
        Question::Ack(id) => Some(id),
        _ => None,
    };
    // An event that somebody retained stays readable.
    let content = match Arc::get_mut(&mut event) {
        Some(own) => std::mem::take(&mut own.content),
        None => event.content.clone(),
    };
    (content.data, content.attachments, ack)
}

impl Drop for HostEvent {
    fn drop(&mut self) {
        self.settle();
        if self.kind == kraken_ws_event_kind::Disconnect {
            self.owner.forget(self.socket);
        }
    }
}
