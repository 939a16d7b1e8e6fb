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

    /// A shard has its first member; true if no other shard had one.
    pub(crate) fn add(&self, nsp: u32, room: &str) -> bool {
        let mut map = self.lock();
        let count = map.entry((nsp, room.into())).or_insert(0);
        *count += 1;
        *count == 1
    }

    /// A shard lost its last member; true if no shard has one now.
    pub(crate) fn remove(&self, nsp: u32, room: &str) -> bool {
        let mut map = self.lock();
        let key = (nsp, Box::from(room));
        match map.get_mut(&key) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            Some(_) => {
                map.remove(&key);
                true
            }
            None => false,
        }
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
