//! The native core of kraken-ws-native: a Socket.IO server with rooms and fan-out.
//!
//! # Where things are
//!
//! | folder | what it holds |
//! |---|---|
//! | [`host`] | [`Server`]: commands in; [`Events`]: events out; both in batches |
//! | `shard` | one thread with its connections: puts the boxes below together |
//! | [`cluster`] | many nodes as one room space, over Redis |
//! | [`socketio`] | packets: default and msgpack encoding |
//! | `rooms` | who is where; [`Target`], a room expression |
//! | [`engine`] | Engine.IO: frames, payloads, outbox, sessions |
//! | `net` | listeners, streams, TLS, HTTP/1.1 |
//! | `panics` | what becomes of a panic on a thread of the library |
//! | [`options`], [`error`], [`reason`] | names, defaults and codes: each written down once |
//! | [`kraken`] | names of the Kraken application's events and rooms |
//!
//! # A host in a few lines
//!
//! ```
//! use kraken_ws_core::{EmitFlags, Event, Options, Server, Target};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let (server, mut events) = Server::new(Options::default())?;
//! let addr = server.listen_tcp("127.0.0.1", 0)?;
//! println!("clients connect to http://{addr}");
//! let chat = server.namespace("/")?;
//! server.publish(&chat, Target::room("lobby"), r#"["hello","world"]"#, vec![], EmitFlags::default())?;
//! server.close();
//! let mut batch = Vec::new();
//! while events.recv_many(&mut batch, 64).await > 0 {
//!     if batch.drain(..).any(|event| matches!(event, Event::Closed)) {
//!         break;
//!     }
//! }
//! # Ok::<_, kraken_ws_core::Error>(()) }).unwrap();
//! ```

pub mod cluster;
pub mod engine;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod host;
pub mod kraken;
mod net;
pub mod options;
mod panics;
mod random;
pub mod reason;
mod rooms;
mod shard;
pub mod socketio;

pub use cluster::{ClusterOptions, ClusterStats, Emitter, Fleet, RemoteSocket};
pub use error::{Error, ErrorCode, Result};
pub use host::{
    AdoptInfo, COMMAND_BYTES, Cancel, ClusterChange, CorsReply, Decision, EmitFlags, EngineReply, Event,
    Events, FetchedSocket, Headers, HttpReply, Namespace, RawMessage, Recovered, Reply, RequestInfo,
    RoomChange, Server, SessionEnd, SocketHandle, Stats,
};
pub use options::{Hooks, Options};
pub use reason::{Reason, Refusal};
pub use rooms::Target;
