//! One event as the host reads it. How it is answered is in `answer.rs`.

use std::ffi::c_void;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use kraken_ws_core::socketio::packet::json::replace_placeholders;
use kraken_ws_core::{
    ClusterChange, Decision, EngineReply, HttpReply, Reason, Reply, RequestInfo, Result, RoomChange,
};

use crate::host::Host;
use crate::server::kraken_ws_server;
use crate::status::value;
use crate::text::{bad, kraken_ws_bytes, kraken_ws_str, text};

/// What an event is about.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum kraken_ws_event_kind {
    /// No event: the pointer was null.
    None = 0,
    /// A client joined a namespace, or asks to: see `kraken_ws_event_is_pending`.
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
    /// A socket is gone: `_reason`.
    Disconnect = 5,
    /// A request outside the path of Socket.IO: `_method`, `_url`, `_header`; its body is attachment 0.
    /// Answer it with `kraken_ws_event_reply`, else it gets 404.
    Http = 6,
    /// The server has ended: the last event of a poll.
    Closed = 7,
    /// A handshake waits for a word, before anything of Socket.IO: `kraken_ws_event_allow` with headers for its
    /// response, or `kraken_ws_event_refuse`.
    AllowRequest = 8,
    /// A later polling request, or the one that upgrades to WebSocket: `kraken_ws_event_allow` gives headers for
    /// its response. It can't be refused.
    Headers = 9,
    /// A request under the path of Socket.IO, before anything is read from it: `kraken_ws_event_allow` lets it go on
    /// with headers for whatever answers it, `kraken_ws_event_reply` answers it, `kraken_ws_event_refuse` is a 400.
    Engine = 10,
    /// A room of this process changed: `_room`, `_room_change`; `_socket` is who, for joins and leaves.
    Room = 11,
    /// The host of another node sent an event to the hosts: `_name`, `_arg`, `_attachment`; `kraken_ws_event_ack` if
    /// `_wants_ack`.
    ServerSide = 12,
    /// The answers to `kraken_ws_server_server_side_emit_with_ack`, as in `BROADCAST_ACK`: `_expected` is how many nodes were
    /// asked, `_missing` how many did not answer.
    ServerSideAck = 13,
    /// The connection to the other nodes changed: `_cluster_change`.
    Cluster = 14,
    /// With `connectionStateRecovery`: the client of the socket `_socket_id`, which has disconnected, can't come back to it any
    /// more.
    SessionEnd = 15,
}

#[repr(C)] // `magic` stands first, as in every handle
/// One event. What its functions return is valid until the event is freed, or, in a callback, until the callback
/// returns. All of them may be called from any thread.
pub struct kraken_ws_event {
    magic: u64,
    pub(crate) host: Arc<Host>,
    pub(crate) kind: kraken_ws_event_kind,
    pub(crate) socket: u64,
    pub(crate) id: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) content: Content,
    /// Of the ack that it is.
    pub(crate) ack_id: u64,
    pub(crate) timed_out: bool,
    pub(crate) expected: usize,
    pub(crate) reason: Option<Reason>,
    pub(crate) request: Option<Arc<RequestInfo>>,
    /// JSON of the CONNECT payload, or empty.
    pub(crate) auth: Box<str>,
    pub(crate) room: Option<(RoomChange, Box<str>)>,
    pub(crate) cluster: Option<ClusterChange>,
    /// Other nodes that did not answer, and the names of those that are known by name.
    pub(crate) missing: usize,
    pub(crate) missing_nodes: Vec<Box<str>>,
    pub(crate) answer: Mutex<Answer>,
}

/// What a client sent.
#[derive(Clone, Default)]
pub(crate) struct Content {
    pub(crate) name: Box<str>,
    /// Where the JSON text of each argument is in `data`.
    pub(crate) args: Vec<(usize, usize)>,
    pub(crate) data: Box<str>,
    pub(crate) attachments: Vec<Bytes>,
}

