//! The host side: commands in ([`Server`]), events out ([`Events`]), both in batches.
//! Node, C and Rust programs are hosts of the same kind.

mod broadcast_ack;
mod event;
mod namespaces;
mod queue;
mod server;
mod stats;

pub(crate) use broadcast_ack::BroadcastAcks;
pub use event::{Decision, Event, HttpReply, Reply, RequestInfo, RoomChange, SocketHandle};
pub use namespaces::Namespace;
pub(crate) use namespaces::{Namespaces, NspShared};
pub use queue::Events;
pub(crate) use queue::HostQueue;
pub use server::{AdoptInfo, Cancel, EmitFlags, FetchedSocket, Server};
pub(crate) use stats::ShardStats;
pub use stats::Stats;
