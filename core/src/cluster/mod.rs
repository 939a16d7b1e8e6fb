//! The fleet: many nodes share one room space through Redis. The nodes speak the wire formats of
//! `@socket.io/redis-adapter` and `@socket.io/redis-emitter`, so Node.js servers can be members too.
//!
//! All work is done on one thread, `kraken-cluster`. Hosts and shards only queue commands for it. The settings are in
//! `options/cluster.rs`.
//!
//! | file | what it holds |
//! |---|---|
//! | `broker` | the `Broker` of a server, and the start of the thread |
//! | `emitter` | [`Emitter`]: publishes to a fleet from a process without clients |
//! | `queue` | the bounded queue of commands for the thread |
//! | `message` | the messages between nodes, independent of a wire format |
//! | `wire` | the two wire formats |
//! | `node` | the thread: commands, subscriptions, reports to the host |
//! | `incoming` | messages that other nodes published |
//! | `joining` | rooms that sockets have moved into or out of lately |
//! | `requests` | requests to other nodes and their answers |
//! | `responders` | answers to requests of other nodes |
//! | `handshake` | the handshake of a socket as other nodes see it |
//! | `peers` | the other nodes, by their uids |
//! | `dial` | sockets to Redis, for the bus of `kraken-ws-redis` |
//! | `stats` | the counters of the cluster |

mod broker;
mod dial;
mod emitter;
mod handshake;
mod incoming;
mod joining;
mod message;
mod node;
mod peers;
mod queue;
mod requests;
mod responders;
mod stats;
mod wire;

pub(crate) use broker::start;
pub use emitter::Emitter;

/// Items that [`crate::fuzzing`] calls.
pub(crate) mod fuzzing {
    pub(crate) use crate::cluster::message::{FleetMessage as Message, Incoming, NodeAnswer as Answer};
    pub(crate) use crate::cluster::wire::{Kind, Names, Wire};
    pub(crate) use crate::options::cluster::{Mode, Subscriptions};
    pub(crate) use kraken_ws_redis::fuzzing::{Value, take};
}
