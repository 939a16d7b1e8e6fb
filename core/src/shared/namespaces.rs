//! Namespaces of a server, shared by host threads and shards.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, RwLock};

use crate::types::change::Change;
use crate::types::ids::NspId;

/// Who accepts the clients that connect to a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The core, at once.
    Core,
    /// The host, by [`Server::accept`](crate::Server::accept).
    Host,
}

/// One namespace.
pub(crate) struct NspShared {
    pub id: NspId,
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

    /// Sets whether connecting clients wait for [`Server::accept`](crate::Server::accept). If not, the core accepts
    /// them by itself, which saves a round trip through the host.
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

/// Called when a namespace is added or removed.
type Watcher = Box<dyn Fn(&Arc<NspShared>, Change) + Send + Sync>;

#[derive(Default)]
struct Map {
    by_name: HashMap<Box<str>, Arc<NspShared>>,
    watcher: Option<Watcher>,
}

impl Map {
    fn notify(&self, nsp: &Arc<NspShared>, change: Change) {
        if let Some(watcher) = &self.watcher {
            watcher(nsp, change);
        }
    }
}

/// All namespaces by name. Read when a client connects, never per message.
#[derive(Default)]
pub(crate) struct Namespaces {
    map: RwLock<Map>,
    next: AtomicU32,
}

impl Namespaces {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<NspShared>> {
        self.map.read().unwrap_or_else(|e| e.into_inner()).by_name.get(name).cloned()
    }

    /// Calls `watcher` for each existing namespace, then for each that is created or removed, in that order.
    pub(crate) fn watch(&self, watcher: Watcher) {
        let mut map = self.map.write().unwrap_or_else(|e| e.into_inner());
        map.watcher = Some(watcher);
        map.by_name.values().for_each(|nsp| map.notify(nsp, Change::Added));
    }

    /// Returns the namespace of that name. For a new one, `admission` holds from the first client on.
    pub(crate) fn create(&self, name: &str, admission: Admission) -> Arc<NspShared> {
        let mut map = self.map.write().unwrap_or_else(|e| e.into_inner());
        if let Some(found) = map.by_name.get(name) {
            return found.clone();
        }
        let nsp = Arc::new(NspShared {
            id: NspId(self.next.fetch_add(1, Ordering::Relaxed)),
            name: name.into(),
            decide: AtomicBool::new(admission == Admission::Host),
        });
        map.by_name.insert(name.into(), nsp.clone());
        map.notify(&nsp, Change::Added);
        nsp
    }

    pub(crate) fn remove(&self, name: &str) {
        let mut map = self.map.write().unwrap_or_else(|e| e.into_inner());
        if let Some(nsp) = map.by_name.remove(name) {
            map.notify(&nsp, Change::Removed);
        }
    }
}
