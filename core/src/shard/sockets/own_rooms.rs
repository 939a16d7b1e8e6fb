//! Own rooms: the room named by the id of its socket. They are not in the room index; a query for all rooms gets them
//! from here, and a cluster with a channel per socket is told of each.

use crate::shard::state::State;
use crate::types::change::Move;
use crate::types::ids::{NspId, SocketSlot};

impl State {
    /// Ids of the sockets of a namespace that are in their own room.
    pub(in crate::shard) fn own_rooms(&self, nsp: NspId) -> Vec<Box<str>> {
        let Some(nsp) = self.nsps.get(&nsp) else { return Vec::new() };
        let sits = |slot: &&SocketSlot| self.sockets[**slot].own_room;
        nsp.members().iter().filter(sits).map(|slot| self.sockets[*slot].id.as_str().into()).collect()
    }

    /// Tells the cluster of all own rooms, and from now on of each change.
    pub(in crate::shard) fn show_own_rooms(&mut self) {
        self.shows_own_rooms = true;
        for slot in self.nsps.values().flat_map(|nsp| nsp.members()) {
            self.show_own_room(*slot, Move::Join);
        }
    }

    /// Puts a socket into its own room, or takes it out.
    pub(in crate::shard) fn set_own_room(&mut self, slot: SocketSlot, way: Move) {
        let on = way == Move::Join;
        let sock = &mut self.sockets[slot];
        if std::mem::replace(&mut sock.own_room, on) != on && sock.connected {
            let id = sock.id;
            self.note_stay(slot, id.as_str(), way);
            self.show_own_room(slot, way);
        }
    }

    /// Tells the cluster that an own room begins or ends.
    pub(in crate::shard) fn show_own_room(&self, slot: SocketSlot, way: Move) {
        let sock = &self.sockets[slot];
        if self.shows_own_rooms && (sock.own_room || way == Move::Leave) {
            self.core.broker.own_room(sock.nsp, sock.id.as_str(), way);
        }
    }
}
