//! Back-pressure: a connection that is too far ahead of the host is not read from until the host has caught up.

use crate::engine::transport::{ReaderState, Transport};
use crate::shard::state::State;
use crate::types::ids::ConnKey;

/// How far a connection is ahead of the host.
#[derive(Default)]
pub(in crate::shard) struct Pace {
    /// Number of the newest event that the connection caused.
    last_event: u64,
    /// How many events it has caused since the host caught up.
    pending_events: u32,
    paused: bool,
}

impl Pace {
    /// The connection is not read from.
    pub(in crate::shard) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Ends back-pressure with the session: what its client still sends is read and dropped.
    pub(in crate::shard) fn end(&mut self) {
        self.paused = false;
    }
}

/// Connections that are not read from. The [`Pace`] of each is paused, unless its session has ended.
#[derive(Default)]
pub(in crate::shard) struct PausedList(Vec<ConnKey>);

impl State {
    /// Takes a connection that ends off the list of paused ones.
    pub(in crate::shard) fn forget_paused(&mut self, key: ConnKey) {
        if self.conn(key).is_some_and(|conn| conn.pace.paused) {
            self.paused.0.retain(|paused| *paused != key);
        }
    }

    /// Counts an event that a connection caused, and pauses a connection that is too far ahead of the host.
    pub(in crate::shard) fn caused_event(&mut self, key: ConnKey) {
        let taken = self.core.host.taken(self.index);
        let full = self.is_host_full();
        let limit = self.core.options.max_pending_events as u32;
        let count = self.events.count();
        let Some(conn) = self.live(key) else { return };
        if conn.pace.last_event <= taken {
            conn.pace.pending_events = 0;
        }
        conn.pace.pending_events += 1;
        conn.pace.last_event = count;
        if (conn.pace.pending_events < limit && !full) || conn.pace.paused {
            return;
        }
        self.pause(key);
    }

    /// Stops reading a connection until the host has caught up.
    pub(in crate::shard) fn pause(&mut self, key: ConnKey) {
        let Some(conn) = self.conn(key) else { return };
        conn.pace.paused = true;
        if let Transport::WebSocket(ws) = &conn.transport {
            ws.ctl.set(ReaderState::Paused);
        }
        self.paused.0.push(key);
        self.hold_heartbeat(key);
        self.core.host.set_paused(self.index);
    }

    /// Pauses a connection if there is no room for what it may bring; returns whether it did. Called before each read.
    pub(in crate::shard) fn holds_back(&mut self, key: ConnKey, probe: u32) -> bool {
        // Frames of a probe are not for the host.
        if probe != 0 && self.is_probe(key, probe) {
            return false;
        }
        let full = self.is_host_full();
        let much = self.holds_much();
        let Some(conn) = self.conns.get(key.slot).filter(|c| c.generation == key.generation) else {
            return false;
        };
        let waits = || conn.sockets.iter().any(|(_, slot)| !self.sockets[slot].connected);
        if conn.pace.paused || !(full || (much && waits())) {
            return false;
        }
        self.pause(key);
        // The host may have emptied its queue before it saw that a connection is paused; then no `Command::Resume`
        // comes.
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
        if full && !self.is_host_full() {
            self.resume();
        }
        true
    }

    /// Early events, of sockets that the host has not accepted yet, exceed this shard's share of `hostQueueBytes`.
    pub(in crate::shard) fn holds_much(&self) -> bool {
        self.early_bytes.get() > self.core.options.host_queue_bytes / self.core.shards.len()
    }

    /// Whether [`State::holds_back`] could pause any connection now. Usually not, and the connection need not be looked
    /// up.
    pub(in crate::shard) fn may_hold_back(&self) -> bool {
        self.is_host_full() || self.holds_much()
    }

    /// Resumes the connections that the host has caught up with; called when it took events.
    pub(in crate::shard) fn resume(&mut self) {
        while let Some(seen) = self.resume_up_to(self.core.host.taken(self.index)) {
            self.core.host.set_paused(self.index);
            // No `Command::Resume` follows for events that the host took before it saw that connections are still
            // paused.
            if self.core.host.taken(self.index) == seen {
                return;
            }
        }
    }

    /// Resumes the connections that wait for no event later than `taken`; returns `taken` if others are left.
    fn resume_up_to(&mut self, taken: u64) -> Option<u64> {
        let mut still = Vec::new();
        for key in std::mem::take(&mut self.paused.0) {
            let Some(conn) = self.conn(key) else { continue };
            if conn.pace.last_event > taken {
                still.push(key);
                continue;
            }
            conn.pace.paused = false;
            conn.pace.pending_events = 0;
            match &mut conn.transport {
                Transport::WebSocket(ws) => ws.ctl.set(ReaderState::Run),
                Transport::Polling(polling) => {
                    if let Some(post) = polling.post.take_if(|post| post.held.is_some()) {
                        post.answer();
                    }
                }
            }
            self.release_heartbeat(key);
        }
        let some = !still.is_empty();
        self.paused.0.extend(still);
        some.then_some(taken)
    }
}
