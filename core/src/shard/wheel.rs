//! One set of timers for a whole shard: no task and no runtime timer per connection.
//!
//! Deadlines are rounded to ticks and kept in order of tick, so the shard sleeps until exactly the next one that is in
//! use. Stale entries are not removed; a handler checks that its timer still applies. When closed connections have left
//! many stale entries, `timers.rs` sweeps all of them at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::shared::broadcast_acks::BroadcastAcks;
use crate::types::ids::{ConnKey, NspId, SocketHandle};

/// Length of a tick: the resolution of the runtime's own timers.
const TICK: Duration = Duration::from_millis(1);
/// Delays above a second are rounded up to this many ticks, so that connections share wake-ups.
const COARSE: u64 = 50;

/// A timer, by what it is for.
pub(super) enum Timer {
    Heartbeat(ConnKey),
    Connect(ConnKey),
    Slow(ConnKey),
    Upgrade(ConnKey, u32),
    Ack(SocketHandle, u64),
    /// The acks of a broadcast, its namespace and its ack id.
    Broadcast(Arc<BroadcastAcks>, NspId, u64),
    LastPackets(ConnKey),
    Recovery,
}

/// The timers of one shard, in order of tick.
pub(super) struct Wheel {
    start: Instant,
    slots: BTreeMap<u64, Vec<Timer>>,
    changed: bool,
}

impl Wheel {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), slots: BTreeMap::new(), changed: false }
    }

    /// The tick at which `delay` from now is over.
    pub(super) fn tick_after(&self, delay: Duration) -> u64 {
        let ticks = ((self.start.elapsed() + delay).as_nanos() / TICK.as_nanos()) as u64;
        if delay >= Duration::from_secs(1) { ticks.div_ceil(COARSE) * COARSE } else { ticks }
    }

    /// The current tick.
    pub(super) fn now(&self) -> u64 {
        (self.start.elapsed().as_nanos() / TICK.as_nanos()) as u64
    }

    pub(super) fn insert(&mut self, tick: u64, timer: Timer) {
        let first = self.slots.first_key_value().is_none_or(|(first, _)| tick < *first);
        self.changed |= first;
        self.slots.entry(tick).or_default().push(timer);
    }

    /// Whether the earliest deadline moved since the last call.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Makes the next [`Wheel::take_changed`] return true.
    pub(super) fn touch(&mut self) {
        self.changed = true;
    }

    /// When the next timer is due.
    pub(super) fn next(&self) -> Option<Instant> {
        let (tick, _) = self.slots.first_key_value()?;
        Some(self.start + Duration::from_nanos(TICK.as_nanos() as u64 * tick))
    }

    /// Keeps the timers for which `keep` returns true.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Timer) -> bool) {
        self.slots.retain(|_, timers| {
            timers.retain(&mut keep);
            timers.shrink_to_fit();
            !timers.is_empty()
        });
    }

    /// Takes the timers of the earliest tick, if that tick is over.
    pub(super) fn take_due(&mut self) -> Option<(u64, Vec<Timer>)> {
        let now = self.now();
        let entry = self.slots.first_entry().filter(|e| *e.key() <= now)?;
        let tick = *entry.key();
        Some((tick, entry.remove()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_timers_come_in_order_and_once() {
        let mut wheel = Wheel::new();
        let key = |slot| ConnKey { slot: crate::types::ids::ConnSlot(slot), generation: 0 };
        wheel.insert(0, Timer::Connect(key(2)));
        wheel.insert(0, Timer::Connect(key(3)));
        wheel.insert(wheel.tick_after(Duration::from_secs(60)), Timer::Connect(key(4)));
        assert!(wheel.take_changed());
        let (tick, due) = wheel.take_due().unwrap();
        assert_eq!((tick, due.len()), (0, 2));
        assert!(wheel.take_due().is_none());
        assert!(wheel.next().unwrap() > Instant::now() + Duration::from_secs(59));
    }
}
