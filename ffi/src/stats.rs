//! Figures of a running server.

use serde_json::json;

use crate::server::{kraken_ws_server, with};
use crate::status::{call, kraken_ws_status};
use crate::text::bad;

/// Figures at one moment. Set `size` to `sizeof(kraken_ws_stats)` before the call; a version that knows fewer
/// members leaves the others as they are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_stats {
    /// `sizeof(kraken_ws_stats)`.
    pub size: usize,
    /// Connections that are open.
    pub connections: u64,
    /// Sockets: one per connection and namespace.
    pub sockets: u64,
    /// Rooms that have a member, without those named by a socket's id.
    pub rooms: u64,
    /// Events and acks received, ever.
    pub messages_in: u64,
    /// Packets queued for clients, ever: one per recipient.
    pub messages_out: u64,
    /// Payload bytes received, ever.
    pub bytes_in: u64,
    /// Payload bytes queued for clients, ever.
    pub bytes_out: u64,
    /// Connections closed because they did not read.
    pub slow_consumers: u64,
    /// Volatile packets that were dropped.
    pub volatile_dropped: u64,
    /// Bytes of events that wait for the host.
    pub host_queue_bytes: u64,
    /// Bytes of messages that wait for a thread of the server.
    pub command_queue_bytes: u64,
    /// Milliseconds since the server was made.
    pub uptime_ms: u64,
    /// Bytes that wait for clients which did not take them at once; a message for many counts once.
    pub outbox_bytes: u64,
    /// Of `slow_consumers`: took nothing for `outboxTimeout` while more than `maxOutboxBytes` waited.
    pub slow_stalled: u64,
    /// Of `slow_consumers`: more than `hardOutboxBytes` waited.
    pub slow_too_much: u64,
    /// Of `slow_consumers`: made the least progress when `totalOutboxBytes` was exceeded.
    pub slow_over_budget: u64,
    /// Bytes of answers to broadcasts with acks, and of other nodes, that are being collected.
    pub answer_bytes: u64,
    /// Answers that found no room (`maxAnswerBytes`), ever.
    pub answers_refused: u64,
    /// Panics that were caught on threads of the library, ever: each is a bug of it, and a line of `on_log`.
    pub panics: u64,
}

/// Reads the figures of a server.
///
/// Errors: `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_stats(
    server: *mut kraken_ws_server,
    stats: *mut kraken_ws_stats,
) -> kraken_ws_status {
    // SAFETY: handle and struct are as the header asks for.
    call(|| unsafe {
        if stats.is_null() || !stats.is_aligned() {
            return Err(bad("stats", "expected a pointer to the struct"));
        }
        let size = stats.cast::<usize>().read();
        if size < size_of::<usize>() * 2 {
            return Err(bad("stats", "size: expected sizeof(kraken_ws_stats)"));
        }
        let s = with(server, |host| Ok(host.server.stats()))?;
        let known = kraken_ws_stats {
            size,
            connections: s.connections,
            sockets: s.sockets,
            rooms: s.rooms,
            messages_in: s.messages_in,
            messages_out: s.messages_out,
            bytes_in: s.bytes_in,
            bytes_out: s.bytes_out,
            slow_consumers: s.slow_consumers,
            volatile_dropped: s.volatile_dropped,
            host_queue_bytes: s.host_queue_bytes,
            command_queue_bytes: s.command_queue_bytes,
            uptime_ms: s.uptime_ms,
            outbox_bytes: s.outbox_bytes,
            slow_stalled: s.slow_stalled,
            slow_too_much: s.slow_too_much,
            slow_over_budget: s.slow_over_budget,
            answer_bytes: s.answer_bytes,
            answers_refused: s.answers_refused,
            panics: s.panics,
        };
        // An older host has a shorter struct.
        let length = size.min(size_of::<kraken_ws_stats>());
        std::ptr::copy_nonoverlapping(std::ptr::from_ref(&known).cast::<u8>(), stats.cast::<u8>(), length);
        Ok(())
    })
}

/// The figures of the server's modules as JSON, for instance
/// `[{"name":"profanity","path":"…","calls":12,"dropped":1,"replaced":3,"rejected":0}]`. Copies it into `buf`,
/// NUL-terminated if it fits, and the length without the NUL into `*needed`; call with a `len` of 0 to ask.
///
/// Errors: `ARGUMENT` (also if it does not fit).
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_modules(
    server: *mut kraken_ws_server,
    buf: *mut std::ffi::c_char,
    len: usize,
    needed: *mut usize,
) -> kraken_ws_status {
    // SAFETY: handle and buffers are as the header asks for.
    call(|| unsafe {
        let needed = crate::text::out(needed, "needed")?;
        let modules = with(server, |host| Ok(host.modules.figures()))?;
        let figures: Vec<_> = modules
            .into_iter()
            .map(|f| {
                json!({
                    "name": &*f.name,
                    "path": f.path,
                    "calls": f.calls,
                    "dropped": f.dropped,
                    "replaced": f.replaced,
                    "rejected": f.rejected,
                })
            })
            .collect();
        let text = json!(figures).to_string();
        needed.write(text.len());
        if len == 0 {
            return Ok(());
        }
        if buf.is_null() || len <= text.len() {
            return Err(bad("buf", &format!("expected {} bytes", text.len() + 1)));
        }
        std::ptr::copy_nonoverlapping(text.as_ptr(), buf.cast::<u8>(), text.len());
        *buf.add(text.len()) = 0;
        Ok(())
    })
}
