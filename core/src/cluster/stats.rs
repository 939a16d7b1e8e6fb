//! Figures of a node of a fleet.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::bus::BusStats;

/// Counters that the cluster's thread and the queue share with whoever asks.
#[derive(Default)]
pub(crate) struct Figures {
    /// Publishes that the queue to the thread had no room for.
    pub overflowed: AtomicU64,
    /// Messages that could not be written in the wire format.
    pub unsendable: AtomicU64,
    pub malformed: AtomicU64,
    pub no_room: AtomicU64,
    pub foreign: AtomicU64,
    /// Messages of other nodes that shards or host had no room for in time.
    pub lost_here: AtomicU64,
    /// What Redis counted last.
    pub nodes: AtomicU64,
    /// As the thread saw them last.
    pub bus: Mutex<BusStats>,
}

/// A snapshot of a node of a fleet. All but `nodes` and what the bus says of the moment only rise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// The connections to Redis. Its `lost` holds what the queue in front of them had no room for, too.
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

impl Figures {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn bus(&self) -> BusStats {
        *self.bus.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(crate) fn set_bus(&self, stats: BusStats) {
        *self.bus.lock().unwrap_or_else(|e| e.into_inner()) = stats;
    }

    /// Publishes that are, or may be, lost.
    pub(crate) fn lost(&self) -> u64 {
        let bus = self.bus();
        bus.unconfirmed + self.lost_for_certain(bus)
    }

    fn lost_for_certain(&self, bus: BusStats) -> u64 {
        bus.lost + self.overflowed.load(Ordering::Relaxed) + self.unsendable.load(Ordering::Relaxed)
    }

    pub(crate) fn snapshot(&self) -> ClusterStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut bus = self.bus();
        bus.lost = self.lost_for_certain(bus);
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
