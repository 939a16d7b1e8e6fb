//! Namespaces by the small number that a socket's number carries, so that an emit needs no look-up.

use std::sync::{PoisonError, RwLock};

use kraken_ws_core::{Error, ErrorCode, Namespace, Result, Server, SocketHandle};

/// Bits of the core's handle; above them is the namespace's number.
const HANDLE_BITS: u32 = 53;
/// How many namespaces a C host can have.
const MOST: usize = (1 << (64 - HANDLE_BITS)) - 1;

/// The number that a host knows a socket by. 0 is no socket.
pub(crate) fn number(socket: SocketHandle, namespace: usize) -> u64 {
    socket.0 | (namespace as u64) << HANDLE_BITS
}

/// The core's handle.
pub(crate) fn handle(socket: u64) -> SocketHandle {
    SocketHandle(socket & ((1 << HANDLE_BITS) - 1))
}

pub(crate) struct Namespaces {
    root: Namespace,
    others: RwLock<Vec<Namespace>>,
}

impl Namespaces {
    pub(crate) fn new(server: &Server) -> Result<Self> {
        Ok(Self { root: server.namespace("/")?, others: RwLock::default() })
    }

    /// The namespace of that name, made if need be; decides about clients by `decide` from the start.
    pub(crate) fn create(&self, server: &Server, name: &str, decide: bool) -> Result<()> {
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        let namespace = server.namespace(name)?;
        if namespace.name() == "/" || others.iter().any(|other| other.name() == namespace.name()) {
            return Ok(());
        }
        if others.len() == MOST {
            server.remove_namespace(namespace.name());
            return Err(Error::new(ErrorCode::Name, format!("namespace: a C host can have {MOST} at most")));
        }
        namespace.set_decide(decide);
        others.push(namespace);
        Ok(())
    }

    /// Its number, if the host knows it.
    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        if name == "/" {
            return Some(0);
        }
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.iter().position(|other| other.name() == name).map(|at| at + 1)
    }

    /// Uses the namespace that is meant; empty means `/`.
    pub(crate) fn with<T>(&self, name: &str, act: impl FnOnce(&Namespace, usize) -> Result<T>) -> Result<T> {
        if name.is_empty() || name == "/" {
            return act(&self.root, 0);
        }
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let found = others.iter().enumerate().find(|(_, other)| {
            other.name() == name || other.name().strip_prefix('/').is_some_and(|bare| bare == name)
        });
        let Some((at, namespace)) = found else {
            return Err(Error::new(
                ErrorCode::Name,
                format!("namespace: there is no {name:?}, make it with kraken_ws_namespace_create"),
            ));
        };
        act(namespace, at + 1)
    }

    /// Uses the namespace of a socket.
    pub(crate) fn of<T>(&self, socket: u64, act: impl FnOnce(&Namespace) -> Result<T>) -> Result<T> {
        match (socket >> HANDLE_BITS) as usize {
            0 => act(&self.root),
            at => {
                let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
                let gone =
                    || Error::new(ErrorCode::Gone, "socket: the number is of no socket of this server");
                act(others.get(at - 1).ok_or_else(gone)?)
            }
        }
    }

    pub(crate) fn set_decide(&self, decide: bool) {
        self.root.set_decide(decide);
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.iter().for_each(|other| other.set_decide(decide));
    }
}
