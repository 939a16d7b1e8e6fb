//! One Engine.IO session as its shard holds it.

pub(in crate::shard) mod backpressure;
pub(in crate::shard) mod close;
mod ending;
pub(in crate::shard) mod heartbeat;
pub(in crate::shard) mod polling;
pub(in crate::shard) mod reader;
pub(in crate::shard) mod session;
pub(in crate::shard) mod slow;
pub(in crate::shard) mod upgrade;
mod watch;
pub(in crate::shard) mod write;

use std::sync::Arc;

use bytes::Bytes;
use kraken_ws_codec::packet::PacketType;
use kraken_ws_codec::sid::Id;

use crate::engine::backpressure::Behind;
use crate::engine::frame::Form;
use crate::engine::outbox::Outbox;
use crate::engine::transport::{Agreed, Transport};
use crate::shard::conn::backpressure::Pace;
use crate::shard::conn::heartbeat::Heartbeat;
use crate::shard::conn::upgrade::ProbeSlot;
use crate::shard::dirty::DirtyMark;
use crate::shard::sockets::questions::NamespaceQuestions;
use crate::shard::sockets::table::SocketList;
use crate::types::ids::SocketSlot;
use crate::types::request::RequestInfo;

/// A packet whose attachments are still coming.
pub(crate) struct Partial {
    pub socket: SocketSlot,
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
    /// Set while the outbox holds what could not be written at once.
    pub behind: Option<Box<Behind>>,
    pub dirty: DirtyMark,
    pub heartbeat: Heartbeat,
    pub request: Arc<RequestInfo>,
    pub sockets: SocketList,
    pub partial: Option<Box<Partial>>,
    pub probe: ProbeSlot,
    pub questions: NamespaceQuestions,
    pub pace: Pace,
    /// The server has ended the session and its client has yet to be told; see `conn/ending.rs`.
    pub ending: bool,
    /// Most connections have none; see [`RawState`].
    pub raw: Option<Box<RawState>>,
}

/// What a host that works below Socket.IO has asked of a connection.
#[derive(Default)]
pub(crate) struct RawState {
    /// The host gets an event for each engine packet.
    pub watched: bool,
    /// The present volatile packet was dropped; its further frames are dropped with it.
    pub dropping: bool,
    /// Numbers to report when the outbox is empty.
    pub flushes: Vec<u64>,
}

impl Conn {
    /// The session id as the client knows it.
    pub(crate) fn public_sid(&self) -> &str {
        self.alias.as_deref().unwrap_or(self.sid.as_str())
    }

    /// Whether the host gets an event for each engine packet.
    pub(crate) fn watched(&self) -> bool {
        self.raw.as_ref().is_some_and(|raw| raw.watched)
    }

    /// The form in which frames go to this connection.
    pub(crate) fn form(&self, threshold: Option<usize>) -> Form {
        let agreed = match &self.transport {
            Transport::WebSocket(ws) => ws.agreed,
            Transport::Polling(_) => Agreed::default(),
        };
        Form { v3: self.protocol == 3, base64: agreed.base64, deflate: threshold.filter(|_| agreed.deflate) }
    }

    /// Records a write: the outbox had `before` bytes left.
    pub(crate) fn took(&mut self, before: usize) {
        if self.outbox.is_empty() {
            self.behind = None;
        } else if let Some(behind) = &mut self.behind {
            behind.taken = behind.taken.wrapping_add(before.saturating_sub(self.outbox.left()));
        }
    }

    /// Whether a packet would leave at once, as far as is known.
    pub(crate) fn writable(&self) -> bool {
        match &self.transport {
            Transport::WebSocket(ws) => !ws.blocked,
            Transport::Polling(polling) => polling.get.is_some(),
        }
    }
}
