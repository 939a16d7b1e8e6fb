//! Figures of a server, of a node of a fleet, of an emitter.

use std::mem::offset_of;

use kraken_ws_core::{ClusterStats, Error, ErrorCode, Result};

use crate::border::{call, kraken_ws_server, kraken_ws_status, write_sized};
use crate::server::with;

/// The figures of a server at one moment. Set `size` to `sizeof(kraken_ws_stats)` before the call; a version that knows fewer
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
    /// Connections closed because the client read too little.
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
    /// Answers that were dropped because of `maxAnswerBytes`, ever.
    pub answers_refused: u64,
    /// Panics that were caught on threads of the library, ever: each is a bug of the library, and is logged.
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
        write_sized(stats, offset_of!(kraken_ws_stats, sockets), "stats", |size| {
            let s = with(server, |host| Ok(host.server.stats()))?;
            Ok(kraken_ws_stats {
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
            })
        })
    })
}

/// Figures of a node of a fleet, or of an emitter. Set `size` to `sizeof(kraken_ws_cluster_stats)` before the call; a
/// version that knows fewer members leaves the others as they are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_cluster_stats {
    /// `sizeof(kraken_ws_cluster_stats)`.
    pub size: usize,
    /// 1 while connected to Redis and subscribed, else 0.
    pub up: u64,
    /// Nodes that Redis counted last, this one included; 0 before the first count.
    pub nodes: u64,
    /// Messages published.
    pub published: u64,
    /// Messages received.
    pub received: u64,
    /// Publishes that are known to be lost.
    pub lost: u64,
    /// Publishes whose connection broke before Redis confirmed them; they are not sent again.
    pub unconfirmed: u64,
    /// How often the connection was made again.
    pub reconnects: u64,
    /// Bytes of publishes that wait for Redis.
    pub queued_bytes: u64,
    /// Messages that could not be decoded.
    pub malformed: u64,
    /// Messages for a room without a member here, dropped before they were decoded.
    pub dropped_no_room: u64,
    /// Messages of other nodes that were decoded.
    pub foreign: u64,
    /// Messages of other nodes that were dropped because the server's queue stayed full.
    pub lost_here: u64,
    /// How often the connection to Redis was lost. The node has not got what others sent meanwhile.
    pub gaps: u64,
    /// Milliseconds without Redis, over all `gaps`.
    pub gap_ms: u64,
}

/// Writes the figures of the connection to the other nodes.
///
/// # Safety
/// Null, or a struct that begins with its size.
pub(super) unsafe fn write_cluster_stats(
    stats: *mut kraken_ws_cluster_stats,
    read: impl FnOnce() -> Result<ClusterStats>,
) -> Result<()> {
    let write = |size| {
        let s = read()?;
        Ok(kraken_ws_cluster_stats {
            size,
            up: s.bus.up.into(),
            nodes: s.nodes,
            published: s.bus.published,
            received: s.bus.received,
            lost: s.bus.lost,
            unconfirmed: s.bus.unconfirmed,
            reconnects: s.bus.reconnects,
            queued_bytes: s.bus.queued_bytes,
            malformed: s.malformed,
            dropped_no_room: s.dropped_no_room,
            foreign: s.foreign,
            lost_here: s.lost_here,
            gaps: s.bus.gaps,
            gap_ms: s.bus.gap_ms,
        })
    };
    // SAFETY: the caller's promise is the same.
    unsafe { write_sized(stats, offset_of!(kraken_ws_cluster_stats, nodes), "stats", write) }
}

/// Reads the figures of a server as a node of its fleet.
///
/// Errors: `STATE` (it is in no fleet), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_cluster_stats(
    server: *mut kraken_ws_server,
    stats: *mut kraken_ws_cluster_stats,
) -> kraken_ws_status {
    // SAFETY: handle and struct are as the header asks for.
    call(|| unsafe {
        write_cluster_stats(stats, || {
            let none = || Error::new(ErrorCode::State, "cluster_stats: the server is in no fleet");
            with(server, |host| host.server.cluster_stats().ok_or_else(none))
        })
    })
}
