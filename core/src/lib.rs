#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! | folder | what it holds |
//! |---|---|
//! | [`host`] | [`Server`]: commands in; [`Events`]: events out; both in batches |
//! | `shard` | one thread with its connections: puts the boxes below together |
//! | `cluster` | many nodes as one room space, over Redis |
//! | `socketio` | packets: default and msgpack encoding |
//! | `rooms` | who is where; [`Target`], a room expression |
//! | `engine` | Engine.IO: frames, payloads, outbox, sessions |
//! | `values` | payloads from values of Rust |
//! | `net` | listeners, streams, TLS, HTTP/1.1 |
//! | `panics` | what becomes of a panic on a thread of the library |
//! | [`options`], [`error`], [`reason`] | names, defaults and codes: each written down once |
//! | [`kraken`] | names of the Kraken application's events and rooms |
#![cfg_attr(docsrs, feature(doc_cfg))]
// What only the thread of the cluster uses.
#![cfg_attr(not(feature = "cluster"), allow(dead_code, unused_imports))]

#[cfg(feature = "cluster")]
pub mod cluster;
#[doc(hidden)]
pub mod engine;
pub mod error;
#[cfg(feature = "cluster")]
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
#[doc(hidden)]
pub mod socketio;
#[cfg(feature = "values")]
pub mod values;
mod without;

#[cfg(not(feature = "cluster"))]
use without::cluster;

pub use cluster::ClusterOptions;
#[cfg(feature = "cluster")]
pub use cluster::{ClusterStats, Emitter, Fleet, RemoteSocket};
pub use error::{Error, ErrorCode, Result};
pub use host::{
    AdoptInfo, COMMAND_BYTES, Cancel, ClusterChange, CorsReply, Decision, EmitFlags, EngineReply, Event,
    Events, FetchedSocket, Headers, HttpReply, Namespace, RawMessage, Recovered, Reply, RequestInfo,
    RoomChange, Server, SessionEnd, SocketHandle, Stats,
};
pub use options::{Hooks, Options};
pub use reason::{Reason, Refusal};
pub use rooms::Target;
