//! Namespaces that a client wants to join and somebody has to decide about first: the host, or the end of the client's earlier
//! connection.

use std::sync::Arc;

use smallvec::SmallVec;

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

/// What a connection waits for.
#[derive(Default)]
pub(in crate::shard) struct NamespaceQuestions {
    /// Answers that are still to come, also those that the client does not wait for any more.
    open: u32,
    /// Bytes of names and payloads in them.
    bytes: usize,
    /// Namespaces that the client waits for, each with the number of the question about it.
    awaited: SmallVec<[(Box<str>, u32); 0]>,
    /// Questions so far.
    count: u32,
}

impl NamespaceQuestions {
    /// The client has asked for as many as it may.
    pub(in crate::shard) fn are_many(&self) -> bool {
        self.open >= MAX_ASKING
    }
}

impl State {
    /// The host decides about a namespace that does not exist (yet).
    pub(in crate::shard) fn ask_for_namespace(&mut self, key: ConnKey, nsp: &str, auth: &str) {
        let limit = self.core.options.max_http_buffer_size;
        let conn = &mut self.conns[key.slot];
        // All that a client has asked for at once takes no more than one message may.
        if conn.questions.bytes + nsp.len() + auth.len() > limit {
            return self.close_conn(key, Reason::ForcedClose, "too many namespaces", CloseStyle::Ws(1008));
        }
        conn.questions.bytes += nsp.len() + auth.len();
        let request = conn.request.clone();
        let (reply, answer) = Reply::channel();
        let question = self.ask(key, nsp);
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

    /// The client waits for an answer about a namespace; gives the number of the question.
    pub(in crate::shard) fn ask(&mut self, key: ConnKey, nsp: &str) -> u32 {
        let questions = &mut self.conns[key.slot].questions;
        questions.open += 1;
        questions.count = questions.count.wrapping_add(1);
        questions.awaited.push((nsp.into(), questions.count));
        questions.count
    }

    /// The client does not wait for a namespace any more; whether it did.
    pub(in crate::shard) fn forget_question(&mut self, key: ConnKey, nsp: &str) -> bool {
        let Some(conn) = self.conn(key) else { return false };
        let awaited = &mut conn.questions.awaited;
        let before = awaited.len();
        awaited.retain(|(name, _)| **name != *nsp);
        awaited.len() < before
    }

    /// An answer came; whether the client still waits for it.
    fn answered(&mut self, key: ConnKey, question: u32) -> bool {
        let Some(conn) = self.live(key) else { return false };
        let NamespaceQuestions { open, awaited, .. } = &mut conn.questions;
        *open -= 1;
        let before = awaited.len();
        awaited.retain(|(_, number)| *number != question);
        awaited.len() < before
    }

    fn namespace_decided(&mut self, key: ConnKey, nsp: &str, auth: &str, allowed: bool, question: u32) {
        let Some(conn) = self.live(key) else { return };
        conn.questions.bytes -= nsp.len() + auth.len();
        if !self.answered(key, question) {
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
        if self.answered(key, question) {
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
