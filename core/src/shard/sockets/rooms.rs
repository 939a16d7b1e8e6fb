//! Rooms of sockets, by handle and by room expression.

use std::sync::Arc;

use crate::options::Hooks;
use crate::shard::state::State;
use crate::shared::command::Fetched;
use crate::shared::event::{Event, RoomChange};
use crate::shared::namespaces::NspShared;
use crate::types::change::{Disconnect, Move};
use crate::types::ids::{SocketHandle, SocketSlot};
use crate::types::target::Target;

impl State {
    pub(in crate::shard) fn join(&mut self, slot: SocketSlot, rooms: &[Box<str>]) {
        let (nsp, id) = (self.sockets[slot].nsp, self.sockets[slot].id);
        for room in rooms {
            // The own room has no entry in the index.
            if &**room == id.as_str() {
                self.set_own_room(slot, Move::Join);
                continue;
            }
            if let Some(created) = self.rooms.join(nsp, room, slot) {
                self.note_stay(slot, room, Move::Join);
                self.joined(slot, room, created);
            }
        }
    }

    fn joined(&mut self, slot: SocketSlot, room: &str, created: bool) {
        let nsp = self.sockets[slot].nsp;
        let core = self.core.clone();
        if !core.hooks.has(Hooks::ROOMS) {
            if created {
                core.directory.add(self.index, nsp, room, |_| {});
            }
            return;
        }
        let (name, handle) = (self.nsp_name(slot), self.handle(slot));
        if !created {
            return self.room_event(RoomChange::Joined, &name, room, Some(handle));
        }
        core.directory.add(self.index, nsp, room, |first| {
            if first {
                self.room_event(RoomChange::Created, &name, room, None);
            }
            self.room_event(RoomChange::Joined, &name, room, Some(handle));
            self.hand_over_events();
        });
    }

    /// Handles that a socket left a room; `gone`: it was the shard's last member.
    pub(in crate::shard) fn left(
        &mut self,
        nsp: &Arc<NspShared>,
        handle: SocketHandle,
        room: &str,
        gone: bool,
    ) {
        let core = self.core.clone();
        if !core.hooks.has(Hooks::ROOMS) {
            if gone {
                core.directory.remove(self.index, nsp.id, room, |_| {});
            }
            return;
        }
        self.room_event(RoomChange::Left, &nsp.name, room, Some(handle));
        if gone {
            core.directory.remove(self.index, nsp.id, room, |last| {
                if last {
                    self.room_event(RoomChange::Deleted, &nsp.name, room, None);
                }
                self.hand_over_events();
            });
        }
    }

    pub(in crate::shard) fn leave(&mut self, slot: SocketSlot, rooms: &[Box<str>]) {
        let (nsp, id) = (self.sockets[slot].nsp, self.sockets[slot].id);
        for room in rooms {
            if &**room == id.as_str() {
                self.set_own_room(slot, Move::Leave);
            }
            if let Some(gone) = self.rooms.leave(nsp, room, slot) {
                self.note_stay(slot, room, Move::Leave);
                let shared = self.nsps[&nsp].shared().clone();
                self.left(&shared, self.handle(slot), room, gone);
            }
        }
    }

    /// Leaves every room, the own one too, as socket.io's `leaveAll`.
    pub(in crate::shard) fn leave_all(&mut self, slot: SocketSlot) -> Vec<Box<str>> {
        let rooms: Vec<Box<str>> = self.rooms.rooms_of(slot).map(Into::into).collect();
        self.leave(slot, &rooms);
        self.set_own_room(slot, Move::Leave);
        rooms
    }

    pub(in crate::shard) fn room_event(
        &mut self,
        change: RoomChange,
        nsp: &Arc<str>,
        room: &str,
        socket: Option<SocketHandle>,
    ) {
        if self.core.hooks.has(Hooks::ROOMS) {
            self.event(Event::Room { change, nsp: nsp.clone(), room: room.into(), socket });
        }
    }

    pub(in crate::shard) fn move_socket(&mut self, slot: SocketSlot, rooms: &[Box<str>], way: Move) {
        match way {
            Move::Join => self.join(slot, rooms),
            Move::Leave => self.leave(slot, rooms),
        }
    }

    pub(in crate::shard) fn move_sockets(
        &mut self,
        nsp: &Arc<NspShared>,
        target: &Target,
        rooms: &[Box<str>],
        way: Move,
    ) {
        let targets = self.targets(nsp, target);
        for &slot in &targets {
            self.move_socket(slot, rooms, way);
            self.confirm(slot, rooms);
        }
        self.give_back(targets);
        self.move_away(nsp, target, rooms, way);
    }

    pub(in crate::shard) fn disconnect_sockets(
        &mut self,
        nsp: &Arc<NspShared>,
        target: &Target,
        what: Disconnect,
    ) {
        let targets = self.targets(nsp, target);
        for &slot in &targets {
            if self.sockets.contains(slot) {
                self.disconnect_socket(slot, what);
            }
        }
        self.give_back(targets);
        self.end_away(nsp, target);
    }

    pub(in crate::shard) fn fetch(&mut self, nsp: &Arc<NspShared>, target: &Target) -> Vec<Fetched> {
        let targets = self.targets(nsp, target);
        let found = targets.iter().map(|&slot| self.describe(slot)).collect();
        self.give_back(targets);
        found
    }

    fn describe(&self, slot: SocketSlot) -> Fetched {
        let sock = &self.sockets[slot];
        let own = sock.own_room.then(|| sock.id.as_str().into());
        Fetched {
            socket: self.handle(slot),
            id: sock.public_id().into(),
            request: self.conns[sock.conn].request.clone(),
            auth: sock.extras.as_ref().map(|r| r.auth.clone()).unwrap_or_default(),
            rooms: own.into_iter().chain(self.rooms.rooms_of(slot).map(Into::into)).collect(),
            data: sock.extras.as_ref().map(|r| r.data.clone()).unwrap_or_default(),
        }
    }
}
