//! Sockets that another node of the fleet moves. The host has not seen the call and may keep count of rooms.
//!
//! What the host says of such a socket before it has heard of the move, the core does after it. Then the host is told how
//! it ended, or its count would end with the move.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::state::State;
use crate::host::{Event, NspShared, SocketHandle};
use crate::rooms::Target;

/// For how long the host may not have heard of a move: it takes events in batches, and its own calls wait for the end
/// of one.
const UNHEARD: Duration = Duration::from_secs(10);
/// Sockets that are remembered before those of the past are forgotten.
const FEW: usize = 64;

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
                    self.note_moved(self.handle(slot));
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
        self.move_away(nsp, target, rooms, Some(join));
    }

    fn note_moved(&mut self, socket: SocketHandle) {
        let now = Instant::now();
        if self.moved.len() >= FEW && self.moved.len().is_power_of_two() {
            self.moved.retain(|_, since| now - *since < UNHEARD);
        }
        self.moved.insert(socket, now);
    }

    /// The host has put a socket into rooms, or taken it out of some, and may not have known of a move.
    pub(super) fn confirm(&mut self, slot: u32, rooms: &[Box<str>]) {
        if self.moved.is_empty() {
            return;
        }
        let handle = self.handle(slot);
        let now = Instant::now();
        match self.moved.get(&handle) {
            None => return,
            Some(since) if now - *since >= UNHEARD => {
                self.moved.remove(&handle);
                return;
            }
            Some(_) => {}
        }
        self.moved.insert(handle, now);
        let nsp = self.nsp_name(slot);
        for room in rooms {
            let join = self.sits_in(slot, room);
            self.event(Event::Moved { nsp: nsp.clone(), room: room.clone(), join, sockets: vec![handle] });
        }
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
