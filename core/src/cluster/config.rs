//! The option `cluster`.

use std::time::Duration;

/// Which wire format, and with it which kind of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `createAdapter`: PUBLISH, PSUBSCRIBE.
    Classic,
    /// `createShardedAdapter`: SPUBLISH, SSUBSCRIBE; Redis 7 or later.
    Sharded,
}

/// Which rooms have a channel of their own in sharded mode (`subscriptionMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscriptions {
    /// None.
    Static,
    /// Public rooms: those whose name is no socket id.
    Dynamic,
    /// All.
    DynamicPrivate,
}

/// What happens to a publish when `queueBytes` wait for Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest goes, and is counted as lost.
    DropOldest,
    /// The new one goes, and is counted as lost.
    DropNewest,
}

/// Where Redis is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redis {
    /// One server: `redis://`, `rediss://` or `redis+unix://`.
    Url(String),
    /// The master that sentinels name.
    Sentinel {
        /// URLs of the sentinels.
        sentinels: Vec<String>,
        /// Name of the master.
        master: String,
    },
    /// Redis Cluster: URLs of some of its nodes.
    Cluster(Vec<String>),
}

/// TLS to Redis, beyond what `rediss://` says. All PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedisTls {
    /// Certificates to trust instead of the system's.
    pub ca: Option<Vec<u8>>,
    /// Client certificate.
    pub cert: Option<Vec<u8>>,
    /// Client key.
    pub key: Option<Vec<u8>>,
}

/// How a node is part of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterOptions {
    /// Where Redis is.
    pub redis: Redis,
    /// User of the ACL, over that of the URL.
    pub username: Option<String>,
    /// Password, over that of the URL.
    pub password: Option<String>,
    /// TLS details.
    pub tls: Option<RedisTls>,
    /// 2 or 3 (RESP). In sharded mode and on Redis Cluster what is needed there.
    pub protocol: Option<u8>,
    /// Wire format.
    pub mode: Mode,
    /// First part of all channel names: `socket.io`.
    pub prefix: String,
    /// Sharded mode: rooms with a channel of their own.
    pub subscriptions: Subscriptions,
    /// How long answers of other nodes are waited for: 5000 ms.
    pub requests_timeout: Duration,
    /// Classic mode: answer on the channel of the node that asked.
    pub specific_response_channel: bool,
    /// `Server::join_cluster` waits until Redis is there; else the server starts and joins when it comes.
    pub wait_for_redis: bool,
    /// How long one attempt to connect, and an answer of Redis, may take: 5000 ms.
    pub redis_timeout: Duration,
    /// Bytes of publishes that may wait for Redis: 16 MiB.
    pub queue_bytes: usize,
    /// What goes beyond that.
    pub overflow: Overflow,
    /// Shared by native nodes: messages carry an HMAC, and others are ignored.
    pub secret: Option<Vec<u8>>,
}
