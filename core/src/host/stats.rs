//! Figures of a running server.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Server;

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

impl Server {
    /// Can any client be heard at this moment? A server that takes nobody any more has polling sessions whose clients can't
    /// come back; with the last HTTP connection and WebSocket all are over. Connections of a server in front don't count.
    pub fn hears_clients(&self) -> bool {
        self.core().shards.iter().any(|shard| shard.stats.wires.get() > 0)
    }

    /// Figures at this moment.
    pub fn stats(&self) -> Stats {
        let core = self.core();
        let sum = |f: fn(&ShardStats) -> u64| core.shards.iter().map(|s| f(&s.stats)).sum();
        Stats {
            connections: sum(|s| s.connections.get()),
            sockets: sum(|s| s.sockets.get()),
            rooms: core.directory.len() as u64,
            messages_in: sum(|s| s.messages_in.get()),
            messages_out: sum(|s| s.messages_out.get()),
            bytes_in: sum(|s| s.bytes_in.get()),
            bytes_out: sum(|s| s.bytes_out.get()),
            writes: sum(|s| s.writes.get()),
            slow_consumers: sum(|s| s.slow_consumers.get()),
            slow_stalled: sum(|s| s.slow_stalled.get()),
            slow_too_much: sum(|s| s.slow_too_much.get()),
            slow_over_budget: sum(|s| s.slow_over_budget.get()),
            volatile_dropped: sum(|s| s.volatile_dropped.get()),
            panics: core.host.panics.get(),
            outbox_bytes: core.outboxes.bytes() as u64,
            host_queue_bytes: core.host.bytes() as u64,
            command_queue_bytes: core.shards.iter().map(|s| s.queued.load(Ordering::Relaxed) as u64).sum(),
            answer_bytes: core.answers.bytes() as u64,
            answers_refused: core.answers.refused(),
            recovery_bytes: core.recovery.as_ref().map_or(0, |recovery| recovery.lock().bytes() as u64),
            uptime_ms: core.started.elapsed().as_millis() as u64,
        }
    }

    /// For what stands between the core and a host: a panic was caught on one of its threads, the one named `whose`. It
    /// is counted in [`Stats::panics`] and logged as an error.
    pub fn panicked(&self, whose: &str, panic: Box<dyn std::any::Any + Send>) {
        self.core().host.panics.note(whose, panic);
    }
}
