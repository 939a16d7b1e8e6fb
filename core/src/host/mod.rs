//! The host side: commands in ([`Server`]), events out ([`Events`]), both in batches.
//! Node, C and Rust programs are hosts of the same kind.

mod adopt;
mod answers;
mod broadcast_ack;
mod event;
mod headers;
mod kept;
mod namespaces;
mod outboxes;
mod queue;
mod raw;
pub(crate) mod recovery;
mod server;
mod stats;
mod watch;

pub use adopt::{AdoptInfo, Cancel};
pub(crate) use answers::{AnswerRoom, Collected};
pub(crate) use broadcast_ack::{BroadcastAcks, Heard};
pub use event::{
    ClusterChange, CorsReply, Decision, EngineReply, Event, HttpReply, Recovered, Reply, RequestInfo,
    RoomChange, SessionEnd, SocketHandle,
};
pub use headers::Headers;
pub use namespaces::Namespace;
pub(crate) use namespaces::{Namespaces, NspShared};
pub(crate) use outboxes::{Charge, Outboxes};
pub use queue::Events;
pub(crate) use queue::HostQueue;
pub use raw::RawMessage;
pub(crate) use server::WeakServer;
pub use server::{COMMAND_BYTES, EmitFlags, FetchedSocket, Server};
pub(crate) use stats::ShardStats;
pub use stats::Stats;
