//! Namespaces by number. The number of a socket contains that of its namespace, so an emit needs no look-up by name.

use std::sync::{PoisonError, RwLock};

use kraken_ws_core::{Error, ErrorCode, Namespace, Result, Server, SocketHandle};

/// Bits of the core's handle; the namespace's number is in the bits above.
const HANDLE_BITS: u32 = 53;
/// Limit of namespaces of a C host.
const MOST: usize = (1 << (64 - HANDLE_BITS)) - 1;

/// The host's number of a socket; 0 is no socket.
pub(crate) fn number(socket: SocketHandle, namespace: usize) -> u64 {
    socket.0 | (namespace as u64) << HANDLE_BITS
}

/// The core's handle of a host's number.
pub(crate) fn handle(socket: u64) -> SocketHandle {
    SocketHandle(socket & ((1 << HANDLE_BITS) - 1))
}

pub(crate) struct Namespaces {
    root: Namespace,
    /// By number; `None` where a number is free.
    others: RwLock<Vec<Option<Namespace>>>,
}

impl Namespaces {
    pub(crate) fn new(server: &Server) -> Result<Self> {
        Ok(Self { root: server.namespace("/")?, others: RwLock::default() })
    }

    /// Makes a namespace unless it exists. `decide` holds from its first client on.
    pub(crate) fn create(&self, server: &Server, name: &str, decide: bool) -> Result<()> {
        let namespace = server.namespace(name)?;
        if self.index(namespace.name()).is_some() {
            return Ok(());
        }
        namespace.set_decide(decide);
        self.add(&namespace).inspect_err(|_| server.remove_namespace(namespace.name()))
    }

    /// Assigns a number to a namespace.
    pub(crate) fn add(&self, namespace: &Namespace) -> Result<()> {
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        if namespace.name() == "/" || others.iter().flatten().any(|other| other.name() == namespace.name()) {
            return Ok(());
        }
        if let Some(free) = others.iter().position(Option::is_none) {
            others[free] = Some(namespace.clone());
        } else if others.len() < MOST {
            others.push(Some(namespace.clone()));
        } else {
            let why = format!("namespace: {MOST} at most can be seen by hosts and modules in C");
            return Err(Error::new(ErrorCode::Name, why));
        }
        Ok(())
    }

    /// Frees the number of a namespace.
    pub(crate) fn remove(&self, name: &str) {
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = others.iter_mut().find(|other| other.as_ref().is_some_and(|o| o.name() == name)) {
            *slot = None;
        }
    }

    /// All namespaces with their numbers.
    pub(crate) fn all(&self) -> Vec<(usize, Namespace)> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let numbered = others.iter().enumerate().filter_map(|(at, other)| Some((at + 1, other.clone()?)));
        std::iter::once((0, self.root.clone())).chain(numbered).collect()
    }

    /// Number of a namespace; `None` if it has none.
    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        if name == "/" {
            return Some(0);
        }
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let named = |other: &Option<Namespace>| other.as_ref().is_some_and(|other| other.name() == name);
        others.iter().position(named).map(|at| at + 1)
    }

    /// Finds a namespace by name, with its number; the empty name is `/`.
    pub(crate) fn get(&self, name: &str) -> Result<(usize, Namespace)> {
        self.with(name, |namespace, index| Ok((index, namespace.clone())))
    }

    /// Runs `act` on a namespace, by name; the empty name is `/`.
    pub(crate) fn with<T>(&self, name: &str, act: impl FnOnce(&Namespace, usize) -> Result<T>) -> Result<T> {
        if name.is_empty() || name == "/" {
            return act(&self.root, 0);
        }
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let named = |(at, other): (usize, &'_ Option<Namespace>)| {
            let full = other.as_ref()?.name();
            (full == name || full.strip_prefix('/') == Some(name)).then_some(at)
        };
        let at = others.iter().enumerate().find_map(named);
        let Some((at, namespace)) = at.and_then(|at| Some((at, others[at].as_ref()?))) else {
            return Err(Error::new(
                ErrorCode::Name,
                format!("namespace: there is no {name:?}, make it with kraken_ws_server_create_namespace"),
            ));
        };
        act(namespace, at + 1)
    }

    /// Runs `act` on the namespace of a socket.
    pub(crate) fn of<T>(&self, socket: u64, act: impl FnOnce(&Namespace) -> Result<T>) -> Result<T> {
        match (socket >> HANDLE_BITS) as usize {
            0 => act(&self.root),
            at => {
                let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
                let gone =
                    || Error::new(ErrorCode::Gone, "socket: the number is of no socket of this server");
                act(others.get(at - 1).and_then(Option::as_ref).ok_or_else(gone)?)
            }
        }
    }

    pub(crate) fn set_decide(&self, decide: bool) {
        self.root.set_decide(decide);
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.iter().flatten().for_each(|other| other.set_decide(decide));
    }
}
