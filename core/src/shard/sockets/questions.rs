//! Namespaces that a client wants to join and somebody has to decide about first: the host, or the end of the client's earlier
//! connection.

use std::sync::Arc;

use crate::shard::conn::close::CloseStyle;
use crate::shard::state::State;
use crate::shared::event::Event;
use crate::shared::namespaces::NspShared;
use crate::shared::reply::Reply;
use crate::types::ids::ConnKey;
use crate::types::reason::Reason;

/// Namespaces of one client that the host may be asked about at once. Far above what a client means to
/// join, far below what would make a flood cost memory.
const MAX_ASKING: u32 = 1024;

/// What a connection waits for; most wait for nothing, and pay a pointer.
#[derive(Default)]
pub(in crate::shard) struct NamespaceQuestions(Option<Box<OpenQuestions>>);

#[derive(Default)]
struct OpenQuestions {
    /// Answers that are still to come, also those that the client does not wait for any more.
    open: u32,
    /// Bytes of names and payloads in them.
    bytes: usize,
    /// Namespaces that the client waits for, each with the number of the question about it.
    awaited: Vec<(Box<str>, u32)>,
    /// Questions so far.
    count: u32,
}

impl NamespaceQuestions {
    /// The client has asked for as many as it may.
    pub(in crate::shard) fn are_many(&self) -> bool {
        self.0.as_ref().is_some_and(|questions| questions.open >= MAX_ASKING)
    }

    /// Adds a question that keeps so many bytes, and gives its number. `None`: all of them keep more than `limit` then.
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

    /// The client does not wait for a namespace any more; whether it did.
    fn forget(&mut self, nsp: &str) -> bool {
        let Some(questions) = &mut self.0 else { return false };
        let before = questions.awaited.len();
        questions.awaited.retain(|(name, _)| **name != *nsp);
        questions.awaited.len() < before
    }

    /// An answer came; whether the client still waits for it.
    fn answered(&mut self, question: u32, bytes: usize) -> bool {
        let Some(questions) = &mut self.0 else { return false };
        questions.open -= 1;
        questions.bytes -= bytes;
        let before = questions.awaited.len();
        questions.awaited.retain(|(_, number)| *number != question);
        let waits = questions.awaited.len() < before;
        // No answer is under way that could be taken for one to a later question.
        if questions.open == 0 {
            self.0 = None;
        }
        waits
    }
}

impl State {
    /// The host decides about a namespace that does not exist (yet).
    pub(in crate::shard) fn ask_for_namespace(&mut self, key: ConnKey, nsp: &str, auth: &str) {
        let limit = self.core.options.max_http_buffer_size;
        let conn = &mut self.conns[key.slot];
        // All that a client has asked for at once takes no more than one message may.
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

    /// The client waits for the end of its earlier connection; gives the number of the question.
    pub(in crate::shard) fn ask_for_end(&mut self, key: ConnKey, nsp: &str) -> u32 {
        let question = self.conns[key.slot].questions.add(nsp, 0, usize::MAX);
        question.expect("no limit is exceeded")
    }

    /// The client does not wait for a namespace any more; whether it did.
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

    /// The earlier connection of a client that is back has ended.
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

    /// A client joins a namespace some time after it asked to.
    fn join_late(&mut self, key: ConnKey, shared: &Arc<NspShared>, auth: &str, may_wait: bool) {
        if self.conns[key.slot].sockets.len() >= self.core.options.max_namespaces {
            self.close_conn(key, Reason::ForcedClose, "too many namespaces", CloseStyle::Ws(1008));
        } else {
            self.create_socket(key, shared, auth, may_wait);
        }
    }
}
