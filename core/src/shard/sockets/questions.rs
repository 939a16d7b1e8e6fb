//! Namespaces that a client waits to join: the host has to decide about them first, or the client's earlier connection
//! has to end.

use std::sync::Arc;

use crate::shard::conn::close::CloseStyle;
use crate::shard::state::State;
use crate::shared::event::Event;
use crate::shared::namespaces::NspShared;
use crate::shared::reply::Reply;
use crate::types::ids::ConnKey;
use crate::types::reason::Reason;

/// Most open questions of one client. This is far above what a client means to join, and far below what would make a
/// flood cost memory.
const MAX_ASKING: u32 = 1024;

/// The open questions of a connection; most have none, and cost a pointer.
#[derive(Default)]
pub(in crate::shard) struct NamespaceQuestions(Option<Box<OpenQuestions>>);

#[derive(Default)]
struct OpenQuestions {
    /// Answers that are still to come, also those that the client no longer waits for.
    open: u32,
    /// Bytes of the names and payloads that open questions hold.
    bytes: usize,
    /// Namespaces that the client waits for, each with the number of the question about it.
    awaited: Vec<(Box<str>, u32)>,
    /// The number of the newest question.
    count: u32,
}

impl NamespaceQuestions {
    /// Whether the client has as many open questions as it may.
    pub(in crate::shard) fn are_many(&self) -> bool {
        self.0.as_ref().is_some_and(|questions| questions.open >= MAX_ASKING)
    }

    /// Adds a question that holds `bytes`, and returns its number; `None` if all together would hold more than `limit`.
    fn add(&mut self, nsp: &str, bytes: usize, limit: usize) -> Option<u32> {
        let questions = self.0.get_or_insert_default();
        if questions.bytes + bytes > limit {
            return None;
        }
        questions.bytes += bytes;
        questions.open += 1;
        questions.count += 1;
        questions.awaited.push((nsp.into(), questions.count));
        Some(questions.count)
    }

    /// Stops waiting for a namespace; returns whether the client did wait.
    fn forget(&mut self, nsp: &str) -> bool {
        let Some(questions) = &mut self.0 else { return false };
        let before = questions.awaited.len();
        questions.awaited.retain(|(name, _)| **name != *nsp);
        questions.awaited.len() < before
    }

    /// Records an answer; returns whether the client still waits for it.
    fn answered(&mut self, question: u32, bytes: usize) -> bool {
        let Some(questions) = &mut self.0 else { return false };
        questions.open -= 1;
        questions.bytes -= bytes;
        let before = questions.awaited.len();
        questions.awaited.retain(|(_, number)| *number != question);
        let waits = questions.awaited.len() < before;
        // With no open question the numbers may start over: no late answer can be taken for another question's.
        if questions.open == 0 {
            self.0 = None;
        }
        waits
    }
}

impl State {
    /// Asks the host about a namespace that does not exist (yet).
    pub(in crate::shard) fn ask_for_namespace(&mut self, key: ConnKey, nsp: &str, auth: &str) {
        let limit = self.core.options.max_http_buffer_size;
        let conn = &mut self.conns[key.slot];
        // The open questions of a client together hold no more than one message may.
        let Some(question) = conn.questions.add(nsp, nsp.len() + auth.len(), limit) else {
            return self.close_conn(key, Reason::ForcedClose, "too many namespaces", CloseStyle::Ws(1008));
        };
        let request = conn.request.clone();
        let (reply, answer) = Reply::channel();
        self.event(Event::Namespace { name: nsp.into(), auth: auth.into(), request, reply });
        self.caused_event(key);
        let (shard, nsp, auth) = (self.shard.clone(), Box::<str>::from(nsp), Box::<str>::from(auth));
        crate::shard::spawn(self.shard(), async move {
            let allowed = answer.await.unwrap_or(false);
            if let Some(shard) = shard.upgrade() {
                shard.with(|state| state.namespace_decided(key, &nsp, &auth, allowed, question));
            }
        });
    }

    /// Makes the client wait for the end of its earlier connection; returns the number of the question.
    pub(in crate::shard) fn ask_for_end(&mut self, key: ConnKey, nsp: &str) -> u32 {
        let question = self.conns[key.slot].questions.add(nsp, 0, usize::MAX);
        question.expect("no limit is exceeded")
    }

    /// Stops waiting for a namespace; returns whether the client did wait.
    pub(in crate::shard) fn forget_question(&mut self, key: ConnKey, nsp: &str) -> bool {
        self.conn(key).is_some_and(|conn| conn.questions.forget(nsp))
    }

    fn namespace_decided(&mut self, key: ConnKey, nsp: &str, auth: &str, allowed: bool, question: u32) {
        let Some(conn) = self.live(key) else { return };
        if !conn.questions.answered(question, nsp.len() + auth.len()) {
            return;
        }
        match self.core.namespaces.get(nsp).filter(|_| allowed) {
            Some(shared) => self.join_late(key, &shared, auth, true),
            None => self.unknown_namespace(key, nsp),
        }
    }

    /// Joins a client to the namespace after its earlier connection has ended.
    pub(in crate::shard) fn earlier_ended(
        &mut self,
        key: ConnKey,
        shared: &Arc<NspShared>,
        auth: &str,
        question: u32,
    ) {
        if self.live(key).is_some_and(|conn| conn.questions.answered(question, 0)) {
            self.join_late(key, shared, auth, false);
        }
    }

    /// Joins a client to a namespace some time after it asked. The limit is checked again, as it may have joined others
    /// since.
    fn join_late(&mut self, key: ConnKey, shared: &Arc<NspShared>, auth: &str, may_wait: bool) {
        if self.core.gate().is_full(self.conns[key.slot].sockets.len()) {
            self.close_conn(key, Reason::ForcedClose, "too many namespaces", CloseStyle::Ws(1008));
        } else {
            self.create_socket(key, shared, auth, may_wait);
        }
    }
}
