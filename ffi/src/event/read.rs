//! Accessors of an event.

use std::ffi::{CStr, c_char, c_void};
use std::sync::Arc;

use kraken_ws_core::{ClusterChange, RequestInfo};

use super::{HostEvent, kraken_ws_event, kraken_ws_event_kind};
use crate::border::{Handle, kraken_ws_bytes, kraken_ws_server, kraken_ws_str, text, value};

/// Reads a value of an event; `otherwise` for a null pointer.
///
/// # Safety
/// As [`Handle::get`].
pub(super) unsafe fn read<T: Copy>(
    event: *const kraken_ws_event,
    otherwise: T,
    of: impl FnOnce(&HostEvent) -> T,
) -> T {
    // SAFETY: the caller's promise is the same.
    value(otherwise, || unsafe { Handle::<HostEvent>::get(event) }.map_or(otherwise, |event| of(event)))
}

/// Reads a text of an event, empty for a null pointer.
///
/// # Safety
/// As [`Handle::get`].
pub(super) unsafe fn read_text(
    event: *const kraken_ws_event,
    of: impl FnOnce(&HostEvent) -> &str,
) -> kraken_ws_str {
    // SAFETY: the caller's promise is the same.
    unsafe { read(event, kraken_ws_str::EMPTY, |event| kraken_ws_str::view(of(event))) }
}

/// Keeps an event beyond its callback. Each retain needs one `kraken_ws_event_free`. Returns the event, or null
/// for null.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_retain(event: *const kraken_ws_event) -> *mut kraken_ws_event {
    value(std::ptr::null_mut(), || {
        // SAFETY: events live in an `Arc`, whose count is raised; the pointer is of one by contract.
        unsafe {
            if Handle::<HostEvent>::get(event).is_err() {
                return std::ptr::null_mut();
            }
            Arc::increment_strong_count(event.cast::<Handle<HostEvent>>());
        }
        event.cast_mut()
    })
}

/// Frees an event of `kraken_ws_server_poll` or `kraken_ws_event_retain`; null is fine. A question that
/// has no answer yet is answered with no: a pending connect or request is refused, an HTTP request gets 404, an ack is
/// not sent.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_free(event: *mut kraken_ws_event) {
    value((), || {
        // SAFETY: the host gives back one count that it has by contract.
        unsafe {
            if Handle::<HostEvent>::get(event).is_ok() {
                Arc::decrement_strong_count(event.cast_const().cast::<Handle<HostEvent>>());
            }
        }
    });
}

/// The kind of the event.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_get_kind(event: *const kraken_ws_event) -> kraken_ws_event_kind {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, kraken_ws_event_kind::None, |event| event.kind) }
}

/// The server of the event.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_server(event: *const kraken_ws_event) -> *mut kraken_ws_server {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, std::ptr::null_mut(), |event| event.owner.server()) }
}

/// The socket's number, 0 if the event is not about a socket. A number returns after 16 million connections in the same
/// slot of a thread.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_socket(event: *const kraken_ws_event) -> u64 {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, |event| event.socket) }
}

/// The socket's public id, `socket.id` in its client: 20 characters; for an Engine.IO 3 client its namespace and session
/// id.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_socket_id(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read_text(event, |event| &event.id) }
}

/// The pointer that the host attached with `kraken_ws_server_socket_set_user`, or null.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_user(event: *const kraken_ws_event) -> *mut c_void {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, std::ptr::null_mut(), |event| event.owner.user(event.socket)) }
}

/// The socket's namespace, with the leading `/`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_namespace(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read_text(event, |event| &event.namespace) }
}

/// The name of the event that the client sent.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_name(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read_text(event, |event| &event.content.name) }
}

/// Whether the client's event is called `name`, which ends with a NUL.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_is(event: *const kraken_ws_event, name: *const c_char) -> bool {
    // SAFETY: event and name are as the header asks for.
    unsafe {
        read(event, false, |event| {
            !name.is_null() && CStr::from_ptr(name).to_bytes() == event.content.name.as_bytes()
        })
    }
}

/// Number of arguments.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_arg_count(event: *const kraken_ws_event) -> usize {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, |event| event.content.args.len()) }
}

/// JSON text of one argument, empty beyond the last. A buffer in it is
/// `{"_placeholder":true,"num":N}`, and is attachment N.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_arg(event: *const kraken_ws_event, at: usize) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read_text(event, |event| event.arg(at).unwrap_or_default()) }
}

/// Number of attachments.
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

/// The number of the emit or publish that this acknowledges, as its call gave it.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_ack_id(event: *const kraken_ws_event) -> u64 {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, |event| event.ack_id) }
}

/// Whether the time-out passed before all answers had come.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_timed_out(event: *const kraken_ws_event) -> bool {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, false, |event| event.timed_out) }
}

/// Number of clients that a publish with ack went to, or of nodes that a server-side emit went to.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_expected(event: *const kraken_ws_event) -> usize {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, |event| event.expected) }
}

/// Why the socket ended: one of `KRAKEN_WS_REASON_…`. For a `DISCONNECT`, and for an `ACK` that will not come because the
/// socket ended; else -1.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_reason(event: *const kraken_ws_event) -> i32 {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, -1, |event| event.reason.map_or(-1, |reason| reason as i32)) }
}

/// The reason in socket.io's words, such as `transport close`; for `CLUSTER`, why the connection is down.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_reason_text(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe {
        read_text(event, |event| match (&event.cluster, event.reason) {
            (Some(ClusterChange::Down { reason }), _) => reason,
            (_, reason) => reason.map_or("", |reason| reason.as_str()),
        })
    }
}

/// The client's `auth`: JSON text of an object, or empty.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_auth(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read_text(event, |event| &event.auth) }
}

/// The peer's address of a connect or a request, empty for a Unix socket.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_address(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { request(event, |request| &request.address) }
}

/// The HTTP method of a connect or a request.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_method(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { request(event, |request| &request.method) }
}

/// Path and query of a connect or a request, as received.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_url(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { request(event, |request| &request.url) }
}

/// The first header of a connect or a request with this name, which is in lower case; empty if there is none.
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

/// Reads a text of the request of a connect.
///
/// # Safety
/// As [`Handle::get`].
unsafe fn request(event: *const kraken_ws_event, of: impl FnOnce(&RequestInfo) -> &str) -> kraken_ws_str {
    // SAFETY: the caller's promise is the same.
    unsafe { read_text(event, |event| event.request.as_deref().map_or("", of)) }
}
