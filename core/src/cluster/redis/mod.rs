//! Connections to Redis, made for one thing: pub/sub that knows what became of each message. A publish that was written
//! is never written again, reading stops while the node lags, sharded channels follow their slots, and a broken
//! connection costs what was under way and nothing else.
//!
//! | file | what it holds |
//! |---|---|
//! | [`settings`], [`address`], [`tls`] | where Redis is, checked at start |
//! | [`resp`], [`batch`] | the wire |
//! | [`connection`], [`target`] | one connection: opened, logged in; to a server, a sentinel's master, a cluster's node |
//! | [`link`], [`backoff`], [`pulse`] | one connection after the other, and when one is given up |
//! | [`publisher`], [`outgoing`] | publishes: the connection, and what became of each |
//! | [`subscriber`], [`subscriptions`], [`lag`] | messages: the connection, what is subscribed to, how far the node is behind |
//! | [`topology`], [`slot`] | Redis Cluster: nodes and slots |
//! | [`health`], [`shared`] | up or down, and what all of these share |

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
pub(crate) use lag::Held;
pub(crate) use link::{Link, Role};
pub(crate) use outgoing::{Ask, LinkId};
pub(crate) use resp::{Value, command};
pub(crate) use settings::{Settings, Site};
pub(crate) use shared::{COMMANDS, SUBSCRIPTIONS, Shared, State};
pub(crate) use target::Target;
pub(crate) use topology::Cluster;

/// For [`crate::fuzzing`].
pub(crate) mod fuzzing {
    pub(crate) use crate::cluster::redis::resp::{Value, take};
}
