//! `Core`: what all threads of one server share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use kraken_ws_codec::sid::Tag;

use crate::engine::budget::Outboxes;
use crate::net::tls::TlsState;
use crate::options::{Options, SharedHooks};
use crate::rooms::Directory;
use crate::shared::aliases::Aliases;
use crate::shared::answer_room::AnswerRoom;
use crate::shared::broker::BrokerSlot;
use crate::shared::host_queue::HostQueue;
use crate::shared::journal::Recovery;
use crate::shared::namespaces::Namespaces;
use crate::shared::shard_sender::ShardSender;
use crate::shared::under_way::UnderWay;

/// State of a server that its shards and its host share.
pub(crate) struct Core {
    pub options: Options,
    pub hooks: SharedHooks,
    pub aliases: Aliases,
    /// One counter for all namespaces, so that an id names one ack in the whole server.
    pub ack_ids: AtomicU64,
    pub namespaces: Namespaces,
    pub directory: Directory,
    pub host: Arc<HostQueue>,
    pub outboxes: Outboxes,
    pub answers: Arc<AnswerRoom>,
    pub shards: Vec<ShardSender>,
    pub tls: Option<TlsState>,
    pub started: Instant,
    pub closing: AtomicBool,
    pub next_shard: AtomicUsize,
    pub running: AtomicUsize,
    /// Present with the option `connectionStateRecovery`.
    pub recovery: Option<Recovery>,
    /// Tag in all socket ids of this server.
    pub tag: Tag,
    /// Filled with the option `cluster`.
    pub broker: BrokerSlot,
    pub under_way: Arc<UnderWay>,
}

impl Core {
    /// The shard for the next connection.
    pub(crate) fn pick(&self) -> usize {
        self.next_shard.fetch_add(1, Ordering::Relaxed) % self.shards.len()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}
