//! One Engine.IO session as its shard holds it.

pub(in crate::shard) mod close;
mod ending;
pub(in crate::shard) mod polling;
pub(in crate::shard) mod reader;
pub(in crate::shard) mod session;
pub(in crate::shard) mod slow;
mod upgrade;
mod watch;

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::engine::backpressure::Behind;
use crate::engine::frame::Form;
use crate::engine::outbox::Outbox;
use crate::engine::sid::Id;
use crate::engine::transport::{Agreed, Probe, Transport};
use crate::socketio::packet::PacketType;
use crate::types::request::RequestInfo;

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
