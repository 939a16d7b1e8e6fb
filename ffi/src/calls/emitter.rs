//! Publishing to a fleet from a process without clients.

use std::time::Duration;

use kraken_ws_core::{ClusterOptions, Disconnect, Emitter, Target};

use super::figures::kraken_ws_cluster_stats;
use super::stats::write_cluster_stats;
use super::target::{kraken_ws_target, read_target};
use crate::border::{
    Handle, Handled, Lasting, block_on, buffers, call, emit_flags, kraken_ws_bytes, kraken_ws_status,
    kraken_ws_str, message, on_own_thread, out, parse_json, text, texts,
};

/// Publishes to all nodes of a fleet from a process without clients. Every function that takes one may be called from
/// any thread. What remains of one after `kraken_ws_emitter_free` is kept, as of a server.
#[repr(C)]
pub struct kraken_ws_emitter {
    _private: [u8; 0],
}

/// The value behind a `kraken_ws_emitter`.
type EmitterHandle = Handle<Lasting<Emitter>>;

impl Handled for Lasting<Emitter> {
    type Opaque = kraken_ws_emitter;
    const MAGIC: u64 = 0x6b72_616b_656e_656d;
    const KIND: &'static str = "emitter";
    const MADE_BY: &'static str = "kraken_ws_emitter_new";
}

/// Name of a namespace; the empty name is `/`.
fn full(nsp: &str) -> &str {
    if nsp.is_empty() { "/" } else { nsp }
}

/// Makes an emitter; `options` is the JSON object of the option `cluster`, `{"redis":"redis://127.0.0.1"}` for example. With
/// `waitForRedis` the call returns when Redis is connected; without it, messages wait until then, up to `queueBytes`.
///
/// Errors: `OPTION`, `PAYLOAD` (no JSON), `REDIS` (with `waitForRedis`), `SYSTEM`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_emitter_new(
    options: kraken_ws_str,
    emitter: *mut *mut kraken_ws_emitter,
) -> kraken_ws_status {
    // SAFETY: text and result are as the header asks for.
    call(|| unsafe {
        let out = out(emitter, "emitter")?;
        out.write(std::ptr::null_mut());
        let options = ClusterOptions::from_json(&parse_json(text(options, "options")?, "options")?)?;
        out.write(Handle::lasting(on_own_thread(|| Emitter::new(options))?).pointer());
        Ok(())
    })
}

/// Sends an event to the sockets of a target on all nodes, as `kraken_ws_server_publish`. The call does not wait.
///
/// Errors: `PAYLOAD`, `NAME` (a reserved event name), `UNSUPPORTED` (unknown flags), `GONE`, `FORKED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_emitter_publish(
    emitter: *mut kraken_ws_emitter,
    target: *const kraken_ws_target,
    event: kraken_ws_str,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
) -> kraken_ws_status {
    // SAFETY: handle, target, texts and buffers are as the header asks for.
    call(|| unsafe {
        let to = read_target(target)?;
        let data = message(text(event, "event")?, text(payload, "payload")?, to.flags)?;
        let (buffers, flags) = (buffers(attachments, attachments_len)?, emit_flags(to.flags)?);
        EmitterHandle::with(emitter, |emitter| {
            emitter.publish(full(to.nsp), to.target, &data, buffers, flags)
        })
    })
}

/// Puts the sockets of a target on all nodes into rooms.
///
/// Errors: `GONE`, `FORKED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_emitter_sockets_join(
    emitter: *mut kraken_ws_emitter,
    target: *const kraken_ws_target,
    rooms: *const kraken_ws_str,
    rooms_len: usize,
) -> kraken_ws_status {
    // SAFETY: handle, target and texts are as the header asks for.
    unsafe { move_sockets(emitter, target, rooms, rooms_len, Emitter::sockets_join) }
}

