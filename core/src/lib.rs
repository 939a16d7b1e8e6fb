#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! Each folder stands above those that it sees; a test (`tests/tests/arrows.rs`) compares this table with the code.
//!
//! | folder | sees | what it holds |
//! |---|---|---|
//! | `fuzzing` | `cluster` | what the fuzz targets call |
//! | `server` | `cluster` `local` `options` `shared` `types` | what reaches the whole fleet |
//! | `cluster` | `local` `net` `options` `shared` `types` | other nodes, over Redis: a `Broker` |
//! | `local` | `engine` `net` `options` `rooms` `shard` `shared` `types` | [`Server`]: this node, as hosts drive it |
//! | `shard` | `engine` `net` `options` `rooms` `shared` `types` | one thread with its connections and sockets |
//! | `shared` | `engine` `net` `options` `rooms` `types` | what all threads hold: commands, [`Events`], tables |
//! | `engine` | `net` `options` `types` | Engine.IO: frames, payloads, outbox, transports |
//! | `rooms` | `types` | who is where |
//! | `net` | `types` | listeners, streams, TLS, HTTP/1.1 |
//! | [`options`] | `types` | the table of options, and what they become |
//! | `values` | `types` | payloads from values of Rust |
//! | [`kraken`] | | names of the Kraken application's events and rooms |
//! | `types` | | words that all folders use: errors, reasons, ids, flags, targets |
#![cfg_attr(docsrs, feature(doc_cfg))]
// What only the thread of the cluster uses.
#![cfg_attr(not(feature = "cluster"), allow(dead_code, unreachable_pub, unused_imports))]

#[cfg(feature = "cluster")]
pub mod cluster;
mod engine;
#[cfg(feature = "cluster")]
#[doc(hidden)]
pub mod fuzzing;
pub mod kraken;
mod local;
mod net;
pub mod options;
mod rooms;
mod server;
mod shard;
mod shared;
mod types;
#[cfg(feature = "values")]
pub mod values;

#[cfg(feature = "cluster")]
pub use cluster::Emitter;
pub use local::{AdoptInfo, COMMAND_BYTES, Cancel, FetchedSocket, Server};
pub use options::cluster::ClusterOptions;
pub use options::{Hooks, Options};
pub use shared::event::{ClusterChange, Event, Recovered, RoomChange, SessionEnd};
pub use shared::figures::{BusStats, CLUSTER_FIGURES, ClusterStats, FIGURES, Figure, FigureKind, Stats};
#[cfg(feature = "cluster")]
pub use shared::fleet_reply::{FleetReply, RemoteSocket};
pub use shared::host_queue::Events;
pub use shared::namespaces::Namespace;
pub use shared::reply::{CorsReply, Decision, EngineReply, HttpReply, Reply};
pub use shared::stage::{Stage, pass};
pub use types::change::{Disconnect, Move};
pub use types::error::{Error, ErrorCode, Result};
pub use types::flags::EmitFlags;
pub use types::headers::Headers;
pub use types::ids::{ConnId, SocketHandle};
pub use types::raw_message::RawMessage;
pub use types::reason::{self, Reason, Refusal};
pub use types::request::RequestInfo;
pub use types::target::{Reach, Target};
