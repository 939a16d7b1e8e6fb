//! Session ids that a host chose. Ids of the core name their shard; these are looked up.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::engine::sid::Id;

/// Empty unless the host chooses ids, and then read once per request that names a session.
#[derive(Default)]
pub(crate) struct Aliases {
    map: Mutex<HashMap<Box<str>, Id>>,
    count: AtomicUsize,
}

impl Aliases {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Id>> {
        self.map.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Lets `chosen` stand for a session; false if it stands for one already.
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

    /// The session that a request names.
    pub(crate) fn resolve(&self, text: &str) -> Option<Id> {
        if self.count.load(Ordering::Acquire) > 0
            && let Some(sid) = self.lock().get(text)
        {
            return Some(*sid);
        }
        Id::parse(text)
    }
}
