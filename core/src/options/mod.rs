//! Options: one table ([`spec::OPTIONS`]) holds names, ranges and defaults; [`Options`] is what the core
//! works with. A wrong value is refused at start with its path and the accepted values.

#[cfg_attr(not(feature = "cluster"), path = "cluster_absent.rs")]
pub(crate) mod cluster;
mod cors;
mod hooks;
mod parse;
#[cfg_attr(not(feature = "regex"), path = "pattern_absent.rs")]
mod pattern;
mod spec;

pub use cors::{Cors, Origin};
pub use hooks::Hooks;
pub(crate) use hooks::SharedHooks;
pub(crate) use parse::refuse;
pub use pattern::Pattern;
pub use spec::{Kind, OPTIONS, OptionSpec};

use std::sync::Arc;
use std::time::Duration;

use crate::options::cluster::ClusterOptions;
use crate::types::error::{Result, needs};

/// Whether this build has the feature `compression`, the only one whose options are plain values.
const HAS_COMPRESSION: bool = cfg!(feature = "compression");

/// Which packet parser clients use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parser {
    /// socket.io-parser: JSON text with binary attachments.
    Default,
    /// socket.io-msgpack-parser: every packet one msgpack map.
    Msgpack,
}

/// permessage-deflate or HTTP compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compression {
    /// Payloads below this many bytes are sent as they are.
    pub threshold: usize,
}

impl Compression {
    /// From that many bytes on.
    pub fn new(threshold: usize) -> Self {
        Self { threshold }
    }
}

/// The `cookie` option: a cookie with the session id, set by the handshake response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cookie {
    /// Cookie name, `io` unless told.
    pub name: String,
    /// Everything behind `name=sid`, for instance `; Path=/; HttpOnly; SameSite=Lax`.
    pub attributes: String,
}

impl Cookie {
    /// A cookie of that name; `attributes` as in the field.
    pub fn new(name: impl Into<String>, attributes: impl Into<String>) -> Self {
        Self { name: name.into(), attributes: attributes.into() }
    }
}

/// Certificate chain and private key, PEM.
#[derive(Clone)]
#[non_exhaustive]
pub struct Tls {
    /// Certificate chain, PEM.
    pub cert: Vec<u8>,
    /// Private key, PEM.
    pub key: Vec<u8>,
}

impl Tls {
    /// From PEM.
    pub fn new(cert: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        Self { cert: cert.into(), key: key.into() }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls { .. }")
    }
}

/// The `connectionStateRecovery` option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryRules {
    /// How long a client may stay away.
    pub max_disconnection: Duration,
    /// A recovered socket is connected without asking the host.
    pub skip_middlewares: bool,
}

impl RecoveryRules {
    /// For clients that come back in that time; the host is not asked again.
    pub fn new(max_disconnection: Duration) -> Self {
        Self { max_disconnection, skip_middlewares: true }
    }
}

/// All options of a server. Names, ranges and defaults: [`OPTIONS`].
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(missing_docs)] // each field is documented in the table
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Options {
    pub path: String,
    pub add_trailing_slash: bool,
    pub transports: Transports,
    pub allow_upgrades: bool,
    pub allow_eio3: bool,
    pub ping_interval: Duration,
    pub ping_timeout: Duration,
    pub upgrade_timeout: Duration,
    pub connect_timeout: Duration,
    pub max_http_buffer_size: usize,
    pub per_message_deflate: Option<Compression>,
    pub http_compression: Option<Compression>,
    pub cookie: Option<Cookie>,
    pub cors: Option<Arc<Cors>>,
    pub initial_packet: Option<Box<str>>,
    pub parser: Parser,
    pub connection_state_recovery: Option<RecoveryRules>,
    pub max_recovery_bytes: usize,
    pub shards: usize,
    pub max_outbox_bytes: usize,
    pub outbox_timeout: Duration,
    /// Never less than `max_outbox_bytes`.
    pub hard_outbox_bytes: usize,
    /// 0: a share of memory.
    pub total_outbox_bytes: usize,
    pub flush_interval: Duration,
    pub max_pending_events: usize,
    pub host_queue_bytes: usize,
    pub command_queue_bytes: usize,
    pub max_answer_bytes: usize,
    pub max_namespaces: usize,
    pub headers_timeout: Duration,
    pub request_timeout: Duration,
    pub keep_alive_timeout: Duration,
    pub max_header_bytes: usize,
    pub backlog: u32,
    pub tls: Option<Tls>,
    pub cluster: Option<ClusterOptions>,
    pub hooks: Hooks,
    /// What was given under names that no option has, each with what might have been meant.
    pub unknown: Vec<String>,
    /// Messages go to the host as they come: connections without Socket.IO, for a host that speaks it. Not in
    /// the table: it is the host's nature, nothing to configure.
    pub raw: bool,
}

/// Which transports are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transports {
    /// HTTP long-polling.
    pub polling: bool,
    /// WebSocket.
    pub websocket: bool,
}

impl Options {
    /// Whether they ask for no more than this build has. Other parts that are absent say so where they are asked for.
    pub(crate) fn check_features(&self) -> Result<()> {
        let compressed =
            [("perMessageDeflate", self.per_message_deflate), ("httpCompression", self.http_compression)];
        match compressed.iter().find(|(_, on)| on.is_some()) {
            Some((name, _)) if !HAS_COMPRESSION => Err(needs(name, "compression")),
            _ => Ok(()),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::from_json(&serde_json::Value::Null).expect("the defaults of the table are valid")
    }
}
