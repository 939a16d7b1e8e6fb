//! What each timer does when it fires, and the sweep of stale timers.

use crate::shard::conn::close::CloseStyle;
use crate::shard::state::State;
use crate::shard::wheel::Timer;
use crate::types::ids::ConnKey;
use crate::types::reason::Reason;

/// Closed connections before the wheel is swept: the timers of fewer are not worth a pass over all timers.
const STALE: usize = 4096;

/// The timers of the tick that is firing, and how many connections have left stale timers in the wheel.
#[derive(Default)]
pub(super) struct FiringTimers {
    /// Connections that closed since the wheel was swept.
    stale: usize,
    due: Vec<Timer>,
}

impl FiringTimers {
    /// The timers that a panic kept from firing.
    pub(super) fn take_rest(&mut self) -> Vec<Timer> {
        std::mem::take(&mut self.due)
    }
}

impl State {
    /// Counts a closed connection, whose timers stay in the wheel, and sweeps the wheel if there are many. Without the
    /// sweep a client that connects and leaves in a loop would fill memory for as long as the longest time-out.
    pub(super) fn sweep_timers(&mut self) {
        self.timers.stale += 1;
        if self.timers.stale < STALE.max(self.conns.len()) {
            return;
        }
        self.timers.stale = 0;
        let conns = &self.conns;
        let alive = |key: &ConnKey| conns.get(key.slot).is_some_and(|c| c.generation == key.generation);
        self.wheel.retain(|timer| match timer {
            Timer::Heartbeat(key)
            | Timer::Connect(key)
            | Timer::Slow(key)
            | Timer::Upgrade(key, _)
            | Timer::LastPackets(key) => alive(key),
            Timer::Ack(..) | Timer::Broadcast(..) | Timer::Recovery => true,
        });
    }

    /// Fires all timers that are due.
    pub(super) fn fire_timers(&mut self) {
        while let Some((tick, due)) = self.wheel.take_due() {
            self.timers.due = due;
            self.timers.due.reverse();
            while let Some(timer) = self.timers.due.pop() {
                self.fire(tick, timer);
            }
        }
    }

    fn fire(&mut self, tick: u64, timer: Timer) {
        match timer {
            Timer::Heartbeat(key) => self.on_heartbeat(key, tick),
            Timer::Slow(key) => self.on_slow(key, tick),
            Timer::Connect(key) => {
                // The time includes the host's decision: sockets that the host has not accepted do not count.
                let waits = self.live(key).is_some();
                if waits && !self.sockets_of(key).iter().any(|slot| self.sockets[*slot].connected) {
                    self.close_conn(key, Reason::ForcedServerClose, "no CONNECT in time", CloseStyle::Close);
                }
            }
            Timer::Upgrade(key, probe) => {
                if self.is_probe(key, probe) {
                    self.drop_probe(key, CloseStyle::Close);
                }
            }
            Timer::Ack(socket, id) => self.ack_timed_out(socket, id),
            Timer::Broadcast(acks, nsp, id) => self.broadcast_timed_out(&acks, nsp, id),
            Timer::LastPackets(key) => self.last_packets_late(key),
            Timer::Recovery => self.sweep_recovery(),
        }
    }
}
