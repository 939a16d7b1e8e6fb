//! The options of an emit.

use crate::types::target::Reach;

/// The options of an emit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmitFlags {
    /// Drops it for clients that can't be written to at that moment.
    pub volatile: bool,
    /// Compresses it for connections that have negotiated compression.
    pub compress: bool,
    /// Sends it on this node only.
    pub local: bool,
}

impl EmitFlags {
    /// To all nodes, compressed where that was negotiated, and queued for slow clients.
    pub const fn new() -> Self {
        Self { volatile: false, compress: true, local: false }
    }

    /// The nodes that [`EmitFlags::local`](#structfield.local) leaves.
    pub const fn reach(self) -> Reach {
        if self.local { Reach::Node } else { Reach::Fleet }
    }

    /// Sets [`EmitFlags::volatile`](#structfield.volatile).
    #[must_use]
    pub const fn volatile(mut self, on: bool) -> Self {
        self.volatile = on;
        self
    }

    /// Sets [`EmitFlags::compress`](#structfield.compress).
    #[must_use]
    pub const fn compress(mut self, on: bool) -> Self {
        self.compress = on;
        self
    }

    /// Sets [`EmitFlags::local`](#structfield.local).
    #[must_use]
    pub const fn local(mut self, on: bool) -> Self {
        self.local = on;
        self
    }
}

impl Default for EmitFlags {
    fn default() -> Self {
        Self::new()
    }
}
