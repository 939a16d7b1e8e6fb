//! Figures of a server, of a node of a fleet, of an emitter.

use std::mem::offset_of;

use kraken_ws_core::{ClusterStats, Error, ErrorCode, Result};

use crate::border::{call, kraken_ws_server, kraken_ws_status, write_sized};
use crate::calls::figures::{kraken_ws_cluster_stats, kraken_ws_stats};
use crate::server::with;

/// Reads the figures of a server.
///
/// Errors: `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_stats(
    server: *mut kraken_ws_server,
    stats: *mut kraken_ws_stats,
) -> kraken_ws_status {
    // SAFETY: handle and struct are as the header asks for.
    call(|| unsafe {
        write_sized(stats, offset_of!(kraken_ws_stats, sockets), "stats", |size| {
            let stats = with(server, |host| Ok(host.server.stats()))?;
            Ok(kraken_ws_stats::of(size, &stats))
        })
    })
}

/// Writes the figures of the connection to the other nodes.
///
/// # Safety
/// Null, or a struct that begins with its size.
pub(super) unsafe fn write_cluster_stats(
    stats: *mut kraken_ws_cluster_stats,
    read: impl FnOnce() -> Result<ClusterStats>,
) -> Result<()> {
    let write = |size| Ok(kraken_ws_cluster_stats::of(size, &read()?));
    // SAFETY: the caller's promise is the same.
    unsafe { write_sized(stats, offset_of!(kraken_ws_cluster_stats, nodes), "stats", write) }
}

/// Reads the figures of a server as a node of its fleet.
///
/// Errors: `STATE` (it is in no fleet), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_cluster_stats(
    server: *mut kraken_ws_server,
    stats: *mut kraken_ws_cluster_stats,
) -> kraken_ws_status {
    // SAFETY: handle and struct are as the header asks for.
    call(|| unsafe {
        write_cluster_stats(stats, || {
            let none = || Error::new(ErrorCode::State, "cluster_stats: the server is in no fleet");
            with(server, |host| host.server.cluster_stats().ok_or_else(none))
        })
    })
}
