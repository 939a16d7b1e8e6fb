//! Collector of the answers to one broadcast with acks, over all shards and all nodes of a fleet.

use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;

use crate::shared::answer_room::{AnswerRoom, Collected};
use crate::shared::event::Event;
use crate::types::target::Reach;

/// Limit of the list of sockets that did not answer.
const MAX_SILENT: usize = 1000;
/// Memory that an answer takes beside its bytes, estimated.
const FLAT: usize = 64;

/// Progress of another node's broadcast on this node.
pub(crate) enum AckProgress {
    /// All shards have sent, to this number of clients.
    Clients(usize),
    /// A client answered.
    Answer(Box<str>, Vec<Bytes>),
}

/// Sender of the broadcast.
enum Asker {
    /// The host of this node, with its ack id.
    Host(u64),
    /// Another node. It gets each answer immediately, and counts them itself.
    Node(Box<dyn Fn(AckProgress) + Send + Sync>),
}

struct State {
    shards_left: usize,
    /// Shards that have sent and whose time-out has passed.
    shards_late: usize,
    expected: usize,
    responses: Vec<(Box<str>, Vec<Bytes>)>,
    room: Collected,
    answered: usize,
    /// Answers that exceeded the [`AnswerRoom`].
    refused: usize,
    /// Sockets of this node that left, whose answer was refused, or that did not answer in time; at most
    /// [`MAX_SILENT`].
    silent: Vec<Box<str>>,
    /// Other nodes may still report clients.
    nodes_open: bool,
    /// Other nodes that have not reported how many clients they asked.
    missing: usize,
    done: bool,
}

impl State {
    fn name_silent(&mut self, id: &str) {
        if self.silent.len() < MAX_SILENT {
            self.silent.push(id.into());
        }
    }
}

/// State of one broadcast with acks, shared by the shards that it went to and the cluster's thread. The call that
/// completes the broadcast returns the event for the host.
pub(crate) struct BroadcastAcks {
    asker: Asker,
    shards: usize,
    state: Mutex<State>,
}

impl BroadcastAcks {
    /// Collector for the host, which asks clients of this node or of the fleet.
    pub(crate) fn new(id: u64, shards: usize, reach: Reach, room: &Arc<AnswerRoom>) -> Arc<Self> {
        Self::make(Asker::Host(id), shards, reach, room)
    }

    /// Collector for another node.
    pub(crate) fn for_node(
        shards: usize,
        room: &Arc<AnswerRoom>,
        report: Box<dyn Fn(AckProgress) + Send + Sync>,
    ) -> Arc<Self> {
        Self::make(Asker::Node(report), shards, Reach::Node, room)
    }

    fn make(asker: Asker, shards: usize, reach: Reach, room: &Arc<AnswerRoom>) -> Arc<Self> {
        let state = State {
            shards_left: shards,
            shards_late: 0,
            expected: 0,
            responses: Vec::new(),
            room: Collected::new(room),
            answered: 0,
            refused: 0,
            silent: Vec::new(),
            nodes_open: reach == Reach::Fleet,
            missing: 0,
            done: false,
        };
        Arc::new(Self { asker, shards, state: Mutex::new(state) })
    }

    /// A shard has sent to `recipients` clients.
    pub(crate) fn sent(&self, recipients: usize) -> Option<Event> {
        self.update(|state| {
            state.shards_left -= 1;
            state.expected += recipients;
            let all = state.shards_left == 0;
            if let (true, Asker::Node(report)) = (all, &self.asker) {
                report(AckProgress::Clients(state.expected));
            }
        })
    }

    /// A client answered; `first` is the JSON text of its first argument. `id` is set for a socket of this node.
    pub(crate) fn answered(&self, id: Option<&str>, first: &str, attachments: Vec<Bytes>) -> Option<Event> {
        self.update(|state| match &self.asker {
            Asker::Host(_) => {
                let bytes = FLAT + first.len() + attachments.iter().map(|a| FLAT + a.len()).sum::<usize>();
                if state.room.add(bytes) {
                    state.answered += 1;
                    state.responses.push((first.into(), attachments));
                } else {
                    state.refused += 1;
                    id.into_iter().for_each(|id| state.name_silent(id));
                }
            }
            Asker::Node(report) => {
                state.answered += 1;
                report(AckProgress::Answer(first.into(), attachments));
            }
        })
    }

