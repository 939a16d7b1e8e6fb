//! How many shards hold a room: answers "does this room exist here?" without asking every shard.

use std::collections::HashMap;
use std::sync::Mutex;

type Key = (u32, Box<str>);
/// Told of a namespace and a room: here now, or no more.
type Watcher = Box<dyn Fn(u32, &str, bool) + Send>;

#[derive(Default)]
struct Rooms {
    /// How many shards hold each.
    shards: HashMap<Key, u32>,
    watcher: Option<Watcher>,
}

impl Rooms {
    fn tell(&self, nsp: u32, room: &str, here: bool) {
        if let Some(watcher) = &self.watcher {
            watcher(nsp, room, here);
        }
    }
}

/// Shared by all shards; touched when a shard's first member joins or last one leaves, and by messages of other
/// nodes for one room.
#[derive(Default)]
pub(crate) struct Directory(Mutex<Rooms>);

impl Directory {
    fn lock(&self) -> std::sync::MutexGuard<'_, Rooms> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Tells of all rooms that exist, and from then on of each that comes or goes, in that order.
    pub(crate) fn watch(&self, watcher: Watcher) {
        let mut rooms = self.lock();
        rooms.watcher = Some(watcher);
        rooms.shards.keys().for_each(|(nsp, room)| rooms.tell(*nsp, room, true));
    }

    /// A shard has its first member. `then` is told whether no other shard had one, before anybody else
    /// can change the room: what it queues is in the order in which the room changed.
    pub(crate) fn add(&self, nsp: u32, room: &str, then: impl FnOnce(bool)) {
        let mut rooms = self.lock();
        let count = rooms.shards.entry((nsp, room.into())).or_insert(0);
        *count += 1;
        let first = *count == 1;
        if first {
            rooms.tell(nsp, room, true);
        }
        then(first);
    }

    /// A shard lost its last member. `then` is told whether no shard has one now, as in [`Directory::add`].
    pub(crate) fn remove(&self, nsp: u32, room: &str, then: impl FnOnce(bool)) {
        let mut rooms = self.lock();
        let key = (nsp, Box::from(room));
        let left = rooms.shards.get_mut(&key).map(|count| {
            *count -= 1;
            *count
        });
        let last = left == Some(0);
        if last {
            rooms.shards.remove(&key);
            rooms.tell(nsp, room, false);
        }
        then(last);
    }

    /// Has any shard a member?
    pub(crate) fn has(&self, nsp: u32, room: &str) -> bool {
        self.lock().shards.contains_key(&(nsp, Box::from(room)))
    }

    /// Rooms in this process.
    pub(crate) fn len(&self) -> usize {
        self.lock().shards.len()
    }

    /// Names of the rooms of a namespace.
    pub(crate) fn rooms(&self, nsp: u32) -> Vec<Box<str>> {
        self.lock().shards.keys().filter(|(n, _)| *n == nsp).map(|(_, room)| room.clone()).collect()
    }
}
