//! Sockets without a JavaScript object: those of namespaces that have no listener and no middleware, and whose maps
//! nobody reads. They are accepted here and cost JavaScript nothing; it gets their objects when it first looks at the
//! namespace.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use kraken_ws_core::{ConnId, Event, RequestInfo, Server, Stage};
use napi_derive::napi;

use crate::exports::server::NativeServer;
use crate::parts::error::Result;
use crate::parts::handshake::quote;

/// What the socket's object is later made from.
struct Socket {
    nsp: Arc<str>,
    id: Box<str>,
    conn: ConnId,
    request: Arc<RequestInfo>,
    auth: Box<str>,
    /// Position of the socket in the order of connecting.
    order: u64,
}

/// A connection with objectless sockets.
#[derive(Default)]
struct Connection {
    sockets: u32,
    upgraded: bool,
}

/// The sockets without an object, on the JavaScript thread.
#[derive(Default)]
pub(crate) struct ObjectlessSockets {
    /// Names of the namespaces that JavaScript does not look at.
    quiet: HashSet<Box<str>>,
    sockets: HashMap<u64, Socket>,
    connections: HashMap<ConnId, Connection>,
    last: u64,
}

/// Takes the events of objectless sockets.
pub(crate) struct ObjectlessStage<'a> {
    pub(crate) sockets: &'a RefCell<ObjectlessSockets>,
    pub(crate) server: &'a Server,
}

impl Stage for ObjectlessStage<'_> {
    fn pass(&self, event: Event) -> Option<Event> {
        self.sockets.borrow_mut().take(self.server, event)
    }
}

impl ObjectlessSockets {
    /// Handles an event of an objectless socket; returns other events.
    fn take(&mut self, server: &Server, event: Event) -> Option<Event> {
        match event {
            Event::Connect { socket, nsp, id, request, auth, conn, .. } if self.quiet.contains(&*nsp) => {
                server.accept(socket);
                self.connections.entry(conn).or_default().sockets += 1;
                self.last += 1;
                let order = self.last;
                self.sockets.insert(socket.0, Socket { nsp, id, conn, request, auth, order });
                None
            }
            Event::Event { socket, .. } if self.sockets.contains_key(&socket.0) => None,
            Event::Disconnect { socket, .. } if self.sockets.contains_key(&socket.0) => {
                self.remove(socket.0);
                None
            }
            Event::Upgraded { conn } => {
                if let Some(connection) = self.connections.get_mut(&conn) {
                    connection.upgraded = true;
                }
                Some(event)
            }
            other => Some(other),
        }
    }

    /// Forgets a namespace that was removed.
    pub(crate) fn forget(&mut self, namespace: &str) {
        self.quiet.remove(namespace);
    }

    /// Removes a socket; returns it, and whether its connection has upgraded from polling.
    fn remove(&mut self, handle: u64) -> Option<(Socket, bool)> {
        let socket = self.sockets.remove(&handle)?;
        let connection = self.connections.get_mut(&socket.conn)?;
        connection.sockets -= 1;
        let upgraded = connection.upgraded;
        if connection.sockets == 0 {
            self.connections.remove(&socket.conn);
        }
        Some((socket, upgraded))
    }
}

#[napi]
impl NativeServer {
    /// From here on the sockets of the namespace get no JavaScript object.
    #[napi]
    pub fn overlook(&self, namespace: u32) -> Result<()> {
        self.with_namespace(namespace, |namespace| {
            self.unseen.borrow_mut().quiet.insert(namespace.name().into());
            Ok(())
        })
    }

    /// From here on JavaScript has an object for each socket of the namespace; returns the sockets that have
    /// none yet as JSON, `[[id, handle, connection, upgraded], …]`.
    #[napi]
    pub fn look_at(&self, namespace: u32) -> Result<String> {
        self.with_namespace(namespace, |namespace| {
            let mut unseen = self.unseen.borrow_mut();
            let mut batcher = self.batcher.borrow_mut();
            unseen.quiet.remove(namespace.name());
            let there = unseen.sockets.iter().filter(|(_, socket)| &*socket.nsp == namespace.name());
            let mut handles: Vec<(u64, u64)> =
                there.map(|(handle, socket)| (socket.order, *handle)).collect();
            handles.sort_unstable();
            let mut out = String::from("[");
            for (_, handle) in handles {
                let Some((socket, upgraded)) = unseen.remove(handle) else { continue };
                out.push_str(if out.len() > 1 { ",[" } else { "[" });
                quote(&mut out, &socket.id);
                let _ = write!(out, ",{handle},{},{upgraded}]", socket.conn.0);
                batcher.keep_handshake(handle, socket.request, socket.auth);
            }
            out.push(']');
            Ok(out)
        })
    }
}
