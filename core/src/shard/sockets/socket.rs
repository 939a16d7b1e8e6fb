//! One Socket.IO socket: one namespace of one client.

use std::collections::HashMap;
use std::sync::Arc;

use kraken_ws_codec::sid::Id;

use crate::engine::outbox::Shared;
use crate::shard::sockets::early::EarlyEvents;
use crate::shard::sockets::recovery::RecoveryMark;
use crate::shared::broadcast_acks::BroadcastAcks;
use crate::types::ids::{ConnSlot, NspId};

/// Who waits for an ack of a client.
pub(in crate::shard) enum AckWait {
    /// The host; `timed` if it wants to hear of a time-out.
    Host {
        timed: bool,
    },
    Broadcast(Arc<BroadcastAcks>),
}

/// One Socket.IO socket: one namespace of one client.
pub(in crate::shard) struct Socket {
    pub generation: u32,
    pub conn: ConnSlot,
    pub nsp: NspId,
    pub id: Id,
    /// Accepted by the host; before that nothing is delivered to it.
    pub connected: bool,
    /// Still in the room named by its own id.
    pub own_room: bool,
    /// Number of the last broadcast that looked at this socket.
    pub seen: u64,
    /// Index in the namespace's list of members.
    pub position: u32,
    pub extras: Option<Box<SocketExtras>>,
}

impl Socket {
    /// The id as hosts and clients know it.
    pub(in crate::shard) fn public_id(&self) -> &str {
        self.extras.as_ref().and_then(|extras| extras.name.as_deref()).unwrap_or(self.id.as_str())
    }
}

/// State that few sockets need.
#[derive(Default)]
pub(in crate::shard) struct SocketExtras {
    /// Emits made before the host accepted the socket, with their numbers in the journal.
    pub early_emits: Vec<(Shared, crate::types::flags::EmitFlags, u64)>,
    /// Events that the client sent before the host accepted the socket.
    pub early_events: EarlyEvents,
    pub acks: HashMap<u64, AckWait>,
    /// JSON of the CONNECT payload.
    pub auth: Box<str>,
    /// The id of a protocol 3 client's socket. It has another form and no server's tag, so its room is in the index
    /// like others.
    pub name: Option<Box<str>>,
    /// JSON that the host attached, for `fetch_sockets`.
    pub data: Box<str>,
    /// Only with the option `connectionStateRecovery`.
    pub mark: Option<Box<RecoveryMark>>,
}
