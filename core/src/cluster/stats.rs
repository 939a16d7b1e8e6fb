//! The counters of a node.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use kraken_ws_redis::{Bus, Counters};

use crate::shared::figures::{BusStats, ClusterStats};

/// Counters that the cluster's thread and the queue share with readers of the statistics.
#[derive(Default)]
pub(crate) struct Figures {
    /// Publishes that the command queue dropped.
    pub overflowed: AtomicU64,
    /// Messages that could not be encoded in the wire format.
    pub unsendable: AtomicU64,
    pub malformed: AtomicU64,
    pub no_room: AtomicU64,
    pub foreign: AtomicU64,
    /// Messages of other nodes that were dropped because the shards or the host stayed full.
    pub lost_here: AtomicU64,
    /// Number of nodes at the last count.
    pub nodes: AtomicU64,
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

/// The figures of a bus.
fn figures(counters: Counters) -> BusStats {
    let Counters { up, published, received, lost, unconfirmed, reconnects, gaps, gap_ms, queued_bytes } =
        counters;
    BusStats { up, published, received, lost, unconfirmed, reconnects, gaps, gap_ms, queued_bytes }
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
        let now = self.bus_now();
        let past = *self.past();
        BusStats {
            published: past.published + now.published,
            received: past.received + now.received,
            lost: past.lost + now.lost,
            unconfirmed: past.unconfirmed + now.unconfirmed,
            reconnects: past.reconnects + now.reconnects,
            gaps: past.gaps + now.gaps,
            gap_ms: past.gap_ms + now.gap_ms,
            ..now
        }
    }

    fn bus_now(&self) -> BusStats {
        match &*self.source() {
            Source::NoBus => BusStats::default(),
            Source::Bus(bus) => bus.upgrade().map(|bus| figures(bus.stats())).unwrap_or_default(),
            Source::Last(stats) => *stats,
        }
    }

    /// Reads the counters of this bus from now on.
    pub(crate) fn watch(&self, bus: &Arc<Bus>) {
        *self.source() = Source::Bus(Arc::downgrade(bus));
    }

    /// Keeps the final counters of a bus that closes.
    pub(crate) fn keep_final(&self, bus: &Bus) {
        let stats = BusStats { up: false, ..figures(bus.stats()) };
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
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut bus = self.bus();
        bus.lost = self.lost_for_certain(bus);
        bus.queued_bytes += queued as u64;
        ClusterStats {
            bus,
            malformed: get(&self.malformed),
            dropped_no_room: get(&self.no_room),
            foreign: get(&self.foreign),
            lost_here: get(&self.lost_here),
            nodes: get(&self.nodes),
        }
    }
}