    /// A client left without an answer.
    pub(crate) fn left(&self, id: &str) {
        let mut state = self.lock();
        if !state.done && self.wants_silent() {
            state.name_silent(id);
        }
    }

    /// Another node has asked `recipients` clients.
    pub(crate) fn node_sent(&self, recipients: usize) -> Option<Event> {
        self.update(|state| state.expected += recipients)
    }

    /// Sets how many other nodes have not reported yet. The broadcast still waits for them.
    pub(crate) fn awaits_nodes(&self, missing: usize) -> Option<Event> {
        self.update(|state| {
            state.missing = missing;
            state.nodes_open = true;
        })
    }

    /// Ends the wait for other nodes; `missing` of them have not reported.
    pub(crate) fn nodes_done(&self, missing: usize) -> Option<Event> {
        self.update(|state| {
            state.missing = missing;
            state.nodes_open = false;
        })
    }

    /// Whether the broadcast is complete or timed out.
    pub(crate) fn is_done(&self) -> bool {
        self.lock().done
    }

    /// Whether the sender wants the ids of sockets that did not answer.
    pub(crate) fn wants_silent(&self) -> bool {
        matches!(self.asker, Asker::Host(_))
    }

    /// The time-out of a shard has passed, and its sockets `silent` have not answered. The last shard to time out
    /// completes the broadcast.
    pub(crate) fn timed_out<'a>(&self, silent: impl Iterator<Item = &'a str>) -> Option<Event> {
        let mut state = self.lock();
        if state.done {
            return None;
        }
        silent.take(MAX_SILENT).for_each(|id| state.name_silent(id));
        state.shards_late += 1;
        let last = state.shards_late >= self.shards - state.shards_left;
        if last { self.finish(&mut state) } else { None }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn update(&self, change: impl FnOnce(&mut State)) -> Option<Event> {
        let mut state = self.lock();
        if state.done {
            return None;
        }
        change(&mut state);
        let all = state.answered + state.refused == state.expected;
        let complete = state.shards_left == 0 && !state.nodes_open && all;
        if complete { self.finish(&mut state) } else { None }
    }

    fn finish(&self, state: &mut State) -> Option<Event> {
        state.done = true;
        let responses = std::mem::take(&mut state.responses);
        // From here on the host queue counts their bytes.
        state.room.clear();
        let Asker::Host(id) = self.asker else { return None };
        Some(Event::BroadcastAck {
            id,
            timed_out: state.nodes_open || state.shards_left > 0 || state.answered < state.expected,
            expected: state.expected,
            missing: state.missing,
            silent: std::mem::take(&mut state.silent),
            responses,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event: Option<Event>) -> (bool, usize, Vec<Box<str>>) {
        match event {
            Some(Event::BroadcastAck { timed_out, responses, silent, .. }) => {
                (timed_out, responses.len(), silent)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_beyond_the_room_count_as_timed_out_and_room_comes_back() {
        let room = AnswerRoom::new(1000);
        let acks = BroadcastAcks::new(1, 1, Reach::Node, &room);
        assert!(acks.sent(3).is_none());
        assert!(acks.answered(Some("a"), &"x".repeat(600), Vec::new()).is_none());
        assert!(acks.answered(Some("b"), &"x".repeat(600), Vec::new()).is_none());
        assert_eq!(event(acks.answered(Some("c"), "1", Vec::new())), (true, 2, vec!["b".into()]));
        assert_eq!((room.bytes(), room.refused()), (0, 1));
        let acks = BroadcastAcks::new(2, 1, Reach::Node, &room);
        acks.sent(1);
        assert_eq!(event(acks.answered(None, &"x".repeat(600), Vec::new())), (false, 1, vec![]));
    }

    #[test]
    fn those_who_did_not_answer_are_named_when_the_last_shard_has_waited() {
        let room = AnswerRoom::new(1 << 20);
        let acks = BroadcastAcks::new(1, 2, Reach::Node, &room);
        acks.sent(2);
        acks.sent(2);
        acks.answered(Some("a"), "1", Vec::new());
        acks.left("b");
        assert!(acks.timed_out(["c"].into_iter()).is_none());
        let silent = ["b", "c", "d"].map(Box::from).to_vec();
        assert_eq!(event(acks.timed_out(["d"].into_iter())), (true, 1, silent));
        assert!(acks.timed_out(["d"].into_iter()).is_none());
    }
}
