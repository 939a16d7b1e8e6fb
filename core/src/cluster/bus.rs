//! The connections to Redis.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::config::ClusterOptions;
use crate::error::Result;

/// What is subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subscription {
    /// SUBSCRIBE
    Channel(Box<[u8]>),
    /// PSUBSCRIBE
    Pattern(Box<[u8]>),
    /// SSUBSCRIBE
    Sharded(Box<[u8]>),
}

/// What the bus tells the node.
#[derive(Debug)]
pub(crate) enum BusEvent {
    /// A message; `pattern` if it came through one.
    Message {
        /// The pattern that it came through.
        pattern: Option<Bytes>,
        /// Where it was published.
        channel: Bytes,
        /// What was published.
        payload: Bytes,
    },
    /// Connected, and everything is subscribed (again).
    Up,
    /// Not connected any more, and why. Attempts to reconnect are under way.
    Down(String),
}

/// Figures of a bus; all but the last two only rise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusStats {
    /// Messages published.
    pub published: u64,
    /// Messages that came.
    pub received: u64,
    /// Publishes that are lost for certain: overflow, or Redis refused them.
    pub lost: u64,
    /// Publishes whose connection broke before Redis confirmed them; never sent again, so nothing comes twice.
    pub unconfirmed: u64,
    /// Connections made anew.
    pub reconnects: u64,
    /// Bytes of publishes that wait.
    pub queued_bytes: u64,
    /// Connected and subscribed.
    pub up: bool,
}
