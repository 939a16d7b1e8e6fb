//! The events of a server on their way from the core to the host.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use kraken_ws_core::{Event, Events};

use crate::border::{Wake, lock};

/// Queue of events between the core and the host.
struct Source {
    /// `None` if Node takes the events.
    events: Option<Events>,
    /// Events taken from the core before the host polls, while a close waits for the server to end.
    early: VecDeque<Event>,
    /// Whether the core's last event is in `early` or has gone to the host.
    closed: bool,
}

impl Source {
    fn pull(&mut self, out: &mut Vec<Event>, max: usize) -> usize {
        let n = self.events.as_mut().map_or(0, |events| events.recv_batch(out, max));
        self.closed |= out.iter().rev().take(n).any(|event| matches!(event, Event::Closed));
        n
    }
}

pub(crate) struct Inbox {
    source: Mutex<Source>,
    pub(crate) wake: Arc<Wake>,
}

impl Inbox {
    pub(crate) fn new(events: Option<Events>) -> Self {
        let wake = Arc::new(Wake::default());
        let shared = wake.clone();
        if let Some(events) = &events {
            events.on_wake(Box::new(move || shared.wake()));
        }
        Self { source: Mutex::new(Source { events, early: VecDeque::new(), closed: false }), wake }
    }

    /// Adds up to `max` events to `out`; returns how many.
    pub(crate) fn take(&self, out: &mut Vec<Event>, max: usize) -> usize {
        let mut source = lock(&self.source);
        // Emptied before the look: an event that arrives afterwards makes the pipe readable again.
        self.wake.drain();
        let early = source.early.len().min(max);
        out.extend(source.early.drain(..early));
        let n = early + if early < max { source.pull(out, max - early) } else { 0 };
        if n == max {
            self.wake.wake(); // more may wait
        }
        n
    }

    /// Takes all events from the core and keeps them for the host; true when the server has ended.
    pub(crate) fn set_aside(&self) -> bool {
        let mut source = lock(&self.source);
        let mut batch = Vec::new();
        while source.pull(&mut batch, 256) > 0 {}
        if !batch.is_empty() {
            source.early.extend(batch);
            self.wake.wake();
        }
        source.closed
    }

    /// Whether the server has ended and the host has taken all events.
    pub(crate) fn is_over(&self) -> bool {
        let source = lock(&self.source);
        source.closed && source.early.is_empty()
    }
}
