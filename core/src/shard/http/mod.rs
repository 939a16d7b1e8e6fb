//! The HTTP side of a shard.

mod busy;
mod exchange;
mod handshake;
pub(in crate::shard) mod route;
mod session;
