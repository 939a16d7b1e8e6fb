//! Events of sockets that the host has not accepted yet. They are kept, so that a client that sends early loses nothing
//! once it is accepted.

use bytes::Bytes;

use crate::shard::state::State;
use crate::types::ids::{ConnKey, SocketSlot};

/// An event that waits for its socket to be accepted.
pub(in crate::shard) struct EarlyEvent {
    pub id: Option<u64>,
    pub data: Box<str>,
    pub attachments: Vec<Bytes>,
}

impl EarlyEvent {
    /// The bytes that this event takes.
    fn weight(&self) -> usize {
        64 + self.data.len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }
}

/// The early events of one socket.
#[derive(Default)]
pub(in crate::shard) struct EarlyEvents(Vec<EarlyEvent>);

impl EarlyEvents {
    fn weight(&self) -> usize {
        self.0.iter().map(EarlyEvent::weight).sum()
    }
}

/// Bytes of all early events in a shard: what goes in and out of an [`EarlyEvents`] is counted here.
#[derive(Default)]
pub(in crate::shard) struct EarlyBytes(usize);

impl EarlyBytes {
    /// Takes the events of a socket that is accepted or removed.
    pub(in crate::shard) fn take(&mut self, events: &mut EarlyEvents) -> Vec<EarlyEvent> {
        self.0 -= events.weight();
        std::mem::take(&mut events.0)
    }

    pub(in crate::shard) fn get(&self) -> usize {
        self.0
    }
}

impl State {
    /// Keeps an event; the events of a socket are bounded by the size of one message, and a client that sends more is
    /// closed.
    pub(in crate::shard) fn keep_early(&mut self, key: ConnKey, socket: SocketSlot, event: EarlyEvent) {
        let limit = self.core.options.max_http_buffer_size;
        let events = &mut self.sockets[socket].extras.get_or_insert_default().early_events;
        if !events.0.is_empty() && events.weight() + event.weight() > limit {
            return self.not_joined(key);
        }
        self.early_bytes.0 += event.weight();
        events.0.push(event);
        // The bound above is per socket. Back-pressure bounds the early events of all sockets, as it bounds the host
        // queue.
        let paused = self.conn(key).is_none_or(|conn| conn.pace.is_paused());
        if self.holds_much() && !paused {
            self.pause(key);
        }
    }
}
