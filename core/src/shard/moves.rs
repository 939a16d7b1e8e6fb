//! Sockets that another node of the fleet moves. The host has not seen the call and may keep count of rooms.

use std::sync::Arc;

use super::state::State;
use crate::host::{Event, NspShared};
use crate::rooms::Target;

impl State {
    /// Another node's `sockets_join`, or its `sockets_leave`. Where the host wants it (`hooks.moves`) it hears of each
    /// room whose members have changed.
    pub(super) fn move_sockets(
        &mut self,
        nsp: &Arc<NspShared>,
        target: &Target,
        rooms: &[Box<str>],
        join: bool,
    ) {
        let targets = self.targets(nsp, target);
        let tell = self.core.hooks.get().moves;
        for room in rooms {
            let mut moved = Vec::new();
            for &slot in &targets {
                if tell && self.sits_in(slot, room) != join {
                    moved.push(self.handle(slot));
                }
                match join {
                    true => self.join(slot, std::slice::from_ref(room)),
                    false => self.leave(slot, std::slice::from_ref(room)),
                }
            }
            if !moved.is_empty() {
                self.event(Event::Moved { nsp: nsp.name.clone(), room: room.clone(), join, sockets: moved });
            }
        }
        self.give_back(targets);
    }

    fn sits_in(&self, slot: u32, room: &str) -> bool {
        let sock = &self.socks[slot as usize];
        if room == sock.id.as_str() {
            sock.own_room
        } else {
            self.rooms.rooms_of(slot).any(|name| name == room)
        }
    }
}
