//! Figures of this node.

use std::sync::atomic::Ordering;

use super::Server;
use crate::shared::figures::{ShardStats, Stats};

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
