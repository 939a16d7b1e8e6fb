//! Namespaces of a server, shared by host threads and shards.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, RwLock};

/// One namespace.
pub(crate) struct NspShared {
    pub id: u32,
    pub name: Arc<str>,
    decide: AtomicBool,
}

/// A handle to a namespace; cheap to clone.
#[derive(Clone)]
pub struct Namespace(pub(crate) Arc<NspShared>);

impl Namespace {
    /// Name with the leading `/`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether clients wait for [`Server::accept`](crate::Server::accept) when they connect. Off: the core
    /// accepts by itself, which saves a turn through the host.
    pub fn set_decide(&self, on: bool) {
        self.0.decide.store(on, Ordering::Release);
    }
}

impl NspShared {
    pub(crate) fn decide(&self) -> bool {
        self.decide.load(Ordering::Acquire)
    }
}

impl std::fmt::Debug for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Namespace").field(&self.0.name).finish()
    }
}

/// All namespaces by name. Read when a client connects, never per message.
#[derive(Default)]
pub(crate) struct Namespaces {
    map: RwLock<HashMap<Box<str>, Arc<NspShared>>>,
    next: AtomicU32,
}

impl Namespaces {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<NspShared>> {
        self.map.read().unwrap_or_else(|e| e.into_inner()).get(name).cloned()
    }

    /// The namespace of that name; a new one decides by `decide` from the start.
    pub(crate) fn create(&self, name: &str, decide: bool) -> Arc<NspShared> {
        let mut map = self.map.write().unwrap_or_else(|e| e.into_inner());
        if let Some(found) = map.get(name) {
            return found.clone();
        }
        let nsp = Arc::new(NspShared {
            id: self.next.fetch_add(1, Ordering::Relaxed),
            name: name.into(),
            decide: AtomicBool::new(decide),
        });
        map.insert(name.into(), nsp.clone());
        nsp
    }

    pub(crate) fn remove(&self, name: &str) {
        self.map.write().unwrap_or_else(|e| e.into_inner()).remove(name);
    }
}
