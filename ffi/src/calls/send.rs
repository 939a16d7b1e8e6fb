//! Sending of events to clients.

use std::time::Duration;

use bytes::Bytes;
use kraken_ws_core::{Namespace, Result, Target};

use super::target::{kraken_ws_target, read_target, timeout};
use crate::border::{
    buffers, call, emit_flags, kraken_ws_bytes, kraken_ws_server, kraken_ws_status, kraken_ws_str, message,
    out, text,
};
use crate::server::{Host, handle, process_wide, with};

/// An event for clients: its JSON text and attachments, checked.
struct Outgoing {
    data: String,
    attachments: Vec<Bytes>,
    flags: u32,
}

/// Reads the arguments of a send.
///
/// # Safety
/// Texts and buffers are readable.
unsafe fn read_outgoing(
    event: kraken_ws_str,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
    flags: u32,
) -> Result<Outgoing> {
    // SAFETY: the caller's promise is the same.
    unsafe {
        Ok(Outgoing {
            data: message(text(event, "event")?, text(payload, "payload")?, flags)?,
            attachments: buffers(attachments, attachments_len)?,
            flags,
        })
    }
}

fn publish(host: &Host, nsp: &str, target: Target, outgoing: Outgoing) -> Result<()> {
    let flags = emit_flags(outgoing.flags)?;
    let send = |namespace: &Namespace, _| {
        host.server.publish(namespace, target, &outgoing.data, outgoing.attachments, flags)
    };
    host.namespaces.with(nsp, send)
}

/// Sends an event to everybody in a room of the process-wide server (`kraken_ws_set_server`), in the main
/// namespace. `payload` is JSON text of the one argument, or empty for none. The message is encoded once and
/// queued for the threads of the server: the call does not wait, and its cost does not depend on the number of
/// members.
///
/// Errors: `STATE` (no server set), `PAYLOAD` (no JSON), `NAME` (a reserved event name), `QUEUE_FULL` (past
/// `commandQueueBytes`; nothing was sent), `CLOSED`, `GONE`, `FORKED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_send_to_room(
    room: kraken_ws_str,
    event: kraken_ws_str,
    payload: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: the texts are as the header asks for, and the handle was checked when it was set.
    call(|| unsafe {
        let outgoing = read_outgoing(event, payload, std::ptr::null(), 0, 0)?;
        let target = Target::room(text(room, "room")?);
        with(process_wide()?, |host| publish(host, "", target, outgoing))
    })
}

/// Sends an event to everybody in the main namespace of the process-wide server. Else as
/// `kraken_ws_send_to_room`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_send_to_all(
    event: kraken_ws_str,
    payload: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: as in `kraken_ws_send_to_room`.
    call(|| unsafe {
        let outgoing = read_outgoing(event, payload, std::ptr::null(), 0, 0)?;
        with(process_wide()?, |host| publish(host, "", Target::all(), outgoing))
    })
}

/// `kraken_ws_send_to_room` on a given server, with attachments: where one belongs, the payload has
/// `{"_placeholder":true,"num":N}`. They are copied; null and 0 is none.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_send_to_room(
    server: *mut kraken_ws_server,
    room: kraken_ws_str,
    event: kraken_ws_str,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
) -> kraken_ws_status {
    // SAFETY: handle, texts and buffers are as the header asks for.
    call(|| unsafe {
        let outgoing = read_outgoing(event, payload, attachments, attachments_len, 0)?;
        let target = Target::room(text(room, "room")?);
        with(server, |host| publish(host, "", target, outgoing))
    })
}

/// `kraken_ws_send_to_all` on a given server, with attachments as in `kraken_ws_server_send_to_room`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_send_to_all(
    server: *mut kraken_ws_server,
    event: kraken_ws_str,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
) -> kraken_ws_status {
    // SAFETY: handle, texts and buffers are as the header asks for.
    call(|| unsafe {
        let outgoing = read_outgoing(event, payload, attachments, attachments_len, 0)?;
        with(server, |host| publish(host, "", Target::all(), outgoing))
    })
}

