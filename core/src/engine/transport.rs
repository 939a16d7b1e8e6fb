//! The transports of a session: a WebSocket, or HTTP polls.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Weak;
use std::task::Waker;

use tokio::sync::oneshot;

use crate::engine::outbox::Outbox;
use crate::net::http::Answer;
use crate::net::stream::WriteHalf;

/// What the reader task of a WebSocket should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReaderState {
    Run,
    /// Too many events wait for the host: do not read.
    Paused,
    /// The session is over; read and discard until the peer closes, so that what we wrote arrives.
    Drain,
    /// Stop at once.
    Stop,
}

/// Shared by a reader task and its connection.
pub(crate) struct ReaderCtl {
    state: Cell<ReaderState>,
    waker: RefCell<Option<Waker>>,
}

impl ReaderCtl {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self { state: Cell::new(ReaderState::Run), waker: RefCell::new(None) })
    }

    pub(crate) fn state(&self) -> ReaderState {
        self.state.get()
    }

    /// Changes the state and wakes the task. `Stop` and `Drain` are final.
    pub(crate) fn set(&self, state: ReaderState) {
        if matches!(self.state.get(), ReaderState::Stop) {
            return;
        }
        self.state.set(state);
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    pub(crate) fn remember(&self, waker: &Waker) {
        let mut slot = self.waker.borrow_mut();
        if !slot.as_ref().is_some_and(|w| w.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }
}

/// What a WebSocket's opening request settled.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Agreed {
    /// permessage-deflate.
    pub deflate: bool,
    /// The client asked for text only (`b64` in its query): binary is sent as base64.
    pub base64: bool,
}

/// A WebSocket as the session sees it.
pub(crate) struct WsTransport {
    pub write: WriteHalf,
    pub ctl: Rc<ReaderCtl>,
    pub agreed: Agreed,
    /// The kernel's buffer is full and a drain task waits for it.
    pub blocked: bool,
}

/// A poll that waits for packets.
pub(crate) struct PollWaiter {
    pub reply: oneshot::Sender<Answer>,
    pub shape: PollShape,
}

/// A POST that is being read, handled or held back.
pub(crate) struct PostWaiter {
    pub reply: oneshot::Sender<Answer>,
    pub shape: PollShape,
    /// The answer, kept while the connection may not send more (the host is behind).
    pub held: Option<Answer>,
}

impl PostWaiter {
    /// Sends the answer that was held back.
    pub(crate) fn answer(self) {
        if let Some(answer) = self.held {
            let _ = self.reply.send(answer);
        }
    }
}

/// How a polling client wants its payloads.
#[derive(Debug, Clone, Default)]
pub(crate) struct PollShape {
    pub b64: bool,
    pub jsonp: Option<String>,
    /// `gzip` or `deflate`, if the client accepts it and the option allows it.
    pub encoding: Option<&'static str>,
    /// Headers for the answer: CORS and what the host added.
    pub headers: http::HeaderMap,
}

/// Long-polling state.
#[derive(Default)]
pub(crate) struct Polling {
    /// The client said with its first request that it can't take binary (Engine.IO 3).
    pub b64: bool,
    pub get: Option<PollWaiter>,
    pub post: Option<PostWaiter>,
    /// Alive while an answer with packets is under way.
    pub answer: Weak<()>,
}

pub(crate) enum Transport {
    WebSocket(WsTransport),
    Polling(Box<Polling>),
}

/// A WebSocket that is being probed for a polling session.
pub(crate) struct Probe {
    pub ws: WsTransport,
    /// What waits to be written to it.
    pub outbox: Outbox,
    /// `2probe` came and was answered.
    pub probed: bool,
    /// Distinguishes this probe from an earlier one of the same session.
    pub number: u32,
}
