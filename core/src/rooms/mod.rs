//! The rooms of one shard: room → members and member → rooms.

mod away;
mod directory;

pub(crate) use away::AwayRooms;
pub(crate) use directory::Directory;

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use slab::Slab;
use smallvec::SmallVec;

use crate::types::ids::{NspId, SocketSlot};

/// A room of one namespace with its members (socket slots), unordered.
struct Room {
    nsp: NspId,
    name: Box<str>,
    members: Vec<SocketSlot>,
}

/// A membership: the index of the room, and the position in that room's list.
type Place = (u32, u32);

/// The rooms of one shard. Joining costs O(1), leaving O(number of the member's rooms); a broadcast iterates over a
/// plain list.
#[derive(Default)]
pub(crate) struct RoomIndex {
    hasher: RandomState,
    rooms: Slab<Room>,
    by_name: HashTable<u32>,
    /// Memberships by socket slot.
    places: Vec<SmallVec<[Place; 2]>>,
}

impl RoomIndex {
    fn find(&self, nsp: NspId, name: &str) -> Option<u32> {
        let hash = self.hasher.hash_one((nsp, name));
        self.by_name
            .find(hash, |&r| {
                let room = &self.rooms[r as usize];
                room.nsp == nsp && &*room.name == name
            })
            .copied()
    }

    /// Members of a room; empty if the room does not exist.
    pub(crate) fn members(&self, nsp: NspId, name: &str) -> &[SocketSlot] {
        self.find(nsp, name).map_or(&[], |r| &self.rooms[r as usize].members)
    }

    /// Names of the rooms that a socket joined.
    pub(crate) fn rooms_of(&self, member: SocketSlot) -> impl Iterator<Item = &str> {
        self.places.get(member.0 as usize).into_iter().flatten().map(|(r, _)| &*self.rooms[*r as usize].name)
    }

    /// Adds a member. `None` if it was a member already; otherwise whether the room is new.
    pub(crate) fn join(&mut self, nsp: NspId, name: &str, member: SocketSlot) -> Option<bool> {
        let (room, created) = match self.find(nsp, name) {
            Some(r) => (r, false),
            None => {
                let r = self.rooms.insert(Room { nsp, name: name.into(), members: Vec::new() }) as u32;
                let (rooms, hasher) = (&self.rooms, &self.hasher);
                self.by_name.insert_unique(hasher.hash_one((nsp, name)), r, |&r| {
                    let room = &rooms[r as usize];
                    hasher.hash_one((room.nsp, &*room.name))
                });
                (r, true)
            }
        };
        if self.places.len() <= member.0 as usize {
            self.places.resize_with(member.0 as usize + 1, SmallVec::new);
        }
        let places = &mut self.places[member.0 as usize];
        if places.iter().any(|(r, _)| *r == room) {
            return None;
        }
        let members = &mut self.rooms[room as usize].members;
        places.push((room, members.len() as u32));
        members.push(member);
        Some(created)
    }

    /// Removes a member. `None` if it was not a member; otherwise whether the room is gone now.
    pub(crate) fn leave(&mut self, nsp: NspId, name: &str, member: SocketSlot) -> Option<bool> {
        let room = self.find(nsp, name)?;
        let places = self.places.get_mut(member.0 as usize)?;
        let at = places.iter().position(|(r, _)| *r == room)?;
        let (_, position) = places.swap_remove(at);
        Some(self.remove(room, position).is_some())
    }

    /// Removes a member from all its rooms, and calls `on` for each with whether the room is gone now.
    pub(crate) fn leave_all(&mut self, member: SocketSlot, mut on: impl FnMut(NspId, &str, bool)) {
        let Some(places) = self.places.get_mut(member.0 as usize) else { return };
        for (room, position) in std::mem::take(places) {
            match self.remove(room, position) {
                Some(gone) => on(gone.nsp, &gone.name, true),
                None => {
                    let room = &self.rooms[room as usize];
                    on(room.nsp, &room.name, false);
                }
            }
        }
    }

    /// Removes a position from a room's list; returns the room if it is empty now.
    fn remove(&mut self, room: u32, position: u32) -> Option<Room> {
        let members = &mut self.rooms[room as usize].members;
        members.swap_remove(position as usize);
        if let Some(&moved) = members.get(position as usize) {
            for place in &mut self.places[moved.0 as usize] {
                if place.0 == room {
                    place.1 = position;
                }
            }
        } else if members.is_empty() {
            let gone = self.rooms.remove(room as usize);
            let hash = self.hasher.hash_one((gone.nsp, &*gone.name));
            if let Ok(entry) = self.by_name.find_entry(hash, |&r| r == room) {
                entry.remove();
            }
            return Some(gone);
        }
        // Shrinks the list of a room that was large once.
        if members.capacity() > 64 && members.len() * 4 < members.capacity() {
            members.shrink_to(members.len() * 2);
        }
        None
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.rooms.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    #[test]
    fn the_last_leaver_takes_the_room_along() {
        let mut index = RoomIndex::default();
        assert_eq!(index.join(NspId(0), "a", SocketSlot(1)), Some(true));
        assert_eq!(index.join(NspId(0), "a", SocketSlot(2)), Some(false));
        assert_eq!(index.join(NspId(0), "a", SocketSlot(2)), None);
        assert_eq!(index.join(NspId(1), "a", SocketSlot(2)), Some(true));
        assert_eq!(index.leave(NspId(0), "a", SocketSlot(1)), Some(false));
        assert_eq!(index.members(NspId(0), "a"), [SocketSlot(2)]);
        assert_eq!(index.leave(NspId(0), "a", SocketSlot(2)), Some(true));
        assert_eq!(index.leave(NspId(0), "a", SocketSlot(2)), None);
        assert_eq!(index.members(NspId(1), "a"), [SocketSlot(2)]);
        assert_eq!(index.len(), 1);
    }

    proptest! {
        #[test]
        fn agrees_with_a_map_of_sets(ops in proptest::collection::vec((0u8..3, 0u32..2, 0u8..4, 0u32..6), 0..200)) {
            let mut index = RoomIndex::default();
            let mut model: BTreeMap<(NspId, String), BTreeSet<SocketSlot>> = BTreeMap::new();
            for (op, nsp, room, member) in ops {
                // Each socket belongs to one namespace.
                let (member, nsp) = (SocketSlot(member * 2 + nsp), NspId(nsp));
                let room = format!("r{room}");
                match op {
                    0 => {
                        index.join(nsp, &room, member);
                        model.entry((nsp, room)).or_default().insert(member);
                    }
                    1 => {
                        index.leave(nsp, &room, member);
                        if let Some(set) = model.get_mut(&(nsp, room)) { set.remove(&member); }
                    }
                    _ => {
                        index.leave_all(member, |_, _, _| {});
                        model.values_mut().for_each(|set| { set.remove(&member); });
                    }
                }
                model.retain(|_, set| !set.is_empty());
                prop_assert_eq!(index.len(), model.len());
                for ((nsp, room), set) in &model {
                    let found: BTreeSet<SocketSlot> = index.members(*nsp, room).iter().copied().collect();
                    prop_assert_eq!(&found, set);
                }
            }
        }
    }
}
