//! One set of timers for a whole shard: no task and no runtime timer per connection.
//!
//! Deadlines are rounded to ticks and kept in order of tick, so the shard sleeps until exactly the next
//! one that is in use. An entry is not removed when it loses its sense: whoever is called checks whether it
//! still applies. When closed connections have left many of them behind, all are swept out at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::shared::broadcast_acks::BroadcastAcks;
use crate::types::ids::{ConnKey, NspId, SocketHandle};

/// Length of a tick: what the runtime's own timers resolve.
const TICK: Duration = Duration::from_millis(1);
/// Delays above a second are rounded up to this many ticks, so that connections share wake-ups.
const COARSE: u64 = 50;

/// What is due.
pub(super) enum Timer {
    Heartbeat(ConnKey),
    Connect(ConnKey),
    Slow(ConnKey),
    Upgrade(ConnKey, u32),
    Ack(SocketHandle, u64),
    /// With the namespace and the number of the ack.
    Broadcast(Arc<BroadcastAcks>, NspId, u64),
    LastPackets(ConnKey),
    Recovery,
}

/// See the module's text.
pub(super) struct Wheel {
    start: Instant,
    slots: BTreeMap<u64, Vec<Timer>>,
    changed: bool,
}

impl Wheel {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), slots: BTreeMap::new(), changed: false }
    }

    /// The tick in which `delay` from now is over.
    pub(super) fn tick_after(&self, delay: Duration) -> u64 {
        let ticks = ((self.start.elapsed() + delay).as_nanos() / TICK.as_nanos()) as u64;
        if delay >= Duration::from_secs(1) { ticks.div_ceil(COARSE) * COARSE } else { ticks }
    }

    /// The tick that is over now.
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

    /// Lets [`Wheel::take_changed`] say so.
    pub(super) fn touch(&mut self) {
        self.changed = true;
    }

    /// When the next timer is due.
    pub(super) fn next(&self) -> Option<Instant> {
        let (tick, _) = self.slots.first_key_value()?;
        Some(self.start + Duration::from_nanos(TICK.as_nanos() as u64 * tick))
    }

    /// Drops the timers that `keep` has no use for any more.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Timer) -> bool) {
        self.slots.retain(|_, timers| {
            timers.retain(&mut keep);
            timers.shrink_to_fit();
            !timers.is_empty()
        });
    }

    /// Takes the timers of one tick that is over.
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
