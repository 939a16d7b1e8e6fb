//! Figures of this node.

use super::Server;
use crate::shared::figures::Stats;

impl Server {
    /// Can any client be heard at this moment? A server that takes nobody any more has polling sessions whose clients can't
    /// come back; with the last HTTP connection and WebSocket all are over. Connections of a server in front don't count.
    pub fn hears_clients(&self) -> bool {
        self.core().shards.iter().any(|shard| shard.stats.wires.get() > 0)
    }

    /// Figures at this moment.
    pub fn stats(&self) -> Stats {
        Stats::of(self.core())
    }

    /// For what stands between the core and a host: a panic was caught on one of its threads, the one named `whose`. It
    /// is counted in [`Stats::panics`] and logged as an error.
    pub fn panicked(&self, whose: &str, panic: Box<dyn std::any::Any + Send>) {
        self.core().host.panics.note(whose, panic);
    }
}
