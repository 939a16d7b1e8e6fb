//! The HTTP side of a shard.

mod busy;
pub(in crate::shard) mod route;
