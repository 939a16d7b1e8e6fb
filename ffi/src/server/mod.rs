//! A server as a C host has it: life cycle, options, and delivery of events.

use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use kraken_ws_core::{Error, ErrorCode, Result};

use crate::border::{Handle, Lasting, call, kraken_ws_server, kraken_ws_status};

mod dispatch;
mod host;
mod inbox;
mod life;
mod log;
mod namespaces;
mod options;
mod poll;
mod remote_calls;
mod sockets;
mod translate;

pub use dispatch::*;
pub(crate) use host::{Host, ServerHandle};
pub use life::*;
pub(crate) use log::Log;
pub use log::{KRAKEN_WS_LOG_DEBUG, KRAKEN_WS_LOG_ERROR, KRAKEN_WS_LOG_INFO, KRAKEN_WS_LOG_WARN};
pub(crate) use namespaces::{handle, number};
pub use options::*;
pub use poll::*;
pub(crate) use sockets::UserPointer;

/// The server of `kraken_ws_send_to_room` and `kraken_ws_send_to_all`.
static PROCESS_WIDE: AtomicPtr<kraken_ws_server> = AtomicPtr::new(std::ptr::null_mut());

/// Runs `act` on a server, unless it was freed or belongs to another process.
///
/// # Safety
/// A pointer that is not null comes from `kraken_ws_server_new`.
pub(crate) unsafe fn with<T>(
    server: *const kraken_ws_server,
    act: impl FnOnce(&Arc<Host>) -> Result<T>,
) -> Result<T> {
    // SAFETY: the caller's promise is the same.
    unsafe { Handle::<Lasting<Arc<Host>>>::with(server, act) }
}

/// Runs `act` as [`with`] does, unless the server is closed.
///
/// # Safety
/// As [`with`].
pub(crate) unsafe fn with_open<T>(
    server: *const kraken_ws_server,
    act: impl FnOnce(&Arc<Host>) -> Result<T>,
) -> Result<T> {
    // SAFETY: the caller's promise is the same.
    unsafe {
        with(server, |host| {
            host.open()?;
            act(host)
        })
    }
}

/// The server of `kraken_ws_set_server`.
pub(crate) fn process_wide() -> Result<*const kraken_ws_server> {
    let server = PROCESS_WIDE.load(Ordering::Acquire);
    if server.is_null() {
        return Err(Error::new(ErrorCode::State, "no server is set: call kraken_ws_set_server first"));
    }
    Ok(server)
}

/// Sets the server of `kraken_ws_send_to_room` and `kraken_ws_send_to_all`; null unsets it. May be called at any
/// time.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_set_server(server: *mut kraken_ws_server) -> kraken_ws_status {
    // SAFETY: the handle is as the header asks for.
    call(|| unsafe {
        if !server.is_null() {
            with(server, |_| Ok(()))?;
        }
        PROCESS_WIDE.store(server, Ordering::Release);
        Ok(())
    })
}
