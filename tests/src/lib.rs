//! What the black-box tests of the Rust host API share: a host that takes events one by one, a client that
//! speaks Engine.IO 4 over any byte stream, and a look at this process from outside.
//!
//! Each file in `tests/` is about one behaviour. Everything here waits at most [`PATIENCE`].

mod client;
mod host;
pub mod process;
mod redis;

pub use client::{Client, TcpClient, UnixClient, dial};
pub use host::{Gate, Host, eventually};
pub use redis::Redis;

/// Longest wait for anything that has to come.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Options of a raw host that echoes what the cases of Autobahn's test suite send: messages of 16 MiB, every
/// answer compressed where the client can read that, no ping in between.
pub const ECHO_OPTIONS: &str = r#"{
    "maxHttpBufferSize": 20000000, "maxOutboxBytes": 67108864, "commandQueueBytes": 134217728,
    "hostQueueBytes": 134217728, "pingInterval": 3600000, "pingTimeout": 3600000,
    "perMessageDeflate": { "threshold": 0 }
}"#;
