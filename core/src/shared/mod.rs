//! What the threads of one server share: commands on their way to a shard, events on their way to the host, and the tables
//! that both sides read.

pub(crate) mod aliases;
pub(crate) mod answer_room;
pub(crate) mod batch;
pub(crate) mod broadcast_acks;
pub(crate) mod broker;
pub(crate) mod command;
pub(crate) mod command_queue;
pub(crate) mod core;
pub(crate) mod encode;
pub(crate) mod event;
pub(crate) mod figures;
pub(crate) mod fleet_reply;
pub(crate) mod gate;
pub(crate) mod host_queue;
pub(crate) mod journal;
pub(crate) mod namespaces;
pub(crate) mod panics;
pub(crate) mod reply;
pub(crate) mod shard_sender;
pub(crate) mod stage;
pub(crate) mod thread_start;
pub(crate) mod under_way;
