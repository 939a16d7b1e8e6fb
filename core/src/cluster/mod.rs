//! Many nodes as one room space, joined by Redis: the wire formats of `@socket.io/redis-adapter` and
//! `@socket.io/redis-emitter`, so that nodes in JavaScript are in it too.
//!
//! Everything happens on one thread, `kraken-cluster`. Hosts and shards only queue commands for it.
//!
//! | file | what it holds |
//! |---|---|
//! | `config` | the option `cluster` |
//! | `fleet` | what [`Server`](crate::Server) can do with the other nodes |
//! | `emitter` | [`Emitter`]: a process without clients |
//! | `queue` | commands on their way to the thread, bounded |
//! | `message` | what nodes say to each other, in no wire format |
//! | `wire` | the two wire formats |
//! | `node` | the thread: commands, subscriptions, time |
//! | `incoming`, `joining` | messages of other nodes |
//! | `ask`, `answer` | requests to other nodes, and of them |
//! | `bus` | the connections to Redis: publish, subscribe, count, reconnect |

mod answer;
mod ask;
pub mod bus;
mod config;
mod emitter;
mod fleet;
mod handshake;
mod incoming;
mod joining;
mod message;
mod node;
mod peers;
mod queue;
mod redis;
mod stats;
mod wire;

pub use config::{ClusterOptions, Mode, Overflow, Redis, RedisTls, Subscriptions};
pub use emitter::Emitter;
pub(crate) use fleet::Place;
pub use fleet::{Fleet, RemoteSocket};
pub use stats::ClusterStats;

/// For [`crate::fuzzing`].
pub(crate) mod fuzzing {
    pub(crate) use super::config::{Mode, Subscriptions};
    pub(crate) use super::message::{Answer, Incoming, Message};
    pub(crate) use super::redis::fuzzing::{Value, take};
    pub(crate) use super::wire::{Kind, Names, Wire};
}
