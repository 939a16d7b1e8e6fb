//! The rooms of this process and the shards that hold them. It answers whether a room exists without asking every
//! shard. With connection state recovery, a second directory counts the rooms of disconnected sockets.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::types::change::Change;
use crate::types::ids::NspId;

type Key = (NspId, Box<str>);
/// Called when a room of a namespace gets its first holder, or loses its last.
type Watcher = Box<dyn Fn(NspId, &str, Change) + Send>;

/// The holders of a room.
#[derive(Default)]
struct Holders {
    /// One bit for each shard with members.
    shards: u64,
    /// Number of disconnected sockets in the room that can be recovered.
    away: u32,
}

impl Holders {
    fn is_empty(&self) -> bool {
        self.shards == 0 && self.away == 0
    }
}

#[derive(Default)]
struct Rooms {
    held: HashMap<Key, Holders>,
    watcher: Option<Watcher>,
}

impl Rooms {
    fn notify(&self, nsp: NspId, room: &str, change: Change) {
        if let Some(watcher) = &self.watcher {
            watcher(nsp, room, change);
        }
    }

    /// Adds a holder; returns whether it is the first.
    fn add(&mut self, nsp: NspId, room: &str, hold: impl FnOnce(&mut Holders)) -> bool {
        let held = self.held.entry((nsp, room.into())).or_default();
        let first = held.is_empty();
        hold(held);
        if first {
            self.notify(nsp, room, Change::Added);
        }
        first
    }

    /// Removes a holder; returns whether it was the last.
    fn remove(&mut self, nsp: NspId, room: &str, let_go: impl FnOnce(&mut Holders)) -> bool {
        let key = (nsp, Box::from(room));
        let Some(held) = self.held.get_mut(&key) else { return false };
        let_go(held);
        let last = held.is_empty();
        if last {
            self.held.remove(&key);
            self.notify(nsp, room, Change::Removed);
        }
        last
    }
}

/// Shared by all shards. It is locked when a shard gets its first member of a room or loses its last, and for
/// messages of other nodes to a single room.
#[derive(Default)]
pub(crate) struct Directory(Mutex<Rooms>);

impl Directory {
    fn lock(&self) -> std::sync::MutexGuard<'_, Rooms> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Reports all existing rooms to `watcher`, and then every change, in order.
    pub(crate) fn watch(&self, watcher: Watcher) {
        let mut rooms = self.lock();
        rooms.watcher = Some(watcher);
        rooms.held.keys().for_each(|(nsp, room)| rooms.notify(*nsp, room, Change::Added));
    }

    /// A shard has its first member. `then` is called under the lock, with whether no other shard had one; so what it
    /// queues has the same order as the changes of the room.
    pub(crate) fn add(&self, shard: usize, nsp: NspId, room: &str, then: impl FnOnce(bool)) {
        let mut rooms = self.lock();
        then(rooms.add(nsp, room, |held| held.shards |= 1 << shard));
    }

    /// A shard has lost its last member. `then` is called with whether no shard has any now, as in
    /// [`Directory::add`].
    pub(crate) fn remove(&self, shard: usize, nsp: NspId, room: &str, then: impl FnOnce(bool)) {
        let mut rooms = self.lock();
        then(rooms.remove(nsp, room, |held| held.shards &= !(1 << shard)));
    }

    /// Counts a disconnected socket in a room.
    pub(crate) fn add_away(&self, nsp: NspId, room: &str) {
        self.lock().add(nsp, room, |held| held.away += 1);
    }

    /// Removes a disconnected socket from a room.
    pub(crate) fn remove_away(&self, nsp: NspId, room: &str) {
        self.lock().remove(nsp, room, |held| held.away = held.away.saturating_sub(1));
    }

    /// Removes a shard from all rooms, for a shard that panicked. `gone` is called for each room that no shard holds
    /// now, as in [`Directory::add`].
    pub(crate) fn forget(&self, shard: usize, mut gone: impl FnMut(NspId, &str)) {
        let mut rooms = self.lock();
        let mut last = Vec::new();
        rooms.held.retain(|key, held| {
            held.shards &= !(1 << shard);
            if held.is_empty() {
                last.push(key.clone());
            }
            !held.is_empty()
        });
        for (nsp, room) in last {
            rooms.notify(nsp, &room, Change::Removed);
            gone(nsp, &room);
        }
    }

    /// Whether the room has any holder.
    pub(crate) fn has(&self, nsp: NspId, room: &str) -> bool {
        self.lock().held.contains_key(&(nsp, Box::from(room)))
    }

    /// Number of rooms in this process.
    pub(crate) fn len(&self) -> usize {
        self.lock().held.len()
    }

    /// Names of the rooms of a namespace.
    pub(crate) fn rooms(&self, nsp: NspId) -> Vec<Box<str>> {
        self.lock().held.keys().filter(|(n, _)| *n == nsp).map(|(_, room)| room.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_there_until_the_last_shard_that_holds_it_lets_go() {
        let rooms = Directory::default();
        for (shard, first) in [(0, true), (63, false)] {
            rooms.add(shard, NspId(1), "both", |found| assert_eq!(found, first));
        }
        rooms.add(63, NspId(1), "one", |first| assert!(first));
        let mut gone = Vec::new();
        rooms.forget(63, |nsp, room| gone.push((nsp, room.to_owned())));
        assert_eq!(gone, [(NspId(1), "one".to_owned())]);
        assert!(rooms.has(NspId(1), "both"));
        // The first call is a repetition, because the shard is forgotten already.
        rooms.remove(63, NspId(1), "both", |last| assert!(!last));
        rooms.remove(0, NspId(1), "both", |last| assert!(last));
        assert_eq!(rooms.len(), 0);
    }
}
