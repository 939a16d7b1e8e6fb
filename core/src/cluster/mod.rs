//! Many nodes as one room space, joined by Redis: the wire formats of `@socket.io/redis-adapter` and
//! `@socket.io/redis-emitter`, so that nodes in JavaScript are in it too.
//!
//! | file | what it holds |
//! |---|---|
//! | [`config`] | the option `cluster` |
//! | [`bus`] | the connections to Redis: publish, subscribe, count, reconnect |

pub mod bus;
mod config;

pub use config::{ClusterOptions, Mode, Overflow, Redis, RedisTls, Subscriptions};
