//! Collects the answers to one broadcast with acks, over all shards.

use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::event::Event;

struct State {
    shards_left: usize,
    expected: usize,
    responses: Vec<(Box<str>, Vec<Bytes>)>,
    done: bool,
}

/// Shared by the shards that the broadcast went to. Whoever completes it gets the event to pass on.
pub(crate) struct BroadcastAcks {
    id: u64,
    state: Mutex<State>,
}

impl BroadcastAcks {
    pub(crate) fn new(id: u64, shards: usize) -> Arc<Self> {
        Arc::new(Self {
            id,
            state: Mutex::new(State { shards_left: shards, expected: 0, responses: Vec::new(), done: false }),
        })
    }

    /// A shard has sent to `recipients` clients.
    pub(crate) fn sent(&self, recipients: usize) -> Option<Event> {
        self.update(|state| {
            state.shards_left -= 1;
            state.expected += recipients;
        })
    }

    /// A client answered; `first` is the JSON text of its first argument.
    pub(crate) fn answered(&self, first: Box<str>, attachments: Vec<Bytes>) -> Option<Event> {
        self.update(|state| state.responses.push((first, attachments)))
    }

    /// Nobody waits for answers any more.
    pub(crate) fn is_done(&self) -> bool {
        self.state.lock().unwrap_or_else(|e| e.into_inner()).done
    }

    /// The time is over.
    pub(crate) fn timed_out(&self) -> Option<Event> {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        (!state.done).then(|| self.finish(&mut state, true))
    }

    fn update(&self, change: impl FnOnce(&mut State)) -> Option<Event> {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        if state.done {
            return None;
        }
        change(&mut state);
        let complete = state.shards_left == 0 && state.responses.len() == state.expected;
        complete.then(|| self.finish(&mut state, false))
    }

    fn finish(&self, state: &mut State, timed_out: bool) -> Event {
        state.done = true;
        Event::BroadcastAck {
            id: self.id,
            timed_out,
            expected: state.expected,
            responses: std::mem::take(&mut state.responses),
        }
    }
}
