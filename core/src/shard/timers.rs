//! What happens when time is over.

use super::lifecycle::Goodbye;
use super::state::State;
use super::wheel::Timer;
use crate::reason::Reason;

impl State {
    /// Fires everything that is due.
    pub(super) fn fire_timers(&mut self) {
        while let Some((tick, due)) = self.wheel.take_due() {
            for timer in due {
                self.fire(tick, timer);
            }
        }
    }

    fn fire(&mut self, tick: u64, timer: Timer) {
        match timer {
            Timer::Heartbeat(key) => self.on_heartbeat(key, tick),
            Timer::Connect(key) => {
                if self.conn(key).is_some_and(|c| c.sockets.is_empty()) {
                    self.close_conn(key, Reason::ForcedServerClose, "no CONNECT in time", Goodbye::Ws(1000));
                }
            }
            Timer::Upgrade(key, probe) => {
                if self.is_probe(key, probe) {
                    self.drop_probe(key, Goodbye::Ws(1000));
                }
            }
            Timer::Ack(socket, id) => self.ack_timed_out(socket, id),
            Timer::Broadcast(acks) => {
                if let Some(event) = acks.timed_out() {
                    self.event(event);
                }
            }
            Timer::Farewell(sid) => {
                self.farewells.remove(&sid);
            }
        }
    }
}