/// What the event asks for.
pub(crate) enum Answer {
    /// Nothing.
    None,
    /// It has been given.
    Done,
    /// Whether the socket comes in.
    Connect,
    /// An ack of this number.
    Ack(u64),
    /// An ack for another node: one argument.
    ServerSide(Reply<(Box<str>, Vec<Bytes>)>),
    /// An HTTP response.
    Http(Reply<HttpReply>),
    /// Whether a handshake goes on.
    Allow(Reply<Decision>),
    /// Headers for a response.
    Headers(Reply<Vec<(String, String)>>),
    /// Whether an engine request goes on.
    Engine(Reply<EngineReply>),
}

const MAGIC: u64 = 0x6b72_616b_656e_6576;

impl Content {
    /// From a JSON array; with `named`, the first item is the event's name.
    pub(crate) fn new(data: Box<str>, attachments: Vec<Bytes>, named: bool) -> Self {
        let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(&data).unwrap_or_default();
        let start = data.as_ptr() as usize;
        let mut args: Vec<(usize, usize)> =
            items.iter().map(|item| (item.get().as_ptr() as usize - start, item.get().len())).collect();
        let mut name = Box::default();
        if named && !items.is_empty() {
            args.remove(0);
            // A number is a name too, as in socket.io.
            let first = items[0].get();
            name =
                serde_json::from_str::<String>(first).map_or_else(|_| first.into(), String::into_boxed_str);
        }
        Self { name, args, data, attachments }
    }

    /// JSON text of the first item of a JSON array, `null` if it has none.
    pub(crate) fn first(data: &str) -> Box<str> {
        let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(data).unwrap_or_default();
        items.first().map_or("null", |item| item.get()).into()
    }

    /// From the answers to a question that went to several: the first argument of each.
    pub(crate) fn of_answers(answers: Vec<(Box<str>, Vec<Bytes>)>) -> Self {
        let (mut data, mut attachments) = (String::from("["), Vec::new());
        for (i, (answer, buffers)) in answers.into_iter().enumerate() {
            data.push_str(if i > 0 { "," } else { "" });
            match attachments.len() {
                before if before > 0 && !buffers.is_empty() => data.push_str(&renumbered(&answer, before)),
                _ => data.push_str(&answer),
            }
            attachments.extend(buffers);
        }
        data.push(']');
        Self::new(data.into(), attachments, false)
    }
}

/// JSON whose placeholders count attachments from `first` on: those of the answers before come first.
fn renumbered(json: &str, first: usize) -> String {
    replace_placeholders(json, |num, out| {
        let _ = write!(out, r#"{{"_placeholder":true,"num":{}}}"#, num + first);
    })
}

impl kraken_ws_event {
    pub(crate) fn new(host: &Arc<Host>, kind: kraken_ws_event_kind) -> Self {
        Self {
            magic: MAGIC,
            host: host.clone(),
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
            answer: Mutex::new(Answer::None),
        }
    }

    /// Gives back what the client sent, and the number of the ack that it still wants; that is then for others to give.
    pub(crate) fn give_back(mut self: Arc<Self>) -> (Box<str>, Vec<Bytes>, Option<u64>) {
        let ack = match self.hand_over() {
            Answer::Ack(id) => Some(id),
            _ => None,
        };
        // What is kept stays readable.
        let content = match Arc::get_mut(&mut self) {
            Some(own) => std::mem::take(&mut own.content),
            None => self.content.clone(),
        };
        (content.data, content.attachments, ack)
    }

    /// The question, which is no longer the event's.
    pub(crate) fn hand_over(&self) -> Answer {
        std::mem::replace(&mut *self.answer.lock().unwrap_or_else(PoisonError::into_inner), Answer::Done)
    }

    pub(crate) fn arg(&self, at: usize) -> Option<&str> {
        let (start, len) = *self.content.args.get(at)?;
        self.content.data.get(start..start + len)
    }
}

impl Drop for kraken_ws_event {
    fn drop(&mut self) {
        self.magic = 0;
        self.settle();
        if self.kind == kraken_ws_event_kind::Disconnect {
            self.host.sockets.remove(self.socket);
        }
    }
}

/// The event as Rust sees it.
///
/// # Safety
/// A pointer that is not null comes from the library, and the event was not freed.
pub(crate) unsafe fn get<'a>(event: *const kraken_ws_event) -> Result<&'a kraken_ws_event> {
    if event.is_null() || !event.is_aligned() {
        return Err(bad("event", "a null pointer"));
    }
    // SAFETY: the caller's promise; the magic number catches a handle of another kind.
    match unsafe { &*event } {
        event if event.magic == MAGIC => Ok(event),
        _ => Err(bad("event", "the pointer is not of an event")),
    }
}

/// Reads one thing of an event; `otherwise` for a null pointer.
///
/// # Safety
/// As [`get`].
pub(crate) unsafe fn read<T: Copy>(
    event: *const kraken_ws_event,
    otherwise: T,
    of: impl FnOnce(&kraken_ws_event) -> T,
) -> T {
    // SAFETY: the caller's promise is the same.
    value(otherwise, || unsafe { get(event) }.map_or(otherwise, of))
}

/// Keeps an event beyond its callback. Each retain needs one `kraken_ws_event_free`. Returns the event, or null
/// for null.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_retain(event: *const kraken_ws_event) -> *mut kraken_ws_event {
    value(std::ptr::null_mut(), || {
        // SAFETY: events live in an `Arc`, whose count is raised; the pointer is of one by contract.
        unsafe {
            if get(event).is_err() {
                return std::ptr::null_mut();
            }
            Arc::increment_strong_count(event);
        }
        event.cast_mut()
    })
}

