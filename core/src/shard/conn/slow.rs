//! Slow consumers: clients that take less than they are sent.
//!
//! A client with a full outbox is not slow as such; what counts is whether it takes any of it. Above `maxOutboxBytes`
//! it has to take something in each period of `outboxTimeout`. `hardOutboxBytes` bounds the outbox of one client in any
//! case, and `totalOutboxBytes` bounds all of them together; above that, the clients with the least progress are closed
//! first. A client that takes what it is sent meets none of these limits.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::engine::backpressure::Behind;
use crate::engine::outbox::Waiting;
use crate::engine::transport::Transport;
use crate::shard::conn::close::CloseStyle;
use crate::shard::state::State;
use crate::shard::wheel::Timer;
use crate::shared::command::Command;
use crate::shared::core::Core;
use crate::types::ids::ConnKey;
use crate::types::reason::Reason;

/// Which rule a client broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::shard) enum Slow {
    Stalled,
    TooMuch,
    Budget,
}

/// Ticks after which a client's rate means something. Clients that fell behind more recently are closed last.
const GRACE: u64 = 1000;

impl State {
    /// Closes a client that does not read.
    pub(in crate::shard) fn close_slow(&mut self, key: ConnKey, rule: Slow) {
        let stats = self.stats();
        stats.slow_consumers.add(1);
        let (counter, detail) = match rule {
            Slow::Stalled => (&stats.slow_stalled, "outboxTimeout: it took nothing of what waited"),
            Slow::TooMuch => (&stats.slow_too_much, "hardOutboxBytes: too much waited"),
            Slow::Budget => {
                (&stats.slow_over_budget, "totalOutboxBytes: it took the least of what waited for all")
            }
        };
        counter.add(1);
        self.close_conn(key, Reason::SlowConsumer, detail, CloseStyle::Reset);
    }

    /// Records that a connection can't be written to, and its frames wait.
    /// Above `maxOutboxBytes` the time of `outboxTimeout` begins.
    pub(in crate::shard) fn fell_behind(&mut self, key: ConnKey, waiting: Waiting) {
        let Self { core, conns, wheel, .. } = self;
        let Some(conn) = conns.get_mut(key.slot).filter(|c| c.generation == key.generation) else {
            return;
        };
        conn.outbox.charge(&core.outboxes, waiting);
        let fresh = || Box::new(Behind { since: wheel.now(), ..Behind::default() });
        let behind = conn.behind.get_or_insert_with(fresh);
        self.over_budget |= core.outboxes.is_over();
        if behind.armed == 0 && conn.outbox.bytes() > core.options.max_outbox_bytes {
            behind.mark = behind.taken;
            self.arm_slow(key);
        }
    }

    fn arm_slow(&mut self, key: ConnKey) {
        let tick = self.wheel.tick_after(self.core.options.outbox_timeout);
        if let Some(behind) = self.conn(key).and_then(|conn| conn.behind.as_mut()) {
            behind.armed = tick;
            self.wheel.insert(tick, Timer::Slow(key));
        }
    }

    /// Handles [`Timer::Slow`]: closes a client that took nothing in `outboxTimeout`.
    pub(in crate::shard) fn on_slow(&mut self, key: ConnKey, tick: u64) {
        let limit = self.core.options.max_outbox_bytes;
        let Some(conn) = self.conn(key) else { return };
        let Some(behind) = conn.behind.as_mut().filter(|behind| behind.armed == tick) else { return };
        if conn.outbox.bytes() <= limit {
            behind.armed = 0;
            return;
        }
        // A polling answer in flight has time-outs of its own.
        let reads = matches!(&conn.transport, Transport::Polling(p) if p.answer.strong_count() > 0);
        if behind.taken == behind.mark && !reads {
            return self.close_slow(key, Slow::Stalled);
        }
        behind.mark = behind.taken;
        self.arm_slow(key);
    }

    /// Asks every shard for room if the outboxes together exceed `totalOutboxBytes`.
    pub(in crate::shard) fn ask_for_relief(&mut self) {
        self.over_budget = false;
        let core = &self.core;
        if core.outboxes.is_over() && core.outboxes.begin_relief(core.shards.len()) {
            for shard in &core.shards {
                if !shard.send(Command::Relieve) {
                    core.outboxes.relieved();
                }
            }
        }
    }

    /// Closes the clients that take the least, until there is room again.
    pub(in crate::shard) fn relieve(&mut self) {
        /// Reports the end of the relief on drop, also after a panic: else no further relief would begin.
        struct Relieved(Arc<Core>);
        impl Drop for Relieved {
            fn drop(&mut self) {
                self.0.outboxes.relieved();
            }
        }
        let relieved = Relieved(self.core.clone());
        let now = self.wheel.now();
        let mut behind: Vec<_> = self
            .conns
            .iter()
            .filter_map(|(slot, conn)| {
                let behind = conn.behind.as_ref()?;
                let age = now.saturating_sub(behind.since);
                let rate = behind.taken as u64 / age.max(1);
                Some((age < GRACE, rate, Reverse(conn.outbox.bytes()), slot, conn.generation))
            })
            .collect();
        behind.sort_unstable();
        for (.., slot, generation) in behind {
            if !relieved.0.outboxes.is_tight() {
                break;
            }
            self.close_slow(ConnKey { slot, generation }, Slow::Budget);
        }
    }
}
