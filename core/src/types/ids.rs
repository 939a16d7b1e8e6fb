//! Names of things within one process.

/// Names one Socket.IO socket (one namespace of one client) in this process; fits a JavaScript number:
/// 6 bits shard, 23 bits slot, 24 bits generation. Never sent to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketHandle(pub u64);

impl SocketHandle {
    pub(crate) fn new(shard: usize, slot: u32, generation: u32) -> Self {
        Self(((generation as u64 & 0xff_ffff) << 29) | ((slot as u64) << 6) | shard as u64)
    }

    pub(crate) fn shard(self) -> usize {
        (self.0 & 0x3f) as usize
    }

    pub(crate) fn slot(self) -> usize {
        ((self.0 >> 6) & 0x7f_ffff) as usize
    }
}

/// Names a connection within its shard; the generation tells a reused slot apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ConnKey {
    pub slot: ConnSlot,
    pub generation: u32,
}

/// Numbers a namespace of a server; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NspId(pub u32);

/// Place of a connection in the table of its shard. It is used again: a [`ConnKey`] tells who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ConnSlot(pub u32);

/// Place of a socket in the table of its shard. It is used again: a [`SocketHandle`] tells who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SocketSlot(pub u32);