/// Frees an event of `kraken_ws_server_poll` or `kraken_ws_event_retain`; null is fine. A question that it asks and
/// that nobody answered is then answered with no: a pending connect or request is refused, an HTTP request gets 404, an
/// ack is not sent.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_free(event: *mut kraken_ws_event) {
    value((), || {
        // SAFETY: the host gives back one count that it has by contract.
        unsafe {
            if get(event).is_ok() {
                Arc::decrement_strong_count(event.cast_const());
            }
        }
    });
}

/// What the event is about.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_get_kind(event: *const kraken_ws_event) -> kraken_ws_event_kind {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, kraken_ws_event_kind::None, |event| event.kind) }
}

/// The server that the event is of.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_server(event: *const kraken_ws_event) -> *mut kraken_ws_server {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, std::ptr::null_mut(), |event| event.host.handle()) }
}

/// The socket's number, 0 if the event is of none. Numbers are not used again while the process lives long
/// enough to see 16 million connections on one thread's slot.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_socket(event: *const kraken_ws_event) -> u64 {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, |event| event.socket) }
}

/// The socket's public id, the `socket.id` of its client: 20 characters, or of an Engine.IO 3 client its namespace and
/// session id.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_socket_id(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, kraken_ws_str::EMPTY, |event| kraken_ws_str::view(&event.id)) }
}

/// The pointer that the host attached with `kraken_ws_server_socket_set_user`, or null.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_user(event: *const kraken_ws_event) -> *mut c_void {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, std::ptr::null_mut(), |event| event.host.sockets.user(event.socket)) }
}

/// The socket's namespace, with the leading `/`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_namespace(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, kraken_ws_str::EMPTY, |event| kraken_ws_str::view(&event.namespace)) }
}

/// The name of the event that the client sent.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_name(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, kraken_ws_str::EMPTY, |event| kraken_ws_str::view(&event.content.name)) }
}

/// Is the client's event called `name`? `name` ends with a NUL.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_is(
    event: *const kraken_ws_event,
    name: *const std::ffi::c_char,
) -> bool {
    // SAFETY: event and name are as the header asks for.
    unsafe {
        read(event, false, |event| {
            !name.is_null() && std::ffi::CStr::from_ptr(name).to_bytes() == event.content.name.as_bytes()
        })
    }
}

/// How many arguments there are.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_arg_count(event: *const kraken_ws_event) -> usize {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, |event| event.content.args.len()) }
}

/// JSON text of one argument, empty beyond the last. Where a buffer was, it has
/// `{"_placeholder":true,"num":N}`, and the buffer is attachment N.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_arg(event: *const kraken_ws_event, at: usize) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe {
        read(event, kraken_ws_str::EMPTY, |event| {
            event.arg(at).map_or(kraken_ws_str::EMPTY, kraken_ws_str::view)
        })
    }
}

/// How many attachments there are.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_attachment_count(event: *const kraken_ws_event) -> usize {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, |event| event.content.attachments.len()) }
}

