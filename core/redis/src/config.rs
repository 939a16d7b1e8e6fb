//! What a bus is started with.

use std::fmt;
use std::time::Duration;

/// The kind of Redis deployment and its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Servers {
    /// One server: `redis://`, `rediss://` or `redis+unix://`.
    Url(String),
    /// The master found through sentinels.
    Sentinel {
        /// URLs of the sentinels.
        sentinels: Vec<String>,
        /// Name of the master.
        master: String,
    },
    /// Redis Cluster: URLs of some of its nodes.
    Cluster(Vec<String>),
}

/// TLS to Redis, in addition to `rediss://`. All values are PEM.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The only certificates that are trusted, instead of the system's.
    pub ca: Option<Vec<u8>>,
    /// Certificate of the client.
    pub cert: Option<Vec<u8>>,
    /// Private key of the client.
    pub key: Option<Vec<u8>>,
}

/// The policy for a publish when [`Config::queue_bytes`] are queued for Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest publish is dropped and counted as lost.
    DropOldest,
    /// The new publish is dropped and counted as lost.
    DropNewest,
}

/// Where Redis is, and the limits of a bus. [`Bus::start`](crate::Bus::start) checks it.
#[derive(Clone)]
pub struct Config {
    /// Where Redis is.
    pub servers: Servers,
    /// Instead of the one in the URLs.
    pub username: Option<String>,
    /// Instead of the one in the URLs.
    pub password: Option<String>,
    /// For `rediss://`.
    pub tls: Option<Tls>,
    /// Version of RESP: 2 (default) or 3.
    pub protocol: Option<u8>,
    /// Whether publishes are `SPUBLISH`. A subscription says for itself what it is.
    pub sharded: bool,
    /// Limit of a connection attempt, and of a reply.
    pub timeout: Duration,
    /// Limit of the bytes that wait for Redis, and of those that wait for the node.
    pub queue_bytes: usize,
    /// What is dropped above the limit.
    pub overflow: Overflow,
}

impl fmt::Debug for Config {
    /// Without the addresses and credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("sharded", &self.sharded).finish_non_exhaustive()
    }
}
