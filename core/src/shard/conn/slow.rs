//! Clients that take less than they are sent.
//!
//! One that was given much is not slow. What counts is whether it takes any of it: above `maxOutboxBytes` it has
//! `outboxTimeout` for that, again and again. `hardOutboxBytes` is what one client may cost in any case, and
//! `totalOutboxBytes` all of them together; past that those go first that make the least progress. A client that takes what
//! it is sent meets none of this.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::engine::backpressure::Behind;
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

/// Ticks for which a client is not judged by how fast it reads.
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

    /// A connection can't be written to, and the newest frame, or with `all` every frame, waits since then.
    pub(in crate::shard) fn fell_behind(&mut self, key: ConnKey, all: bool) {
        let Self { core, conns, wheel, .. } = self;
        let Some(conn) = conns.get_mut(key.slot).filter(|c| c.generation == key.generation) else {
            return;
        };
        conn.outbox.charge(&core.outboxes, all);
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

    /// The time in which a client had to take something is over.
    pub(in crate::shard) fn on_slow(&mut self, key: ConnKey, tick: u64) {
        let limit = self.core.options.max_outbox_bytes;
        let Some(conn) = self.conn(key) else { return };
        let Some(behind) = conn.behind.as_mut().filter(|behind| behind.armed == tick) else { return };
        if conn.outbox.bytes() <= limit {
            behind.armed = 0;
            return;
        }
        // An answer that is under way has time-outs of its own.
        let reads = matches!(&conn.transport, Transport::Polling(p) if p.answer.strong_count() > 0);
        if behind.taken == behind.mark && !reads {
            return self.close_slow(key, Slow::Stalled);
        }
        behind.mark = behind.taken;
        self.arm_slow(key);
    }

    /// The budget is exceeded: every shard has to make room.
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

    /// Closes those that take the least, until there is room again.
    pub(in crate::shard) fn relieve(&mut self) {
        /// Also if this panics: nobody would ask for room again.
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
