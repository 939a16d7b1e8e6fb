//! Session ids that a host chose. An id of the core names its shard; a chosen id is looked up here.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use kraken_ws_codec::sid::Id;

/// Map from chosen ids to ids of the core. It is empty unless the host chooses ids, and its lock is taken only if it
/// is not.
#[derive(Default)]
pub(crate) struct Aliases {
    map: Mutex<HashMap<Box<str>, Id>>,
    count: AtomicUsize,
}

impl Aliases {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Id>> {
        self.map.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Maps `chosen` to a session; false if it is mapped already.
    pub(crate) fn add(&self, chosen: &str, sid: Id) -> bool {
        let mut map = self.lock();
        if map.contains_key(chosen) {
            return false;
        }
        map.insert(chosen.into(), sid);
        self.count.store(map.len(), Ordering::Release);
        true
    }

    pub(crate) fn remove(&self, chosen: &str) {
        let mut map = self.lock();
        map.remove(chosen);
        self.count.store(map.len(), Ordering::Release);
    }

    /// Session id for the `sid` of a request, chosen or the core's own.
    pub(crate) fn resolve(&self, text: &str) -> Option<Id> {
        if self.count.load(Ordering::Acquire) > 0
            && let Some(sid) = self.lock().get(text)
        {
            return Some(*sid);
        }
        Id::parse(text)
    }
}
