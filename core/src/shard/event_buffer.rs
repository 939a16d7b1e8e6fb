//! Events of this turn, on their way to the host.

use crate::shared::event::Event;
use crate::shared::host_queue::HostQueue;

/// The events that the host gets at the end of the turn.
#[derive(Default)]
pub(in crate::shard) struct EventBuffer {
    events: Vec<Event>,
    /// The bytes for which `events` counts in the host queue.
    weight: usize,
    /// Number of events that this shard has ever made.
    count: u64,
}

impl EventBuffer {
    pub(in crate::shard) fn push(&mut self, event: Event) {
        self.count += 1;
        self.weight += event.weight();
        self.events.push(event);
    }

    pub(in crate::shard) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The bytes for which the buffered events count in the host queue.
    pub(in crate::shard) fn weight(&self) -> usize {
        self.weight
    }

    /// The number of the newest event, counted from the shard's first.
    pub(in crate::shard) fn count(&self) -> u64 {
        self.count
    }

    pub(in crate::shard) fn hand_over(&mut self, host: &HostQueue, shard: usize) {
        self.weight = 0;
        host.push(shard, &mut self.events);
    }
}
