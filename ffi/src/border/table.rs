//! The head of the table of functions, which is all that a module's loader needs to know of it.

/// The table; the header has it with a member of the right type for each function. They follow the head in memory.
#[repr(C)]
pub struct kraken_ws_api {
    /// Bytes of the whole table.
    pub(crate) size: usize,
    /// `KRAKEN_WS_ABI_VERSION`.
    pub(crate) abi_version: u32,
    /// 0.
    pub(crate) reserved: u32,
}
