// Written from tables in Rust by `make generated`; edits are lost.

//! Structs of figures, and how they are filled.

use kraken_ws_core::{ClusterStats, Stats};

/// Figures of a server at one moment. Set `size` to `sizeof(kraken_ws_stats)` before the call; a version that
/// knows fewer members leaves the others as they are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_stats {
    /// `sizeof(kraken_ws_stats)`.
    pub size: usize,
    /// Engine connections that are open.
    pub connections: u64,
    /// Sockets: one per connection and namespace.
    pub sockets: u64,
    /// Events and acks received.
    pub messages_in: u64,
    /// Packets queued for clients: one per recipient.
    pub messages_out: u64,
    /// Payload bytes received.
    pub bytes_in: u64,
    /// Payload bytes queued for clients.
    pub bytes_out: u64,
    /// System calls that wrote to clients: several packets may leave in one.
    pub writes: u64,
    /// Connections closed because they did not read.
    pub slow_consumers: u64,
    /// Of `slow_consumers`: took nothing for `outboxTimeout` while more than `maxOutboxBytes` waited.
    pub slow_stalled: u64,
    /// Of `slow_consumers`: more than `hardOutboxBytes` waited.
    pub slow_too_much: u64,
    /// Of `slow_consumers`: made the least progress when `totalOutboxBytes` was exceeded.
    pub slow_over_budget: u64,
    /// Volatile packets that were dropped.
    pub volatile_dropped: u64,
    /// Rooms that have a member, without those named by a socket's id.
    pub rooms: u64,
    /// Bytes that wait for clients which did not take them at once; a message for many counts once.
    pub outbox_bytes: u64,
    /// Bytes of events that wait for the host.
    pub host_queue_bytes: u64,
    /// Bytes of messages that wait for a thread of the server.
    pub command_queue_bytes: u64,
    /// Bytes of answers to broadcasts with acks, and of other nodes, that are being collected.
    pub answer_bytes: u64,
    /// Answers that found no room (`maxAnswerBytes`).
    pub answers_refused: u64,
    /// Bytes of messages and sessions kept for clients that may come back.
    pub recovery_bytes: u64,
    /// Panics that were caught on threads of the library: each is a bug, and was logged as an error.
    pub panics: u64,
    /// Milliseconds since the server was made.
    pub uptime_ms: u64,
}

impl kraken_ws_stats {
    pub(super) fn of(size: usize, stats: &Stats) -> Self {
        let values = stats.values();
        Self {
            size,
            connections: values[0],
            sockets: values[1],
            messages_in: values[2],
            messages_out: values[3],
            bytes_in: values[4],
            bytes_out: values[5],
            writes: values[6],
            slow_consumers: values[7],
            slow_stalled: values[8],
            slow_too_much: values[9],
            slow_over_budget: values[10],
            volatile_dropped: values[11],
            rooms: values[12],
            outbox_bytes: values[13],
            host_queue_bytes: values[14],
            command_queue_bytes: values[15],
            answer_bytes: values[16],
            answers_refused: values[17],
            recovery_bytes: values[18],
            panics: values[19],
            uptime_ms: values[20],
        }
    }
}

/// Figures of a node of a fleet, or of an emitter. Set `size` to `sizeof(kraken_ws_cluster_stats)` before the call; a version that
/// knows fewer members leaves the others as they are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_cluster_stats {
    /// `sizeof(kraken_ws_cluster_stats)`.
    pub size: usize,
    /// 1 while the node is connected to Redis and everything is subscribed, else 0.
    pub up: u64,
    /// Nodes in the fleet that Redis counted last, this one included; 0 before the first count.
    pub nodes: u64,
    /// Messages published: Redis has confirmed them.
    pub published: u64,
    /// Messages of other nodes that came.
    pub received: u64,
    /// Messages that are lost for certain: they were too many while Redis was away, or it refused them.
    pub lost: u64,
    /// Messages whose connection broke before Redis confirmed them; they may have arrived, and are not sent again.
    pub unconfirmed: u64,
    /// Connections to Redis made anew.
    pub reconnects: u64,
    /// How often the node was cut off after it had been connected: what others sent meanwhile it has not heard.
    pub gaps: u64,
    /// For how many milliseconds altogether.
    pub gap_ms: u64,
    /// Bytes of messages that wait for Redis, to be written or to be confirmed.
    pub queued_bytes: u64,
    /// Messages that can't be read.
    pub malformed: u64,
    /// Messages for a room without a member here, dropped before they were decoded.
    pub dropped_no_room: u64,
    /// Messages of other nodes that were read.
    pub foreign: u64,
    /// Messages of other nodes that are lost because this node had no room for them in time.
    pub lost_here: u64,
}

impl kraken_ws_cluster_stats {
    pub(super) fn of(size: usize, stats: &ClusterStats) -> Self {
        let values = stats.values();
        Self {
            size,
            up: values[0],
            nodes: values[9],
            published: values[1],
            received: values[2],
            lost: values[3],
            unconfirmed: values[4],
            reconnects: values[5],
            gaps: values[6],
            gap_ms: values[7],
            queued_bytes: values[8],
            malformed: values[10],
            dropped_no_room: values[11],
            foreign: values[12],
            lost_here: values[13],
        }
    }
}
