//! Ids within one process.

/// Id of a Socket.IO socket (one namespace of one client) in this process. It fits a JavaScript number: 6 bits shard,
/// 23 bits slot, 24 bits generation. Never sent to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketHandle(pub u64);

impl SocketHandle {
    pub(crate) fn new(shard: usize, slot: SocketSlot, generation: u32) -> Self {
        Self(pack(shard, slot.0, generation))
    }

    pub(crate) fn shard(self) -> usize {
        shard_in(self.0)
    }

    pub(crate) fn slot(self) -> SocketSlot {
        SocketSlot(slot_in(self.0))
    }
}

/// Names one connection (one session of the engine) in this process, as [`SocketHandle`] names a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u64);

impl ConnId {
    pub(crate) fn new(shard: usize, key: ConnKey) -> Self {
        Self(pack(shard, key.slot.0, key.generation))
    }

    pub(crate) fn shard(self) -> usize {
        shard_in(self.0)
    }

    pub(crate) fn slot(self) -> ConnSlot {
        ConnSlot(slot_in(self.0))
    }
}

fn pack(shard: usize, slot: u32, generation: u32) -> u64 {
    ((generation as u64 & 0xff_ffff) << 29) | ((slot as u64) << 6) | shard as u64
}

fn shard_in(number: u64) -> usize {
    (number & 0x3f) as usize
}

fn slot_in(number: u64) -> u32 {
    ((number >> 6) & 0x7f_ffff) as u32
}

/// Id of a connection within its shard. The generation distinguishes the users of a reused slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ConnKey {
    pub slot: ConnSlot,
    pub generation: u32,
}

/// Id of a namespace of a server; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NspId(pub u32);

/// Index of a connection in the table of its shard. It is reused; a [`ConnKey`] identifies the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ConnSlot(pub u32);

/// Index of a socket in the table of its shard. It is reused; a [`SocketHandle`] identifies the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SocketSlot(pub u32);
