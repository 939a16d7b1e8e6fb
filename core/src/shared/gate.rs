//! May this happen? What a client asks for is decided here, one function for each point on its way in. A shard asks, and
//! carries out the answer; the policies know no shard.
//!
//! | point | asked by | decided by |
//! |---|---|---|
//! | [`Gate::handshake`] | `shard/http/handshake.rs` | the hook `allowRequest` |
//! | [`Gate::connect`] | `shard/sockets/connect.rs`, `questions.rs` | `maxNamespaces`, the namespaces, the hook `namespaces` |
//! | [`Gate::admit`] | `shard/sockets/connect.rs` | the host's middleware, `skipMiddlewares` |

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::options::Hooks;
use crate::shared::core::Core;
use crate::shared::event::Event;
use crate::shared::namespaces::{Admission, NspShared};
use crate::shared::reply::{Decision, Reply};
use crate::types::request::RequestInfo;

/// The policies of a server.
#[derive(Clone, Copy)]
pub(crate) struct Gate<'a>(&'a Core);

/// The answer to a handshake.
pub(crate) enum Opening {
    /// The session is opened.
    Open,
    /// The host decides: it gets the event, and its answer arrives here.
    Ask(Event, oneshot::Receiver<Decision>),
}

/// How much a client has already.
#[derive(Clone, Copy)]
pub(crate) struct Holds {
    /// Its sockets: one per namespace.
    pub sockets: usize,
    /// Whether it has as many open questions as it may.
    pub many_questions: bool,
}

/// The answer to a CONNECT.
pub(crate) enum Entry {
    /// The client gets a socket in this namespace.
    Namespace(Arc<NspShared>),
    /// No such namespace; the host decides whether there shall be one.
    AskHost,
    /// No such namespace.
    Unknown,
    /// The connection is closed, with this detail.
    Close(&'static str),
}

impl Core {
    /// What decides about clients.
    pub(crate) fn gate(&self) -> Gate<'_> {
        Gate(self)
    }
}

impl Gate<'_> {
    /// A request for a new session.
    pub(crate) fn handshake(self, request: &Arc<RequestInfo>, sid: &str) -> Opening {
        if !self.0.hooks.has(Hooks::ALLOW_REQUEST) {
            return Opening::Open;
        }
        let (reply, answer) = Reply::channel();
        Opening::Ask(Event::AllowRequest { request: request.clone(), sid: sid.into(), reply }, answer)
    }

    /// A CONNECT to a namespace.
    pub(crate) fn connect(self, nsp: &str, holds: Holds) -> Entry {
        if holds.many_questions || self.is_full(holds.sockets) {
            return Entry::Close("too many namespaces");
        }
        match self.0.namespaces.get(nsp) {
            Some(shared) => Entry::Namespace(shared),
            None if self.0.hooks.has(Hooks::NAMESPACES) => Entry::AskHost,
            None => Entry::Unknown,
        }
    }

    /// Whether a client with that many sockets may have no other one (`maxNamespaces`).
    pub(crate) fn is_full(self, sockets: usize) -> bool {
        sockets >= self.0.options.max_namespaces
    }

    /// Who accepts a new socket, or one that is back.
    pub(crate) fn admit(self, nsp: &NspShared, is_recovered: bool) -> Admission {
        let skips = self.0.recovery.as_ref().is_some_and(|recovery| recovery.skip_middlewares);
        if nsp.decide() && !(skips && is_recovered) { Admission::Host } else { Admission::Core }
    }
}
