//! Sockets that another node of the fleet moves. The host has not seen the call and may keep count of rooms.
//!
//! What the host says of such a socket before it has heard of the move, the core does after it. Then the host is told how
//! it ended, or its count would end with the move.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::options::Hooks;
use crate::shard::state::State;
use crate::shared::event::Event;
use crate::shared::namespaces::NspShared;
use crate::types::ids::{SocketHandle, SocketSlot};
use crate::types::target::Target;

/// For how long the host may not have heard of a move: it takes events in batches, and its own calls wait for the end
/// of one.
const UNHEARD: Duration = Duration::from_secs(10);
/// How many are remembered before those of the past are forgotten.
const FEW: usize = 64;

/// Moves of the last while, by socket and the hash of the room: a wrong hit costs an event that says what is so.
#[derive(Default)]
pub(in crate::shard) struct Moved {
    moves: HashMap<(SocketHandle, u64), Instant>,
    last: Option<Instant>,
}

impl Moved {
    pub(in crate::shard) fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    fn add(&mut self, socket: SocketHandle, room: &str, now: Instant) {
        if self.moves.len() >= FEW && self.moves.len().is_power_of_two() {
            self.moves.retain(|_, since| now - *since < UNHEARD);
        }
        self.moves.insert((socket, hash(room)), now);
        self.last = Some(now);
    }

    fn has(&mut self, socket: SocketHandle, room: &str, now: Instant) -> bool {
        self.forget(now);
        self.moves.get(&(socket, hash(room))).is_some_and(|since| now - *since < UNHEARD)
    }

    /// Gives the room back when all is in the past.
    pub(in crate::shard) fn forget(&mut self, now: Instant) {
        if self.last.is_some_and(|last| now - last >= UNHEARD) {
            *self = Self::default();
        }
    }
}

fn hash(room: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(room)
}

impl State {
    /// Another node's `sockets_join`, or its `sockets_leave`. Where the host wants it (`hooks.moves`) it hears of each
    /// room whose members have changed.
    pub(in crate::shard) fn move_sockets(
        &mut self,
        nsp: &Arc<NspShared>,
        target: &Target,
        rooms: &[Box<str>],
        join: bool,
    ) {
        let targets = self.targets(nsp, target);
        let tell = self.core.hooks.has(Hooks::MOVES);
        for room in rooms {
            let mut moved = Vec::new();
            for &slot in &targets {
                if tell && self.sits_in(slot, room) != join {
                    moved.push(self.handle(slot));
                    self.moved.add(self.handle(slot), room, Instant::now());
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

    /// The host has put a socket into rooms, or taken it out of some, and may not have known of a move.
    pub(in crate::shard) fn confirm(&mut self, slot: SocketSlot, rooms: &[Box<str>]) {
        if self.moved.is_empty() {
            return;
        }
        let (handle, now) = (self.handle(slot), Instant::now());
        for room in rooms {
            if self.moved.has(handle, room, now) {
                // The next call of the host may not know of this.
                self.moved.add(handle, room, now);
                let (nsp, join) = (self.nsp_name(slot), self.sits_in(slot, room));
                self.event(Event::Moved { nsp, room: room.clone(), join, sockets: vec![handle] });
            }
        }
    }

    fn sits_in(&self, slot: SocketSlot, room: &str) -> bool {
        let sock = &self.sockets[slot];
        if room == sock.id.as_str() {
            sock.own_room
        } else {
            self.rooms.rooms_of(slot).any(|name| name == room)
        }
    }
}
