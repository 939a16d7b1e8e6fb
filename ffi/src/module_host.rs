//! Modules of a server of Node's: the addon passes events through them before JavaScript gets the events.

use std::ffi::CString;
use std::os::raw::c_int;
use std::sync::Arc;

use kraken_ws_core::{
    Disconnect, Error, ErrorCode, Event, Namespace, Result, Server, SocketHandle, Stage, Target,
};

use crate::api;
use crate::event::{Question, take_event};
use crate::modules::ModuleFigures;
use crate::server::{Host, Log, ServerHandle, number};

/// A server of Node's as modules see it. Modules get the same table of functions as in a C host. Calls that only the owner
/// of the server may make (close, free, poll, create a namespace) are refused.
pub struct ModuleHost {
    host: Arc<Host>,
    handle: &'static ServerHandle,
}

impl ModuleHost {
    /// `namespaces` are the existing ones; their clients wait to be accepted.
    ///
    /// # Errors
    /// [`ErrorCode::Name`] if there are too many of them.
    pub fn new<'n>(server: &Server, namespaces: impl IntoIterator<Item = &'n Namespace>) -> Result<Self> {
        let host = Host::around(server.clone(), None, true, Log::default())?;
        for namespace in namespaces {
            host.namespaces.add(namespace)?;
        }
        let handle = host.make_handle();
        Ok(Self { host, handle })
    }

    /// Adds a namespace. Beyond the limit of numbers its clients are refused while a module is loaded, so that no client
    /// bypasses a filter.
    pub fn add_namespace(&self, namespace: &Namespace) {
        let _ = self.host.namespaces.add(namespace);
    }

    /// Removes a namespace.
    pub fn remove_namespace(&self, name: &str) {
        self.host.namespaces.remove(name);
    }

    /// Loads a module and returns its name.
    ///
    /// # Errors
    /// Those of `kraken_ws_server_load_module`.
    ///
    /// # Safety
    /// The shared object's code runs in this process and is what it says.
    pub unsafe fn load(&self, path: &str, args: &[CString]) -> Result<Arc<str>> {
        self.host.open()?;
        let count = c_int::try_from(args.len())
            .map_err(|_| Error::new(ErrorCode::Argument, "args: there are too many"))?;
        if self.host.modules.is_empty() {
            self.insert_sockets()?;
        }
        let list: Vec<_> = args.iter().map(|arg| arg.as_ptr()).collect();
        // SAFETY: the list has `count` texts with a NUL; the rest is the caller's promise.
        unsafe { self.host.load_module(api::table(), path, count, list.as_ptr()) }
    }

    /// Unloads a module by its name.
    ///
    /// # Errors
    /// Those of `kraken_ws_server_unload_module`.
    pub fn unload(&self, name: &str) -> Result<()> {
        self.host.unload_module(name)
    }

    /// Figures of the modules, in the order in which they were loaded.
    pub fn figures(&self) -> Vec<ModuleFigures> {
        self.host.modules.figures()
    }

    /// Refuses a client of a namespace that has just been removed, or has no number.
    fn turn_away(&self, socket: SocketHandle, pending: bool) {
        self.host.sockets.insert(number(socket, 0), "".into(), "".into());
        self.host.sockets.silence(socket.0);
        if pending {
            self.host.server.reject(socket, r#"{"message":"Invalid namespace"}"#);
        } else {
            self.host.server.disconnect(socket, Disconnect::Socket);
        }
    }

    /// Inserts the sockets that connected before the first module was loaded.
    fn insert_sockets(&self) -> Result<()> {
        self.host.sockets.clear();
        for (index, namespace) in self.host.namespaces.all() {
            let (sockets, _) = self.host.fetch_sockets(namespace.name(), Target::all())?;
            let name: Arc<str> = namespace.name().into();
            for found in sockets {
                self.host.sockets.insert(number(found.socket, index), found.id.into(), name.clone());
            }
        }
        Ok(())
    }
}

/// The modules see events before anything else of the host.
impl Stage for ModuleHost {
    fn pass(&self, event: Event) -> Option<Event> {
        if self.host.modules.is_empty() {
            return Some(event);
        }
        match event {
            Event::Connect { socket, nsp, id, request, auth, conn, pending, recovered } => {
                if self.host.namespaces.index(&nsp).is_none() {
                    self.turn_away(socket, pending);
                    return None;
                }
                let seen = self.host.admit(Event::Connect {
                    socket,
                    nsp: nsp.clone(),
                    id: id.clone(),
                    request: request.clone(),
                    auth: auth.clone(),
                    conn,
                    pending,
                    recovered: None,
                })?;
                // A module may have accepted the client already.
                let pending = matches!(seen.take_question(), Question::Connect);
                Some(Event::Connect { socket, nsp, id, request, auth, conn, pending, recovered })
            }
            Event::Event { socket, data, attachments, ack } => {
                let seen = self.host.admit(Event::Event { socket, data, attachments, ack })?;
                let (data, attachments, ack) = take_event(seen);
                Some(Event::Event { socket, data, attachments, ack })
            }
            Event::Disconnect { socket, reason, detail } => {
                self.host.admit(Event::Disconnect { socket, reason, detail })?;
                Some(Event::Disconnect { socket, reason, detail })
            }
            other => Some(other),
        }
    }
}

impl Drop for ModuleHost {
    fn drop(&mut self) {
        let _ = self.handle.end();
        self.host.modules.end();
    }
}
