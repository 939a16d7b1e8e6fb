//! Collects the answers to one broadcast with acks, over all shards and all nodes of a fleet.

use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::event::Event;

/// What happens to the broadcast of another node, as it happens.
pub(crate) enum Heard {
    /// All shards have sent; to so many clients.
    Clients(usize),
    /// A client answered.
    Answer(Box<str>, Vec<Bytes>),
}

/// Who asked.
enum Asker {
    /// The host of this node, under this id.
    Host(u64),
    /// Another node: it hears everything at once, and counts itself.
    Node(Box<dyn Fn(Heard) + Send + Sync>),
}

struct State {
    shards_left: usize,
    expected: usize,
    responses: Vec<(Box<str>, Vec<Bytes>)>,
    answered: usize,
    /// Other nodes may still tell of clients.
    nodes_open: bool,
    /// Other nodes that have not told how many clients they asked.
    missing: usize,
    done: bool,
}

/// Shared by the shards that the broadcast went to, and the cluster's thread. Whoever completes it gets the
/// event to pass on.
pub(crate) struct BroadcastAcks {
    asker: Asker,
    state: Mutex<State>,
}

impl BroadcastAcks {
    /// For the host; with `nodes` other nodes are asked too.
    pub(crate) fn new(id: u64, shards: usize, nodes: bool) -> Arc<Self> {
        Self::make(Asker::Host(id), shards, nodes)
    }

    /// For another node.
    pub(crate) fn for_node(shards: usize, tell: Box<dyn Fn(Heard) + Send + Sync>) -> Arc<Self> {
        Self::make(Asker::Node(tell), shards, false)
    }

    fn make(asker: Asker, shards: usize, nodes: bool) -> Arc<Self> {
        let state = State {
            shards_left: shards,
            expected: 0,
            responses: Vec::new(),
            answered: 0,
            nodes_open: nodes,
            missing: 0,
            done: false,
        };
        Arc::new(Self { asker, state: Mutex::new(state) })
    }

    /// A shard has sent to `recipients` clients.
    pub(crate) fn sent(&self, recipients: usize) -> Option<Event> {
        self.update(|state| {
            state.shards_left -= 1;
            state.expected += recipients;
            let all = state.shards_left == 0;
            if let (true, Asker::Node(tell)) = (all, &self.asker) {
                tell(Heard::Clients(state.expected));
            }
        })
    }

    /// A client answered; `first` is the JSON text of its first argument.
    pub(crate) fn answered(&self, first: Box<str>, attachments: Vec<Bytes>) -> Option<Event> {
        self.update(|state| {
            state.answered += 1;
            match &self.asker {
                Asker::Host(_) => state.responses.push((first, attachments)),
                Asker::Node(tell) => tell(Heard::Answer(first, attachments)),
            }
        })
    }

    /// Another node has asked so many clients.
    pub(crate) fn node_sent(&self, recipients: usize) -> Option<Event> {
        self.update(|state| state.expected += recipients)
    }

    /// How many other nodes have not told yet; with `open` they are waited for.
    pub(crate) fn nodes_missing(&self, missing: usize, open: bool) -> Option<Event> {
        self.update(|state| {
            state.missing = missing;
            state.nodes_open = open;
        })
    }

    /// Nobody waits for anything any more.
    pub(crate) fn is_done(&self) -> bool {
        self.state.lock().unwrap_or_else(|e| e.into_inner()).done
    }

    /// The time is over.
    pub(crate) fn timed_out(&self) -> Option<Event> {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        if state.done { None } else { self.finish(&mut state, true) }
    }

    fn update(&self, change: impl FnOnce(&mut State)) -> Option<Event> {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        if state.done {
            return None;
        }
        change(&mut state);
        let complete = state.shards_left == 0 && !state.nodes_open && state.answered == state.expected;
        if complete { self.finish(&mut state, false) } else { None }
    }

    fn finish(&self, state: &mut State, timed_out: bool) -> Option<Event> {
        state.done = true;
        let Asker::Host(id) = self.asker else { return None };
        Some(Event::BroadcastAck {
            id,
            timed_out,
            expected: state.expected,
            missing: state.missing,
            responses: std::mem::take(&mut state.responses),
        })
    }
}
