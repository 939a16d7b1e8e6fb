//! The server of an event, as the event sees it.

use std::ffi::c_void;

use bytes::Bytes;
use kraken_ws_core::Result;

use crate::border::kraken_ws_server;

/// The server of an event. Sockets are named by the numbers that hosts know.
pub(crate) trait Owner: Send + Sync {
    /// The server's handle.
    fn server(&self) -> *mut kraken_ws_server;

    /// The pointer that the host attached to a socket, or null.
    fn user(&self, socket: u64) -> *mut c_void;

    /// Lets a pending socket connect.
    fn accept(&self, socket: u64);

    /// Refuses a pending socket; the host gets no more events of it.
    fn reject(&self, socket: u64, error: &str);

    /// Disconnects a connected socket that a module refuses; the host gets no more events of it.
    fn turn_away(&self, socket: u64);

    /// Acknowledges an event of a client.
    ///
    /// # Errors
    /// Those of `kraken_ws_event_ack`.
    fn ack(&self, socket: u64, id: u64, data: &str, attachments: Vec<Bytes>) -> Result<()>;

    /// Removes a socket's entry; called when the event of its disconnect is freed.
    fn forget(&self, socket: u64);
}
