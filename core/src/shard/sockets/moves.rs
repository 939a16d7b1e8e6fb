//! Sockets that another node of the fleet moves between rooms. The host has not seen the call and may keep count of
//! rooms.
//!
//! The host may move such a socket before it has heard of the other node's move; the core executes the host's call
//! after it. The core then reports the result to the host, or the host's count would end with the other node's move.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::options::Hooks;
use crate::shard::state::State;
use crate::shared::event::Event;
use crate::shared::namespaces::NspShared;
use crate::types::change::Move;
use crate::types::ids::{SocketHandle, SocketSlot};
use crate::types::target::Target;

/// How long the host may take to hear of a move: it takes events in batches, and its own calls wait for the end of a
/// batch.
const UNHEARD: Duration = Duration::from_secs(10);
/// Number of remembered moves from which old ones are dropped.
const FEW: usize = 64;

/// Recent moves, by socket and the hash of the room. A collision of hashes costs one event, and what it says is true.
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

    /// Frees the memory once all moves are older than [`UNHEARD`].
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
    /// Moves sockets for another node. With [`Hooks::MOVES`] the host gets an event for each room whose members have
    /// changed.
    pub(in crate::shard) fn move_for_node(
        &mut self,
        nsp: &Arc<NspShared>,
        target: &Target,
        rooms: &[Box<str>],
        way: Move,
    ) {
        let targets = self.targets(nsp, target);
        let tell = self.core.hooks.has(Hooks::MOVES);
        for room in rooms {
            let mut moved = Vec::new();
            for &slot in &targets {
                if tell && self.sits_in(slot, room) != (way == Move::Join) {
                    moved.push(self.handle(slot));
                    self.moved.add(self.handle(slot), room, Instant::now());
                }
                self.move_socket(slot, std::slice::from_ref(room), way);
            }
            if !moved.is_empty() {
                self.event(Event::Moved { nsp: nsp.name.clone(), room: room.clone(), way, sockets: moved });
            }
        }
        self.give_back(targets);
        self.move_away(nsp, target, rooms, way);
    }

    /// Reports to the host where its own join or leave has put a socket, if it may not have heard of a move.
    pub(in crate::shard) fn confirm(&mut self, slot: SocketSlot, rooms: &[Box<str>]) {
        if self.moved.is_empty() {
            return;
        }
        let (handle, now) = (self.handle(slot), Instant::now());
        for room in rooms {
            if self.moved.has(handle, room, now) {
                // The host's next call may come before it has heard of this event.
                self.moved.add(handle, room, now);
                let way = if self.sits_in(slot, room) { Move::Join } else { Move::Leave };
                let nsp = self.nsp_name(slot);
                self.event(Event::Moved { nsp, room: room.clone(), way, sockets: vec![handle] });
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