/// One attachment, empty beyond the last.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_attachment(
    event: *const kraken_ws_event,
    at: usize,
) -> kraken_ws_bytes {
    // SAFETY: the event is as the header asks for.
    unsafe {
        read(event, kraken_ws_bytes::EMPTY, |event| {
            event.content.attachments.get(at).map_or(kraken_ws_bytes::EMPTY, |b| kraken_ws_bytes::view(b))
        })
    }
}

/// Which emit or publish this acknowledges: the number that the call gave.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_ack_id(event: *const kraken_ws_event) -> u64 {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, |event| event.ack_id) }
}

/// The time for the ack was over before all of it was there.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_timed_out(event: *const kraken_ws_event) -> bool {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, false, |event| event.timed_out) }
}

/// How many clients a publish with ack went to, or how many nodes a server-side emit.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_expected(event: *const kraken_ws_event) -> usize {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, |event| event.expected) }
}

/// Why the socket is gone: one of `KRAKEN_WS_REASON_…`. Of a `DISCONNECT`, and of an `ACK` that says that there is none
/// because the socket ends; -1 else.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_reason(event: *const kraken_ws_event) -> i32 {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, -1, |event| event.reason.map_or(-1, |reason| reason as i32)) }
}

/// The reason in socket.io's words, `transport close` for example; of `CLUSTER`, why the connection is down.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_reason_text(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe {
        read(event, kraken_ws_str::EMPTY, |event| {
            if let Some(ClusterChange::Down { reason }) = &event.cluster {
                return kraken_ws_str::view(reason);
            }
            event.reason.map_or(kraken_ws_str::EMPTY, |reason| kraken_ws_str::view(reason.as_str()))
        })
    }
}

/// What the client gave as `auth`: JSON text of an object, or empty.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_auth(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, kraken_ws_str::EMPTY, |event| kraken_ws_str::view(&event.auth)) }
}

/// Of a connect or a request: the peer's address, empty for a Unix socket.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_address(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { request(event, |request| &request.address) }
}

/// Of a connect or a request: the method.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_method(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { request(event, |request| &request.method) }
}

/// Of a connect or a request: path and query as received.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_url(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { request(event, |request| &request.url) }
}

/// Of a connect or a request: the first header of that name, which is in lower case; empty if there is
/// none.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_header(
    event: *const kraken_ws_event,
    name: kraken_ws_str,
) -> kraken_ws_str {
    // SAFETY: event and name are as the header asks for.
    unsafe {
        request(event, |request| {
            text(name, "name").ok().and_then(|name| request.header(name)).unwrap_or_default()
        })
    }
}

/// A text of the request.
///
/// # Safety
/// As [`get`].
unsafe fn request(event: *const kraken_ws_event, of: impl FnOnce(&RequestInfo) -> &str) -> kraken_ws_str {
    // SAFETY: the caller's promise is the same.
    unsafe {
        read(event, kraken_ws_str::EMPTY, |event| {
            event.request.as_deref().map_or(kraken_ws_str::EMPTY, |request| kraken_ws_str::view(of(request)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_of_each_answer_point_at_its_own_attachments() {
        let placeholder = |num: u64| format!(r#"{{"_placeholder":true,"num":{num}}}"#);
        let answer = |n: u8| (placeholder(0).into(), vec![Bytes::from(vec![n])]);
        let content = Content::of_answers(vec![answer(1), ("null".into(), vec![]), answer(2)]);
        assert_eq!(&*content.data, format!("[{},null,{}]", placeholder(0), placeholder(1)));
        assert_eq!(content.attachments, [vec![1], vec![2]]);
    }

    #[test]
    fn answers_of_any_depth_point_at_their_own_attachments() {
        for depth in [1, 127, 128, 129, 511] {
            let nest = |num: u64| {
                let inner = format!(r#"{{"_placeholder":true,"num":{num}}}"#);
                format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth))
            };
            let answer = |byte: u8| (nest(0).into(), vec![Bytes::from(vec![byte])]);
            let content = Content::of_answers(vec![answer(1), answer(2)]);
            assert_eq!(&*content.data, format!("[{},{}]", nest(0), nest(1)), "{depth}");
            assert_eq!(content.attachments, [vec![1], vec![2]]);
        }
    }
}
