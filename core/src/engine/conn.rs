//! One Engine.IO session as its shard holds it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::task::Waker;

use bytes::Bytes;
use smallvec::SmallVec;
use tokio::sync::oneshot;

use super::frame::Form;
use super::outbox::Outbox;
use super::sid::Id;
use crate::host::RequestInfo;
use crate::net::http::Answer;
use crate::net::stream::WriteHalf;
use crate::socketio::packet::PacketType;

/// Names a connection within its shard; the generation tells a reused slot apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ConnKey {
    pub slot: u32,
    pub generation: u32,
}

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

/// A packet whose attachments are still coming.
pub(crate) struct Partial {
    pub socket: u32,
    pub kind: PacketType,
    pub id: Option<u64>,
    pub data: Box<str>,
    pub want: usize,
    pub have: Vec<Bytes>,
    pub bytes: usize,
}

/// What is known of a client for which something waits. Times in wheel ticks.
#[derive(Default)]
pub(crate) struct Behind {
    pub since: u64,
    /// Bytes that it has taken since then.
    pub taken: usize,
    /// When it is looked at, or 0, and what it had taken when that was decided.
    pub armed: u64,
    pub mark: usize,
}

/// One Engine.IO session.
pub(crate) struct Conn {
    pub generation: u32,
    pub sid: Id,
    /// The id that the client knows, if the host chose it.
    pub alias: Option<Box<str>>,
    /// Engine.IO protocol: 3 or 4.
    pub protocol: u8,
    pub transport: Transport,
    pub outbox: Outbox,
    /// While something waits that could not be written at once.
    pub behind: Option<Box<Behind>>,
    /// In the shard's list of connections to flush.
    pub dirty: bool,
    /// Waits for a pong (protocol 4).
    pub awaiting_pong: bool,
    /// When the heartbeat acts next, in wheel ticks, and the tick its wheel entry is at.
    pub deadline: u64,
    pub armed: u64,
    pub request: Arc<RequestInfo>,
    /// The sockets of this client: (namespace, slot).
    pub sockets: SmallVec<[(u32, u32); 1]>,
    pub partial: Option<Box<Partial>>,
    pub probe: Option<Box<Probe>>,
    pub probes: u32,
    /// Answers about namespaces that are awaited, also for those that the client does not wait for any more.
    pub asking: u32,
    /// Bytes of names and payloads in these.
    pub asking_bytes: usize,
    /// Namespaces that the client waits for, each with the number of the question about it.
    pub asked: SmallVec<[(Box<str>, u32); 0]>,
    pub questions: u32,
    /// Number of the newest event that this connection caused, and how many since the host caught up.
    pub last_event: u64,
    pub pending_events: u32,
    pub paused: bool,
    /// The server has ended the session and its client is still to be told.
    pub ending: bool,
    /// Only with a host that goes below Socket.IO, and seldom there.
    pub raw: Option<Box<RawState>>,
}

/// What the host waits for, below Socket.IO.
#[derive(Default)]
pub(crate) struct RawState {
    /// The host is shown the engine's packets.
    pub watched: bool,
    /// The volatile packet that is being sent was dropped, and its further frames with it.
    pub dropping: bool,
    /// Numbers to report when the outbox is empty.
    pub flushes: Vec<u64>,
}

impl Conn {
    /// The session id as the client knows it.
    pub(crate) fn public_sid(&self) -> &str {
        self.alias.as_deref().unwrap_or(self.sid.as_str())
    }

    /// Is the host shown the engine's packets?
    pub(crate) fn watched(&self) -> bool {
        self.raw.as_ref().is_some_and(|raw| raw.watched)
    }

    /// The WebSocket form that this connection is sent.
    pub(crate) fn form(&self, threshold: Option<usize>) -> Form {
        let agreed = match &self.transport {
            Transport::WebSocket(ws) => ws.agreed,
            Transport::Polling(_) => Agreed::default(),
        };
        Form { v3: self.protocol == 3, base64: agreed.base64, deflate: threshold.filter(|_| agreed.deflate) }
    }

    /// After writing: `before` bytes were left.
    pub(crate) fn took(&mut self, before: usize) {
        if self.outbox.is_empty() {
            self.behind = None;
        } else if let Some(behind) = &mut self.behind {
            behind.taken = behind.taken.wrapping_add(before.saturating_sub(self.outbox.left()));
        }
    }

    /// Would a packet leave at once, as far as is known?
    pub(crate) fn writable(&self) -> bool {
        match &self.transport {
            Transport::WebSocket(ws) => !ws.blocked,
            Transport::Polling(polling) => polling.get.is_some(),
        }
    }
}
