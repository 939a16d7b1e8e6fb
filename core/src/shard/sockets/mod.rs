//! The Socket.IO side of a shard: sockets, packets, acks, rooms.

pub(in crate::shard) mod acks;
pub(in crate::shard) mod broadcast;
mod connect;
pub(in crate::shard) mod early;
mod leave;
pub(in crate::shard) mod moves;
mod own_rooms;
mod packets;
pub(in crate::shard) mod questions;
mod raw;
pub(in crate::shard) mod recovery;
mod rooms;
pub(in crate::shard) mod socket;
pub(in crate::shard) mod table;
