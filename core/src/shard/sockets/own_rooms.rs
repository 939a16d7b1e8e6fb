//! The rooms named by the ids of their sockets. They are in no index; who asks for all rooms gets them from here,
//! and a cluster with a channel per socket hears of each.

use crate::shard::state::State;
use crate::types::ids::{NspId, SocketSlot};

impl State {
    /// Ids of the sockets of a namespace that sit in their own room.
    pub(in crate::shard) fn own_rooms(&self, nsp: NspId) -> Vec<Box<str>> {
        let Some(nsp) = self.nsps.get(&nsp) else { return Vec::new() };
        let sits = |slot: &&SocketSlot| self.sockets[**slot].own_room;
        nsp.members().iter().filter(sits).map(|slot| self.sockets[*slot].id.as_str().into()).collect()
    }

    /// From now on the cluster hears of these rooms; of those that are there, at once.
    pub(in crate::shard) fn show_own_rooms(&mut self) {
        self.shows_own_rooms = true;
        for slot in self.nsps.values().flat_map(|nsp| nsp.members()) {
            self.show_own_room(*slot, true);
        }
    }

    /// A socket enters or leaves its own room.
    pub(in crate::shard) fn set_own_room(&mut self, slot: SocketSlot, on: bool) {
        let sock = &mut self.sockets[slot];
        if std::mem::replace(&mut sock.own_room, on) != on && sock.connected {
            let id = sock.id;
            self.note_stay(slot, id.as_str(), on);
            self.show_own_room(slot, on);
        }
    }

    /// A socket comes or goes.
    pub(in crate::shard) fn show_own_room(&self, slot: SocketSlot, here: bool) {
        let sock = &self.sockets[slot];
        if self.shows_own_rooms && (sock.own_room || !here) {
            self.core.broker.own_room(sock.nsp, sock.id.as_str(), here);
        }
    }
}
