//! Figures of this node.

use super::Server;
use crate::shared::figures::Stats;

impl Server {
    /// Whether an HTTP connection or WebSocket of the core is open at this moment. After the listeners have closed,
    /// the clients of polling sessions can't come back: with the last such connection all sessions are over.
    /// Connections of a server in front don't count.
    pub fn hears_clients(&self) -> bool {
        self.core().shards.iter().any(|shard| shard.stats.wires.get() > 0)
    }

    /// Figures at this moment.
    pub fn stats(&self) -> Stats {
        Stats::of(self.core())
    }

    /// Reports a panic that a binding between the core and its host caught on the thread named `whose`: it is counted
    /// in [`Stats::panics`] and logged as an error.
    pub fn panicked(&self, whose: &str, panic: Box<dyn std::any::Any + Send>) {
        self.core().host.panics.note(whose, panic);
    }
}
