//! How many shards hold a room: answers "does this room exist here?" without asking every shard.

use std::collections::HashMap;
use std::sync::Mutex;

type Key = (u32, Box<str>);

/// Shared by all shards; touched when a shard's first member joins or last one leaves, never per message.
#[derive(Default)]
pub(crate) struct Directory(Mutex<HashMap<Key, u32>>);

impl Directory {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, u32>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// A shard has its first member. `then` is told whether no other shard had one, before anybody else
    /// can change the room: what it queues is in the order in which the room changed.
    pub(crate) fn add(&self, nsp: u32, room: &str, then: impl FnOnce(bool)) {
        let mut map = self.lock();
        let count = map.entry((nsp, room.into())).or_insert(0);
        *count += 1;
        then(*count == 1);
    }

    /// A shard lost its last member. `then` is told whether no shard has one now, as in [`Directory::add`].
    pub(crate) fn remove(&self, nsp: u32, room: &str, then: impl FnOnce(bool)) {
        let mut map = self.lock();
        let key = (nsp, Box::from(room));
        let left = map.get_mut(&key).map(|count| {
            *count -= 1;
            *count
        });
        if left == Some(0) {
            map.remove(&key);
        }
        then(left == Some(0));
    }

    /// Has any shard a member?
    pub(crate) fn has(&self, nsp: u32, room: &str) -> bool {
        self.lock().contains_key(&(nsp, Box::from(room)))
    }

    /// Rooms in this process.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Names of the rooms of a namespace.
    pub(crate) fn rooms(&self, nsp: u32) -> Vec<Box<str>> {
        self.lock().keys().filter(|(n, _)| *n == nsp).map(|(_, room)| room.clone()).collect()
    }
}
