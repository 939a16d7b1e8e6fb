//! State of the C layer per socket: public id, namespace, and the host's pointer.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, Mutex};

use kraken_ws_core::{SocketHandle, Stage};

use super::namespaces::handle;
use crate::border::lock;
use crate::event::{SharedEvent, kraken_ws_event_kind as Kind};

/// A pointer that the host attached, and its `drop` function.
pub(crate) struct UserPointer {
    pub(crate) ptr: *mut c_void,
    drop: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: the library never looks at what the pointer means; that the host may be called with it on another
// thread is part of the contract.
unsafe impl Send for UserPointer {}
// SAFETY: as above.
unsafe impl Sync for UserPointer {}

impl UserPointer {
    pub(crate) fn new(ptr: *mut c_void, drop: Option<unsafe extern "C" fn(*mut c_void)>) -> Self {
        Self { ptr, drop }
    }
}

impl Drop for UserPointer {
    fn drop(&mut self) {
        if let Some(drop) = self.drop {
            // SAFETY: the host gave this function for this pointer, and it is called once.
            unsafe { drop(self.ptr) };
        }
    }
}

struct Entry {
    /// The host's number, which contains that of the namespace.
    number: u64,
    id: Arc<str>,
    namespace: Arc<str>,
    /// Whether the socket was refused; the host gets no more events of it.
    silent: bool,
    user: Option<UserPointer>,
}

/// Sockets by the core's handle. An entry stays until the event of the disconnect is freed.
#[derive(Default)]
pub(crate) struct Sockets(Mutex<HashMap<SocketHandle, Entry>>);

impl Sockets {
    pub(crate) fn insert(&self, number: u64, id: Arc<str>, namespace: Arc<str>) {
        let entry = Entry { number, id, namespace, silent: false, user: None };
        lock(&self.0).insert(handle(number), entry);
    }

    /// Number, public id and namespace of a socket.
    pub(crate) fn find(&self, socket: SocketHandle) -> Option<(u64, Arc<str>, Arc<str>)> {
        let map = lock(&self.0);
        map.get(&socket).map(|entry| (entry.number, entry.id.clone(), entry.namespace.clone()))
    }

    pub(crate) fn silence(&self, socket: u64) {
        if let Some(entry) = lock(&self.0).get_mut(&handle(socket)) {
            entry.silent = true;
        }
    }

    pub(crate) fn is_silent(&self, socket: u64) -> bool {
        lock(&self.0).get(&handle(socket)).is_some_and(|entry| entry.silent)
    }

    /// Attaches the host's pointer; returns it if there is no such socket.
    pub(crate) fn set_user(&self, socket: u64, user: UserPointer) -> Result<(), UserPointer> {
        let before = match lock(&self.0).get_mut(&handle(socket)) {
            Some(entry) => entry.user.replace(user),
            None => return Err(user),
        };
        drop(before); // outside the lock: the host's function may call back
        Ok(())
    }

    pub(crate) fn user(&self, socket: u64) -> *mut c_void {
        let map = lock(&self.0);
        map.get(&handle(socket))
            .and_then(|entry| entry.user.as_ref())
            .map_or(std::ptr::null_mut(), |user| user.ptr)
    }

    /// Removes all sockets.
    pub(crate) fn clear(&self) {
        let entries = std::mem::take(&mut *lock(&self.0));
        drop(entries); // outside the lock, as above
    }

    pub(crate) fn remove(&self, socket: u64) {
        let entry = lock(&self.0).remove(&handle(socket));
        drop(entry); // outside the lock, as above
    }
}

/// Ends the events of a socket that a module or a full table of namespaces refused: nobody was told of its connect.
impl Stage<SharedEvent> for Sockets {
    fn pass(&self, event: SharedEvent) -> Option<SharedEvent> {
        let ends = matches!(event.kind, Kind::Disconnect | Kind::Event) && self.is_silent(event.socket);
        (!ends).then_some(event)
    }
}
