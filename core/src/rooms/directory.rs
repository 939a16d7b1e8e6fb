//! Which shards hold a room: answers "does this room exist here?" without asking every shard. With connection state
//! recovery another one counts the rooms of sockets whose clients are away.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::types::ids::NspId;

type Key = (NspId, Box<str>);
/// Told of a namespace and a room: here now, or no more.
type Watcher = Box<dyn Fn(NspId, &str, bool) + Send>;

/// Who holds a room.
#[derive(Default)]
struct Holders {
    /// A bit for each shard.
    shards: u64,
    /// How many sockets whose clients are away.
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
    fn tell(&self, nsp: NspId, room: &str, here: bool) {
        if let Some(watcher) = &self.watcher {
            watcher(nsp, room, here);
        }
    }

    /// Somebody more holds a room; was there nobody?
    fn add(&mut self, nsp: NspId, room: &str, hold: impl FnOnce(&mut Holders)) -> bool {
        let held = self.held.entry((nsp, room.into())).or_default();
        let first = held.is_empty();
        hold(held);
        if first {
            self.tell(nsp, room, true);
        }
        first
    }

    /// Somebody holds a room no more; is there nobody now?
    fn remove(&mut self, nsp: NspId, room: &str, let_go: impl FnOnce(&mut Holders)) -> bool {
        let key = (nsp, Box::from(room));
        let Some(held) = self.held.get_mut(&key) else { return false };
        let_go(held);
        let last = held.is_empty();
        if last {
            self.held.remove(&key);
            self.tell(nsp, room, false);
        }
        last
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
        rooms.held.keys().for_each(|(nsp, room)| rooms.tell(*nsp, room, true));
    }

    /// A shard has its first member. `then` is told whether no other shard had one, before anybody else
    /// can change the room: what it queues is in the order in which the room changed.
    pub(crate) fn add(&self, shard: usize, nsp: NspId, room: &str, then: impl FnOnce(bool)) {
        let mut rooms = self.lock();
        then(rooms.add(nsp, room, |held| held.shards |= 1 << shard));
    }

    /// A shard lost its last member. `then` is told whether no shard has one now, as in [`Directory::add`].
    pub(crate) fn remove(&self, shard: usize, nsp: NspId, room: &str, then: impl FnOnce(bool)) {
        let mut rooms = self.lock();
        then(rooms.remove(nsp, room, |held| held.shards &= !(1 << shard)));
    }

    /// A socket whose client is away is in a room.
    pub(crate) fn add_away(&self, nsp: NspId, room: &str) {
        self.lock().add(nsp, room, |held| held.away += 1);
    }

    /// It is in it no more.
    pub(crate) fn remove_away(&self, nsp: NspId, room: &str) {
        self.lock().remove(nsp, room, |held| held.away = held.away.saturating_sub(1));
    }

    /// A shard has no members any more, whatever it said of them. `gone` hears of the rooms that no shard has now, as
    /// in [`Directory::add`].
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
            rooms.tell(nsp, &room, false);
            gone(nsp, &room);
        }
    }

    /// Has any shard a member?
    pub(crate) fn has(&self, nsp: NspId, room: &str) -> bool {
        self.lock().held.contains_key(&(nsp, Box::from(room)))
    }

    /// Rooms in this process.
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
        // It is told twice, and once too often.
        rooms.remove(63, NspId(1), "both", |last| assert!(!last));
        rooms.remove(0, NspId(1), "both", |last| assert!(last));
        assert_eq!(rooms.len(), 0);
    }
}
