//! The transports of a session: a WebSocket, or HTTP polling.

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
    /// Don't read: the host queue is too long.
    Paused,
    /// The session is over. Read and discard until the peer closes, so that the last writes are not lost to a reset.
    Drain,
    /// Stop at once.
    Stop,
}

/// Control of a reader task by its connection.
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

    /// Sets the state and wakes the task. `Stop` and `Drain` are final.
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

/// The parameters agreed on in a WebSocket's opening request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Agreed {
    /// permessage-deflate was negotiated.
    pub deflate: bool,
    /// The client wants text only (`b64` in its query); binary is sent as base64.
    pub base64: bool,
}

/// The WebSocket of a session.
pub(crate) struct WsTransport {
    pub write: WriteHalf,
    pub ctl: Rc<ReaderCtl>,
    pub agreed: Agreed,
    /// The kernel's buffer is full, and a drain task waits until it can be written to.
    pub blocked: bool,
}

/// A pending poll: a GET that waits for packets.
pub(crate) struct PollWaiter {
    pub reply: oneshot::Sender<Answer>,
    pub shape: PollShape,
}

/// A POST that is being read or handled, or whose response is held back.
pub(crate) struct PostWaiter {
    pub reply: oneshot::Sender<Answer>,
    pub shape: PollShape,
    /// The response, kept while the connection may not send more because the host is behind.
    pub held: Option<Answer>,
}

impl PostWaiter {
    /// Sends the response that was held back.
    pub(crate) fn answer(self) {
        if let Some(answer) = self.held {
            let _ = self.reply.send(answer);
        }
    }
}

/// The form of the payloads for a polling client.
#[derive(Debug, Clone, Default)]
pub(crate) struct PollShape {
    pub b64: bool,
    pub jsonp: Option<String>,
    /// `gzip` or `deflate`, if the client accepts it and the options allow it.
    pub encoding: Option<&'static str>,
    /// Headers for the response: CORS, and those of the host.
    pub headers: http::HeaderMap,
}

/// The long-polling state of a session.
#[derive(Default)]
pub(crate) struct Polling {
    /// The client's first request said that it can't take binary (Engine.IO 3).
    pub b64: bool,
    pub get: Option<PollWaiter>,
    pub post: Option<PostWaiter>,
    /// Alive while a response with packets is being sent.
    pub answer: Weak<()>,
}

pub(crate) enum Transport {
    WebSocket(WsTransport),
    Polling(Box<Polling>),
}

/// A WebSocket that probes for an upgrade of a polling session.
pub(crate) struct Probe {
    pub ws: WsTransport,
    /// Frames to be written to the probe.
    pub outbox: Outbox,
    /// `2probe` was received and answered.
    pub probed: bool,
    /// Distinguishes this probe from earlier ones of the session.
    pub number: u32,
}
