//! The heartbeat of a connection: protocol 4 pings and waits for pongs, protocol 3 is pinged by its client.

use crate::shard::conn::close::CloseStyle;
use crate::shard::conn::session::engine_packet;
use crate::shard::state::State;
use crate::shard::wheel::Timer;
use crate::types::ids::ConnKey;
use crate::types::reason::Reason;

/// The heartbeat of one connection. Times are ticks of the wheel.
pub(in crate::shard) struct Heartbeat {
    /// A ping is out that the client has not answered (protocol 4).
    awaiting_pong: bool,
    /// The tick at which the heartbeat acts next.
    deadline: u64,
    /// The tick of the wheel's entry that counts. A later deadline adds no entry: `on_heartbeat` arms it when this one
    /// fires.
    armed: u64,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { awaiting_pong: false, deadline: 0, armed: u64::MAX }
    }
}

impl State {
    /// Protocol 3: any packet shows that the client lives; the server sends no pings of its own.
    pub(in crate::shard) fn heard_from(&mut self, key: ConnKey) {
        if self.conns[key.slot].protocol == 3 {
            self.heard(key);
        }
    }

    /// Restarts the heartbeat after a sign of life of the client.
    pub(in crate::shard) fn heard(&mut self, key: ConnKey) {
        let options = &self.core.options;
        let conn = &self.conns[key.slot];
        let wait = match conn.protocol {
            3 => options.ping_interval + options.ping_timeout,
            _ => options.ping_interval,
        };
        let tick = self.wheel.tick_after(wait);
        let conn = &mut self.conns[key.slot];
        conn.heartbeat.awaiting_pong = false;
        self.arm_heartbeat(key, tick);
    }

    fn arm_heartbeat(&mut self, key: ConnKey, tick: u64) {
        let conn = &mut self.conns[key.slot];
        conn.heartbeat.deadline = tick;
        // A later deadline adds no entry: `on_heartbeat` arms it when the present entry fires.
        if tick < conn.heartbeat.armed {
            conn.heartbeat.armed = tick;
            self.wheel.insert(tick, Timer::Heartbeat(key));
        }
    }

    /// Handles [`Timer::Heartbeat`].
    pub(in crate::shard) fn on_heartbeat(&mut self, key: ConnKey, tick: u64) {
        let Some(conn) = self.live(key) else { return };
        if conn.heartbeat.armed != tick {
            return;
        }
        conn.heartbeat.armed = u64::MAX;
        if conn.heartbeat.deadline > tick {
            let deadline = conn.heartbeat.deadline;
            return self.arm_heartbeat(key, deadline);
        }
        if conn.pace.is_paused() {
            return self.beat_unheard(key);
        }
        if conn.heartbeat.awaiting_pong || conn.protocol == 3 {
            return self.close_conn(key, Reason::PingTimeout, "", CloseStyle::Timeout);
        }
        conn.heartbeat.awaiting_pong = true;
        let tick = self.wheel.tick_after(self.core.options.ping_timeout);
        self.arm_heartbeat(key, tick);
        let ping = self.ping.clone();
        self.push(key.slot, ping);
    }

    /// Adjusts the heartbeat of a connection that is no longer read. A protocol 3 client has sent a ping, or is about
    /// to, and expects the pong within `pingTimeout`.
    pub(in crate::shard) fn hold_heartbeat(&mut self, key: ConnKey) {
        if self.conn(key).is_some_and(|conn| conn.protocol == 3) {
            let tick = self.wheel.tick_after(self.core.options.ping_timeout / 2);
            self.arm_heartbeat(key, tick);
        }
    }

    /// The heartbeat of a connection that is not read: its silence is the server's doing, but its client still expects
    /// a heartbeat. Protocol 4 expects pings, protocol 3 pongs to pings that lie unread.
    fn beat_unheard(&mut self, key: ConnKey) {
        let options = &self.core.options;
        let conn = &mut self.conns[key.slot];
        let (beat, wait) = match conn.protocol {
            3 => (engine_packet("3"), options.ping_timeout / 2),
            _ => {
                conn.heartbeat.awaiting_pong = true;
                (self.ping.clone(), options.ping_interval)
            }
        };
        let tick = self.wheel.tick_after(wait);
        self.arm_heartbeat(key, tick);
        self.push(key.slot, beat);
    }

    /// Adjusts the heartbeat of a connection that is read again: the client's answers are still to be read.
    pub(in crate::shard) fn release_heartbeat(&mut self, key: ConnKey) {
        let Some(conn) = self.conn(key) else { return };
        if conn.protocol == 3 {
            self.heard(key);
        } else if conn.heartbeat.awaiting_pong {
            let tick = self.wheel.tick_after(self.core.options.ping_timeout);
            self.arm_heartbeat(key, tick);
        }
    }
}