/// Sends an event to the sockets of a target; null means all of the main namespace. `payload` is JSON of the one
/// argument, or with `KRAKEN_WS_FLAG_SPREAD` an array of all; attachments as in `kraken_ws_server_send_to_room`.
///
/// Errors: those of `kraken_ws_send_to_room`, `NAME` (no such namespace), `UNSUPPORTED` (unknown flags).
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_publish(
    server: *mut kraken_ws_server,
    target: *const kraken_ws_target,
    event: kraken_ws_str,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
) -> kraken_ws_status {
    // SAFETY: handle, target, texts and buffers are as the header asks for.
    call(|| unsafe {
        let to = read_target(target)?;
        let outgoing = read_outgoing(event, payload, attachments, attachments_len, to.flags)?;
        with(server, |host| publish(host, to.nsp, to.target, outgoing))
    })
}

/// `kraken_ws_server_publish` with acks: an event of the kind `BROADCAST_ACK` brings all answers, or after `timeout_ms`
/// those that came. The number of the ack goes to `*ack_id`.
///
/// Errors: those of `kraken_ws_server_publish`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_publish_with_ack(
    server: *mut kraken_ws_server,
    target: *const kraken_ws_target,
    event: kraken_ws_str,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
    timeout_ms: u32,
    ack_id: *mut u64,
) -> kraken_ws_status {
    // SAFETY: handle, target, texts, buffers and result are as the header asks for.
    call(|| unsafe {
        let (to, ack_id) = (read_target(target)?, out(ack_id, "ack_id")?);
        let outgoing = read_outgoing(event, payload, attachments, attachments_len, to.flags)?;
        let flags = emit_flags(outgoing.flags)?;
        let timeout = Duration::from_millis(timeout_ms.into());
        with(server, |host| {
            let send = |namespace: &Namespace, _| {
                let (data, buffers) = (&outgoing.data, outgoing.attachments);
                host.server.publish_with_ack(namespace, to.target, data, buffers, flags, timeout)
            };
            ack_id.write(host.namespaces.with(to.nsp, send)?);
            Ok(())
        })
    })
}

/// Sends an event to one socket. A socket that is gone is no error.
///
/// Errors: those of `kraken_ws_server_publish`, `GONE` (the number is of no socket of this server).
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_socket_emit(
    server: *mut kraken_ws_server,
    socket: u64,
    event: kraken_ws_str,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
    flags: u32,
) -> kraken_ws_status {
    // SAFETY: handle, texts and buffers are as the header asks for.
    call(|| unsafe {
        let outgoing = read_outgoing(event, payload, attachments, attachments_len, flags)?;
        let flags = emit_flags(flags)?;
        with(server, |host| {
            host.namespaces.of(socket, |namespace| {
                host.server.emit(namespace, handle(socket), &outgoing.data, outgoing.attachments, flags)
            })
        })
    })
}

/// `kraken_ws_server_socket_emit` with an ack: an event of the kind `ACK` brings the answer, or says that there is none, after
/// `timeout_ms` or when the socket ends, before its `DISCONNECT`. With 0 it waits as long as the socket lives,
/// and there is no event when that ends. The number of the ack goes to `*ack_id`.
///
/// Errors: those of `kraken_ws_server_socket_emit`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_socket_emit_with_ack(
    server: *mut kraken_ws_server,
    socket: u64,
    event: kraken_ws_str,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
    flags: u32,
    timeout_ms: u32,
    ack_id: *mut u64,
) -> kraken_ws_status {
    // SAFETY: handle, texts, buffers and result are as the header asks for.
    call(|| unsafe {
        let ack_id = out(ack_id, "ack_id")?;
        let outgoing = read_outgoing(event, payload, attachments, attachments_len, flags)?;
        let flags = emit_flags(flags)?;
        let timeout = timeout(timeout_ms);
        with(server, |host| {
            let id = host.namespaces.of(socket, |namespace| {
                let (data, buffers) = (&outgoing.data, outgoing.attachments);
                host.server.emit_with_ack(namespace, handle(socket), data, buffers, flags, timeout)
            })?;
            ack_id.write(id);
            Ok(())
        })
    })
}
