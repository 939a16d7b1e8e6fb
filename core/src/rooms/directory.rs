//! Which shards hold a room: answers "does this room exist here?" without asking every shard.

use std::collections::HashMap;
use std::sync::Mutex;

type Key = (u32, Box<str>);
/// Told of a namespace and a room: here now, or no more.
type Watcher = Box<dyn Fn(u32, &str, bool) + Send>;

#[derive(Default)]
struct Rooms {
    /// A bit for each shard that holds it.
    shards: HashMap<Key, u64>,
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
    pub(crate) fn add(&self, shard: usize, nsp: u32, room: &str, then: impl FnOnce(bool)) {
        let mut rooms = self.lock();
        let held = rooms.shards.entry((nsp, room.into())).or_insert(0);
        let first = *held == 0;
        *held |= 1 << shard;
        if first {
            rooms.tell(nsp, room, true);
        }
        then(first);
    }

    /// A shard lost its last member. `then` is told whether no shard has one now, as in [`Directory::add`].
    pub(crate) fn remove(&self, shard: usize, nsp: u32, room: &str, then: impl FnOnce(bool)) {
        let mut rooms = self.lock();
        let key = (nsp, Box::from(room));
        let left = rooms.shards.get_mut(&key).map(|held| {
            *held &= !(1 << shard);
            *held
        });
        let last = left == Some(0);
        if last {
            rooms.shards.remove(&key);
            rooms.tell(nsp, room, false);
        }
        then(last);
    }

    /// A shard has no members any more, whatever it said of them. `gone` hears of the rooms that no shard has now, as
    /// in [`Directory::add`].
    pub(crate) fn forget(&self, shard: usize, mut gone: impl FnMut(u32, &str)) {
        let mut rooms = self.lock();
        let mut last = Vec::new();
        rooms.shards.retain(|key, held| {
            let was = std::mem::replace(held, *held & !(1 << shard));
            if was != 0 && *held == 0 {
                last.push(key.clone());
            }
            *held != 0
        });
        for (nsp, room) in last {
            rooms.tell(nsp, &room, false);
            gone(nsp, &room);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_there_until_the_last_shard_that_holds_it_lets_go() {
        let rooms = Directory::default();
        for (shard, first) in [(0, true), (63, false)] {
            rooms.add(shard, 1, "both", |found| assert_eq!(found, first));
        }
        rooms.add(63, 1, "one", |first| assert!(first));
        let mut gone = Vec::new();
        rooms.forget(63, |nsp, room| gone.push((nsp, room.to_owned())));
        assert_eq!(gone, [(1, "one".to_owned())]);
        assert!(rooms.has(1, "both"));
        // It is told twice, and once too often.
        rooms.remove(63, 1, "both", |last| assert!(!last));
        rooms.remove(0, 1, "both", |last| assert!(last));
        assert_eq!(rooms.len(), 0);
    }
}
