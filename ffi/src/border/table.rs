//! The head of the table of functions; the loader of modules needs no more of the table.

/// The head. In memory the pointers to the functions follow; the C header declares each with its type.
#[repr(C)]
pub struct kraken_ws_api {
    /// Bytes of the whole table.
    pub(crate) size: usize,
    /// `KRAKEN_WS_ABI_VERSION`.
    pub(crate) abi_version: u32,
    /// Always 0.
    pub(crate) reserved: u32,
}
