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

mod broker;
pub(crate) mod bus;
mod emitter;
mod handshake;
mod incoming;
mod joining;
mod message;
mod node;
mod peers;
mod queue;
mod redis;
mod requests;
mod responders;
mod stats;
mod wire;

pub(crate) use broker::start;
pub use emitter::Emitter;

/// For [`crate::fuzzing`].
pub(crate) mod fuzzing {
    pub(crate) use crate::cluster::message::{Answer, Incoming, Message};
    pub(crate) use crate::cluster::redis::fuzzing::{Value, take};
    pub(crate) use crate::cluster::wire::{Kind, Names, Wire};
    pub(crate) use crate::options::cluster::{Mode, Subscriptions};
}
