//! How a packet is sent.

/// How a packet is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmitFlags {
    /// Drop it for clients that can't be written to at that moment.
    pub volatile: bool,
    /// Compress it where compression was negotiated.
    pub compress: bool,
    /// Keep it on this node.
    pub local: bool,
}

impl EmitFlags {
    /// To all nodes, compressed where that was negotiated, and kept for clients that are slow.
    pub const fn new() -> Self {
        Self { volatile: false, compress: true, local: false }
    }

    /// With [`EmitFlags::volatile`](#structfield.volatile) as given.
    #[must_use]
    pub const fn volatile(mut self, on: bool) -> Self {
        self.volatile = on;
        self
    }

    /// With [`EmitFlags::compress`](#structfield.compress) as given.
    #[must_use]
    pub const fn compress(mut self, on: bool) -> Self {
        self.compress = on;
        self
    }

    /// With [`EmitFlags::local`](#structfield.local) as given.
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
