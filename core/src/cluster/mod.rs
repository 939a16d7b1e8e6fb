//! Many nodes as one room space, joined by Redis: the wire formats of `@socket.io/redis-adapter` and
//! `@socket.io/redis-emitter`, so that nodes in JavaScript are in it too.
//!
//! | file | what it holds |
//! |---|---|
//! | [`config`] | the option `cluster` |
//! | [`bus`] | the fleet's bus: publish, subscribe, count |
//! | `redis` | the connections behind it |

pub mod bus;
mod config;
mod redis;

pub use config::{ClusterOptions, Mode, Overflow, Redis, RedisTls, Subscriptions};
