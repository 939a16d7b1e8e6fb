//! The counters of a node.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use kraken_ws_redis::Bus;

use crate::shared::figures::{BusStats, ClusterStats, NodeFigures};

/// Counters that the cluster's thread and the queue share with readers of the statistics.
#[derive(Default)]
pub(crate) struct Figures {
    /// Publishes that the command queue dropped.
    pub overflowed: AtomicU64,
    /// Messages that could not be encoded in the wire format.
    pub unsendable: AtomicU64,
    /// The rows of the table that are about this node.
    pub node: NodeFigures,
    /// Number of lost publishes that were reported to the host.
    pub reported_lost: AtomicU64,
    bus: Mutex<Source>,
    /// Totals of the earlier buses, which ended with a panic.
    past: Mutex<BusStats>,
}

/// Where the counters of the current bus are read from.
#[derive(Default)]
enum Source {
    #[default]
    NoBus,
    Bus(Weak<Bus>),
    /// The bus is closed; its final counters.
    Last(BusStats),
}

impl Figures {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.bus.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn past(&self) -> MutexGuard<'_, BusStats> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bus(&self) -> BusStats {
        self.bus_now().after(&self.past())
    }

    fn bus_now(&self) -> BusStats {
        match &*self.source() {
            Source::NoBus => BusStats::default(),
            Source::Bus(bus) => bus.upgrade().map(|bus| BusStats::of(bus.stats())).unwrap_or_default(),
            Source::Last(stats) => *stats,
        }
    }

    /// Reads the counters of this bus from now on.
    pub(crate) fn watch(&self, bus: &Arc<Bus>) {
        *self.source() = Source::Bus(Arc::downgrade(bus));
    }

    /// Keeps the final counters of a bus that closes.
    pub(crate) fn keep_final(&self, bus: &Bus) {
        let stats = BusStats { up: false, ..BusStats::of(bus.stats()) };
        *self.source() = Source::Last(stats);
    }

    /// Adds the counters of a bus that panicked to `past`. Its open publishes count as lost.
    pub(crate) fn add_to_past(&self, bus: &Bus) {
        self.keep_final(bus);
        let last = self.bus();
        *self.source() = Source::NoBus;
        *self.past() = BusStats {
            lost: last.lost + bus.open(),
            reconnects: last.reconnects + 1,
            queued_bytes: 0,
            ..last
        };
    }

    /// Publishes that are lost or unconfirmed.
    pub(crate) fn lost(&self) -> u64 {
        let bus = self.bus();
        bus.unconfirmed + self.lost_for_certain(bus)
    }

    fn lost_for_certain(&self, bus: BusStats) -> u64 {
        bus.lost + self.overflowed.load(Ordering::Relaxed) + self.unsendable.load(Ordering::Relaxed)
    }

    /// `queued`: bytes in the command queue.
    pub(crate) fn snapshot(&self, queued: usize) -> ClusterStats {
        let mut bus = self.bus();
        bus.lost = self.lost_for_certain(bus);
        bus.queued_bytes += queued as u64;
        self.node.snapshot(bus)
    }
}
