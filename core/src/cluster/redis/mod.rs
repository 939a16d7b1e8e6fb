//! Redis connections for pub/sub that reports the fate of each publish. A written publish is never written again,
//! reading pauses while the node lags, sharded channels follow their slots, and a broken connection loses only what
//! was in flight on it.
//!
//! | file | what it holds |
//! |---|---|
//! | [`settings`], [`address`], [`tls`] | where Redis is; checked at start |
//! | [`resp`], [`batch`] | the wire protocol |
//! | [`connection`], [`target`] | one connection: connect and log in, to a server, a sentinel's master or a cluster node |
//! | [`link`], [`backoff`], [`pulse`] | reconnecting, delays between attempts, heartbeats |
//! | [`publisher`], [`outgoing`] | the publishing connection, and the state of each publish |
//! | [`subscriber`], [`subscriptions`], [`lag`] | the subscribing connection, the state of each subscription, the limit of unprocessed messages |
//! | [`topology`], [`slot`] | Redis Cluster: nodes and slots |
//! | [`health`], [`shared`] | up or down, and the state that all tasks share |

mod address;
mod backoff;
mod batch;
mod connection;
mod health;
mod lag;
mod link;
mod outgoing;
mod publisher;
mod pulse;
mod resp;
mod settings;
mod shared;
mod slot;
mod subscriber;
mod subscriptions;
mod target;
#[cfg(test)]
mod tests;
#[cfg_attr(not(feature = "tls"), path = "tls_absent.rs")]
mod tls;
mod topology;
#[cfg(test)]
mod yardstick;

pub(crate) use address::Address;
pub(crate) use lag::HeldBytes;
pub(crate) use link::{Link, Role};
pub(crate) use outgoing::{Ask, LinkId};
pub(crate) use resp::{Value, command};
pub(crate) use settings::{Settings, Site};
pub(crate) use shared::{BusShared, BusState, COMMANDS, SUBSCRIPTIONS};
pub(crate) use target::ConnectTarget;
pub(crate) use topology::ClusterFollower;

/// Items that [`crate::fuzzing`] calls.
pub(crate) mod fuzzing {
    pub(crate) use crate::cluster::redis::resp::{Value, take};
}
