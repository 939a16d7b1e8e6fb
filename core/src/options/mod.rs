//! Options: one table ([`spec::OPTIONS`]) holds names, ranges and defaults; [`Options`] holds the parsed values. An
//! invalid value is refused at start, with its path and the accepted values.

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

/// Whether this build has the feature `compression`. It is the only feature whose options are plain values, so it
/// needs a check of its own.
const HAS_COMPRESSION: bool = cfg!(feature = "compression");

/// The packet encoding that clients use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parser {
    /// socket.io-parser: JSON text with binary attachments.
    Default,
    /// socket.io-msgpack-parser: each packet is one MessagePack map.
    Msgpack,
}

/// The settings of permessage-deflate or of HTTP compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compression {
    /// Payloads below this many bytes are sent uncompressed.
    pub threshold: usize,
}

impl Compression {
    /// Compresses payloads of at least this many bytes.
    pub fn new(threshold: usize) -> Self {
        Self { threshold }
    }
}

/// The `cookie` option: a cookie with the session id, set by the handshake response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cookie {
    /// Cookie name; the default is `io`.
    pub name: String,
    /// Everything after `name=sid`, for instance `; Path=/; HttpOnly; SameSite=Lax`.
    pub attributes: String,
}

impl Cookie {
    /// A cookie of that name; for `attributes` see the field.
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
    /// How long a client may be disconnected.
    pub max_disconnection: Duration,
    /// A recovered socket is connected without asking the host.
    pub skip_middlewares: bool,
}

impl RecoveryRules {
    /// Recovery within that time; the host is not asked again.
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
    /// At least `max_outbox_bytes`.
    pub hard_outbox_bytes: usize,
    /// 0 means a fraction of memory.
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
    /// Unknown names in the given options, each with the name that may have been meant.
    pub unknown: Vec<String>,
    /// Messages are passed to the host undecoded: connections without Socket.IO, for a host that implements it. Not
    /// in the table, because it depends on the host's code and is not configurable.
    pub raw: bool,
}

/// The allowed transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transports {
    /// HTTP long-polling.
    pub polling: bool,
    /// WebSocket.
    pub websocket: bool,
}

impl Options {
    /// Checks that the options need no feature that this build lacks. Options of other features are checked where
    /// they are parsed.
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