/// Takes the sockets of a target on all nodes out of rooms.
///
/// Errors: `GONE`, `FORKED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_emitter_sockets_leave(
    emitter: *mut kraken_ws_emitter,
    target: *const kraken_ws_target,
    rooms: *const kraken_ws_str,
    rooms_len: usize,
) -> kraken_ws_status {
    // SAFETY: handle, target and texts are as the header asks for.
    unsafe { move_sockets(emitter, target, rooms, rooms_len, Emitter::sockets_leave) }
}

/// # Safety
/// Handle, target and texts are as the header asks for.
unsafe fn move_sockets(
    emitter: *mut kraken_ws_emitter,
    target: *const kraken_ws_target,
    rooms: *const kraken_ws_str,
    rooms_len: usize,
    act: fn(&Emitter, &str, Target, &[&str]),
) -> kraken_ws_status {
    // SAFETY: the caller's promise is the same.
    call(|| unsafe {
        let (to, rooms) = (read_target(target)?, texts(rooms, rooms_len, "rooms")?);
        EmitterHandle::with(emitter, |emitter| {
            act(emitter, full(to.nsp), to.target, &rooms);
            Ok(())
        })
    })
}

/// Disconnects the sockets of a target on all nodes. With `close` their connections end too.
///
/// Errors: `GONE`, `FORKED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_emitter_disconnect_sockets(
    emitter: *mut kraken_ws_emitter,
    target: *const kraken_ws_target,
    close: bool,
) -> kraken_ws_status {
    // SAFETY: handle and target are as the header asks for.
    call(|| unsafe {
        let to = read_target(target)?;
        EmitterHandle::with(emitter, |emitter| {
            emitter.disconnect_sockets(full(to.nsp), to.target, Disconnect::from_close(close));
            Ok(())
        })
    })
}

/// Sends an event to the hosts of all nodes, as `kraken_ws_server_side_emit`.
///
/// Errors: `PAYLOAD`, `NAME` (a reserved event name), `GONE`, `FORKED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_emitter_server_side_emit(
    emitter: *mut kraken_ws_emitter,
    nsp: kraken_ws_str,
    event: kraken_ws_str,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
    flags: u32,
) -> kraken_ws_status {
    // SAFETY: handle, texts and buffers are as the header asks for.
    call(|| unsafe {
        let nsp = text(nsp, "nsp")?;
        let data = message(text(event, "event")?, text(payload, "payload")?, flags)?;
        let buffers = buffers(attachments, attachments_len)?;
        EmitterHandle::with(emitter, |emitter| emitter.server_side_emit(full(nsp), &data, buffers))
    })
}

/// Waits until Redis has confirmed all messages sent so far.
///
/// Errors: `TIMEOUT` (not within `timeout_ms`; the message says what is in the way), `GONE`, `FORKED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_emitter_flush(
    emitter: *mut kraken_ws_emitter,
    timeout_ms: u32,
) -> kraken_ws_status {
    // SAFETY: the handle is as the header asks for.
    call(|| unsafe {
        EmitterHandle::with(emitter, |emitter| {
            block_on(emitter.flush(Duration::from_millis(timeout_ms.into())))
        })
    })
}

/// Reads the figures of an emitter.
///
/// Errors: `GONE`, `FORKED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_emitter_stats(
    emitter: *mut kraken_ws_emitter,
    stats: *mut kraken_ws_cluster_stats,
) -> kraken_ws_status {
    // SAFETY: handle and struct are as the header asks for.
    call(|| unsafe {
        write_cluster_stats(stats, || EmitterHandle::with(emitter, |emitter| Ok(emitter.stats())))
    })
}

/// Frees an emitter; null is fine. Queued messages are sent first, for at most `redisTimeout`.
///
/// Errors: `GONE` (freed before), `FORKED` (nothing is done in a child process), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_emitter_free(emitter: *mut kraken_ws_emitter) -> kraken_ws_status {
    call(|| {
        if emitter.is_null() {
            return Ok(());
        }
        // SAFETY: the handle is as the header asks for.
        unsafe {
            EmitterHandle::with(emitter, |_| Ok(()))?;
            EmitterHandle::get(emitter)?.end()
        }
    })
}
