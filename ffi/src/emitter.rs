//! Publishing to a fleet from a process without clients.

use std::sync::Mutex;
use std::time::Duration;

use kraken_ws_core::{ClusterOptions, Emitter, Error, ErrorCode, Result};

use crate::asks::{aside, block_on};
use crate::fleet::{kraken_ws_cluster_stats, write_stats};
use crate::fork;
use crate::inbox::lock;
use crate::life::Life;
use crate::options::parse;
use crate::payload::{emit_flags, message};
use crate::send::{kraken_ws_target, to};
use crate::status::{call, kraken_ws_status};
use crate::text::{bad, buffers, kraken_ws_bytes, kraken_ws_str, out, text, texts};

#[repr(C)] // `magic` stands first, as in every handle
/// A way to all nodes of a fleet from a process that has no clients. Every function that takes one may be called from
/// any thread. What remains of one after `kraken_ws_emitter_free` is kept, as of a server.
pub struct kraken_ws_emitter {
    magic: u64,
    /// The process that made it.
    generation: u32,
    life: Life<Emitter>,
}

const MAGIC: u64 = 0x6b72_616b_656e_656d;

/// Handles are never deallocated; leak checkers find them here.
static HANDLES: Mutex<Vec<&'static kraken_ws_emitter>> = Mutex::new(Vec::new());

/// # Safety
/// A pointer that is not null comes from `kraken_ws_emitter_new`.
unsafe fn get(emitter: *const kraken_ws_emitter) -> Result<&'static kraken_ws_emitter> {
    if emitter.is_null() || !emitter.is_aligned() {
        return Err(bad("emitter", "a null pointer"));
    }
    // SAFETY: handles live as long as the process; the magic number catches a handle of another kind.
    match unsafe { &*emitter } {
        emitter if emitter.magic == MAGIC => {
            fork::check(emitter.generation)?;
            Ok(emitter)
        }
        _ => Err(bad("emitter", "the pointer is not of kraken_ws_emitter_new")),
    }
}

/// # Safety
/// As [`get`].
unsafe fn with<T>(emitter: *const kraken_ws_emitter, act: impl FnOnce(&Emitter) -> Result<T>) -> Result<T> {
    // SAFETY: the caller's promise is the same.
    let emitter = unsafe { get(emitter)? };
    match emitter.life.enter() {
        Some(emitter) => act(&emitter),
        None => Err(gone()),
    }
}

fn gone() -> Error {
    Error::new(ErrorCode::Gone, "the emitter has been freed")
}

fn full(nsp: &str) -> &str {
    if nsp.is_empty() { "/" } else { nsp }
}

/// Makes an emitter; `options` is the JSON object of the option `cluster`, `{"redis":"redis://127.0.0.1"}` for example. With
/// `waitForRedis` it returns when Redis is there; else what is sent meanwhile waits, up to `queueBytes`.
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
        let options = ClusterOptions::from_json(&parse(text(options, "options")?, "options")?)?;
        let life = Life::new(aside(|| Emitter::new(options))?);
        let handle = kraken_ws_emitter { magic: MAGIC, generation: fork::generation(), life };
        let handle: &'static kraken_ws_emitter = Box::leak(Box::new(handle));
        lock(&HANDLES).push(handle);
        out.write(std::ptr::from_ref(handle).cast_mut());
        Ok(())
    })
}

/// Sends an event to the clients of all nodes that `target` means; as `kraken_ws_server_publish`. The call does not wait.
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
        let to = to(target)?;
        let data = message(text(event, "event")?, text(payload, "payload")?, to.flags)?;
        let (buffers, flags) = (buffers(attachments, attachments_len)?, emit_flags(to.flags)?);
        with(emitter, |emitter| emitter.publish(full(to.nsp), to.target, &data, buffers, flags))
    })
}

/// Puts everybody on all nodes whom `target` means into rooms.
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
    call(|| unsafe {
        let (to, rooms) = (to(target)?, texts(rooms, rooms_len, "rooms")?);
        with(emitter, |emitter| {
            emitter.sockets_join(full(to.nsp), to.target, &rooms);
            Ok(())
        })
    })
}

/// Takes everybody on all nodes whom `target` means out of rooms.
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
    call(|| unsafe {
        let (to, rooms) = (to(target)?, texts(rooms, rooms_len, "rooms")?);
        with(emitter, |emitter| {
            emitter.sockets_leave(full(to.nsp), to.target, &rooms);
            Ok(())
        })
    })
}

/// Ends everybody on all nodes whom `target` means; with `close` their whole connections.
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
        let to = to(target)?;
        with(emitter, |emitter| {
            emitter.disconnect_sockets(full(to.nsp), to.target, close);
            Ok(())
        })
    })
}

/// Sends an event to the hosts of all nodes, as `kraken_ws_server_server_side_emit`.
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
        with(emitter, |emitter| emitter.server_side_emit(full(nsp), &data, buffers))
    })
}

/// Waits until Redis has confirmed all that was sent so far.
///
/// Errors: `TIMEOUT` (not within `timeout_ms`; the message says what is in the way), `GONE`, `FORKED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_emitter_flush(
    emitter: *mut kraken_ws_emitter,
    timeout_ms: u32,
) -> kraken_ws_status {
    // SAFETY: the handle is as the header asks for.
    call(|| unsafe {
        with(emitter, |emitter| block_on(emitter.flush(Duration::from_millis(timeout_ms.into()))))
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
    call(|| unsafe { write_stats(stats, || with(emitter, |emitter| Ok(emitter.stats()))) })
}

/// Frees an emitter; null is fine. What waits is sent first, within the time that one answer of Redis may take.
///
/// Errors: `GONE` (freed before), `FORKED` (nothing is done in a child process), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_emitter_free(emitter: *mut kraken_ws_emitter) -> kraken_ws_status {
    call(|| {
        if emitter.is_null() {
            return Ok(());
        }
        // SAFETY: the handle is as the header asks for.
        if unsafe { get(emitter)? }.life.free() { Ok(()) } else { Err(gone()) }
    })
}
