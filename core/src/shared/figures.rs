//! Figures of a running server.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one shard. Only the shard writes them, so a plain load and store is enough.
#[derive(Default)]
pub(crate) struct ShardStats {
    pub connections: Counter,
    /// HTTP connections and WebSockets, by which clients can be heard.
    pub wires: Counter,
    pub sockets: Counter,
    pub messages_in: Counter,
    pub messages_out: Counter,
    pub bytes_in: Counter,
    pub bytes_out: Counter,
    pub writes: Counter,
    pub slow_consumers: Counter,
    pub slow_stalled: Counter,
    pub slow_too_much: Counter,
    pub slow_over_budget: Counter,
    pub volatile_dropped: Counter,
}

/// A number with one writer.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: usize) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(n as u64), Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, n: usize) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_sub(n as u64), Ordering::Relaxed);
    }

    pub(crate) fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A snapshot over all shards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Engine connections that are open.
    pub connections: u64,
    /// Sockets: one per connection and namespace.
    pub sockets: u64,
    /// Rooms that have a member, without the sockets' own-id rooms.
    pub rooms: u64,
    /// Events and acks received, ever.
    pub messages_in: u64,
    /// Packets queued for clients, ever: one per recipient.
    pub messages_out: u64,
    /// Payload bytes received, ever.
    pub bytes_in: u64,
    /// Payload bytes queued for clients, ever.
    pub bytes_out: u64,
    /// System calls that wrote to clients, ever: several packets may leave in one.
    pub writes: u64,
    /// Connections closed because they did not read.
    pub slow_consumers: u64,
    /// Of these: took nothing for `outboxTimeout` while more than `maxOutboxBytes` waited.
    pub slow_stalled: u64,
    /// Of these: more than `hardOutboxBytes` waited.
    pub slow_too_much: u64,
    /// Of these: made the least progress when `totalOutboxBytes` was exceeded.
    pub slow_over_budget: u64,
    /// Volatile packets that were dropped.
    pub volatile_dropped: u64,
    /// Panics that were caught on threads of the library, ever: each is a bug, and was logged as an error.
    pub panics: u64,
    /// Bytes that wait for clients which did not take them at once; a message for many counts once.
    pub outbox_bytes: u64,
    /// Bytes of events that wait for the host.
    pub host_queue_bytes: u64,
    /// Bytes of messages that wait for a shard.
    pub command_queue_bytes: u64,
    /// Bytes of answers to broadcasts with acks, and of other nodes, that are being collected.
    pub answer_bytes: u64,
    /// Answers that found no room (`maxAnswerBytes`), ever.
    pub answers_refused: u64,
    /// Bytes of messages and sessions kept for clients that may come back.
    pub recovery_bytes: u64,
    /// Milliseconds since the server was made.
    pub uptime_ms: u64,
}

/// Figures of a bus; all but the last two only rise. Every publish is in one of `published`, `lost` and `unconfirmed`, or
/// in `queued_bytes`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusStats {
    /// Messages published: Redis has confirmed them.
    pub published: u64,
    /// Messages that came.
    pub received: u64,
    /// Publishes that are lost for certain: overflow, or Redis refused them.
    pub lost: u64,
    /// Publishes whose connection broke before Redis confirmed them; never sent again, so nothing comes twice.
    pub unconfirmed: u64,
    /// Connections made anew.
    pub reconnects: u64,
    /// How often the node was cut off after it had been connected: what others sent meanwhile it has not heard.
    pub gaps: u64,
    /// For how many milliseconds altogether.
    pub gap_ms: u64,
    /// Bytes of publishes that wait, to be written or to be confirmed.
    pub queued_bytes: u64,
    /// Connected and subscribed.
    pub up: bool,
}

/// A snapshot of a node of a fleet. All but `nodes` and what the bus says of the moment only rise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// The connections to Redis; `lost` and `queued_bytes` with the queue in front of them.
    pub bus: BusStats,
    /// Messages that can't be read.
    pub malformed: u64,
    /// Messages for one room that has no member here, dropped before they were decoded.
    pub dropped_no_room: u64,
    /// Messages of other nodes that were read.
    pub foreign: u64,
    /// Messages of other nodes that are lost because shards or host had no room for them in time.
    pub lost_here: u64,
    /// Nodes in the fleet that Redis counted last, this one included; 0 before the first count.
    pub nodes: u64,
}
