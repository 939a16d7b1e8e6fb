//! The heartbeat of a connection: protocol 4 pings and waits for pongs, protocol 3 is pinged by its client.

use crate::shard::conn::close::CloseStyle;
use crate::shard::conn::session::engine_packet;
use crate::shard::state::State;
use crate::shard::wheel::Timer;
use crate::types::ids::ConnKey;
use crate::types::reason::Reason;

/// The heartbeat's part of a connection. Times in ticks of the wheel.
pub(in crate::shard) struct Heartbeat {
    /// A ping is out that the client has not answered (protocol 4).
    awaiting_pong: bool,
    /// When the heartbeat acts next.
    deadline: u64,
    /// The tick of the wheel's entry. Never more than one is under way: a later deadline waits for it to fire.
    armed: u64,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { awaiting_pong: false, deadline: 0, armed: u64::MAX }
    }
}

impl State {
    /// Protocol 3: any packet shows that the client lives; the server only watches.
    pub(in crate::shard) fn heard_from(&mut self, key: ConnKey) {
        if self.conns[key.slot].protocol == 3 {
            self.heard(key);
        }
    }

    /// The client answered the heartbeat: the next one is due in `pingInterval`.
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
        // One entry per connection is under way; a later deadline waits for it to fire.
        if tick < conn.heartbeat.armed {
            conn.heartbeat.armed = tick;
            self.wheel.insert(tick, Timer::Heartbeat(key));
        }
    }

    /// The heartbeat's entry fired.
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

    /// We stop reading from a connection. A protocol 3 client has asked, or is about to, and wants its answer within
    /// `pingTimeout`.
    pub(in crate::shard) fn hold_heartbeat(&mut self, key: ConnKey) {
        if self.conn(key).is_some_and(|conn| conn.protocol == 3) {
            let tick = self.wheel.tick_after(self.core.options.ping_timeout / 2);
            self.arm_heartbeat(key, tick);
        }
    }

    /// The heartbeat of a connection that we don't read from: its silence is our doing, but its client counts on what
    /// we send. Protocol 4 waits for pings, protocol 3 for answers to pings that lie unread.
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

    /// We read again: what the client answered meanwhile is still to be read.
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
