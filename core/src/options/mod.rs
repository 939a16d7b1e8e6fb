//! Options: one table ([`OPTIONS`]) holds names, ranges and defaults; [`Options`] holds the parsed values. An
//! invalid value is refused at start, with its path and the accepted values.

#[cfg_attr(not(feature = "cluster"), path = "cluster_absent.rs")]
pub(crate) mod cluster;
mod cors;
mod given;
mod hooks;
mod parse;
#[cfg_attr(not(feature = "regex"), path = "pattern_absent.rs")]
mod pattern;
mod rows;
mod spec;

pub use cluster::CLUSTER_OPTIONS;
pub use cors::{Cors, Origin};
pub use hooks::Hooks;
pub(crate) use hooks::SharedHooks;
pub use pattern::Pattern;
pub use rows::{Bridge, Kind, OptionSpec, Source};
pub use spec::{JAVASCRIPT_OPTIONS, OPTIONS, Options};

use std::time::Duration;

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
