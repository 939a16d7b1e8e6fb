//! Fan-out: one frame, many outboxes.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use kraken_ws_codec::sid::Id;
use smallvec::SmallVec;

use crate::engine::outbox::Shared;
use crate::shard::conn::slow::Slow;
use crate::shard::conn::write::Pushed;
use crate::shard::sockets::socket::{AckWait, Socket};
use crate::shard::state::State;
use crate::shard::table::Table;
use crate::shard::wheel::Timer;
use crate::shared::broadcast_acks::BroadcastAcks;
use crate::shared::command::{EmitTo, Outgoing, Publish};
use crate::shared::event::Event;
use crate::shared::namespaces::NspShared;
use crate::types::flags::EmitFlags;
use crate::types::ids::{ConnKey, SocketSlot};
use crate::types::target::Target;

/// What a shard keeps for its broadcasts.
#[derive(Default)]
pub(in crate::shard) struct FanOut {
    /// Number of the last broadcast; see [`Socket::seen`](crate::shard::sockets::socket::Socket::seen).
    epoch: u64,
    /// Recipients of the current broadcast; the list's capacity is reused.
    recipients: Vec<SocketSlot>,
    /// The acks of the broadcast whose recipients are being found: they wait for this shard's count.
    asking: Option<Arc<BroadcastAcks>>,
}

impl FanOut {
    /// The acks of a broadcast that a panic interrupted.
    pub(in crate::shard) fn take_asking(&mut self) -> Option<Arc<BroadcastAcks>> {
        self.asking.take()
    }
}

/// Drops the acks of finished broadcasts. A client that never answers keeps an entry for each broadcast; a sweep
/// whenever their number has doubled costs little per entry.
fn forget_done(acks: &mut HashMap<u64, AckWait>) {
    const FEW: usize = 64;
    if acks.len() >= FEW && acks.len().is_power_of_two() {
        acks.retain(|_, wait| !matches!(wait, AckWait::Broadcast(acks) if acks.is_done()));
    }
}

impl State {
    /// Sends a frame that a host thread has encoded.
    pub(in crate::shard) fn send(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Publish(publish) => self.publish(publish),
            Outgoing::Emit(emit) => self.emit(emit),
            Outgoing::Raw(send) => self.raw_send(send),
        }
    }

    fn publish(&mut self, publish: Publish) {
        // An `Rc` of this shard: its recipients share it without touching the atomic count.
        let frame: Shared = Rc::new(publish.frame);
        let mut slow: SmallVec<[ConnKey; 4]> = SmallVec::new();
        if let Some((id, acks)) = &publish.acks {
            self.fan_out.asking = Some(acks.clone());
            if let Some(timeout) = publish.timeout {
                let tick = self.wheel.tick_after(timeout);
                self.wheel.insert(tick, Timer::Broadcast(acks.clone(), publish.nsp.id, *id));
            }
        }
        let targets = self.targets(&publish.nsp, &publish.target);
        if let Some((id, acks)) = &publish.acks {
            for &slot in &targets {
                let extras = self.sockets[slot].extras.get_or_insert_default();
                forget_done(&mut extras.acks);
                extras.acks.insert(*id, AckWait::Broadcast(acks.clone()));
            }
            self.fan_out.asking = None;
            if let Some(event) = acks.sent(targets.len()) {
                self.event(event);
            }
        }
        for &slot in &targets {
            // A failed write may have closed a connection with several of the targets.
            let Some(sock) = self.sockets.get(slot) else { continue };
            let conn = sock.conn;
            if publish.entry != 0 && !self.note_entry(slot, publish.entry) {
                continue;
            }
            if publish.flags.volatile && !self.takes_volatile(conn, frame.len()) {
                self.stats().volatile_dropped.add(1);
                continue;
            }
            if let Pushed::TooMuch = self.push_checked(conn, frame.clone()) {
                slow.push(self.key(conn));
            }
        }
        self.give_back(targets);
        for key in slow {
            self.close_slow(key, Slow::TooMuch);
        }
        self.note_done(publish.entry);
    }

    /// The connected sockets that `target` selects, each once.
    pub(in crate::shard) fn targets(&mut self, nsp: &Arc<NspShared>, target: &Target) -> Vec<SocketSlot> {
        let mut out = std::mem::take(&mut self.fan_out.recipients);
        out.clear();
        let Some(local) = self.nsps.get(&nsp.id) else { return out };
        // A socket's `seen` marks it as excluded or taken already, in place of a set.
        self.fan_out.epoch += 1;
        let epoch = self.fan_out.epoch;
        let own = |name: &str, sockets: &Table<SocketSlot, Socket>| {
            let slot = local.by_id(Id::parse(name)?)?;
            sockets[slot].own_room.then_some(slot)
        };
        for room in &target.except {
            for &slot in self.rooms.members(nsp.id, room) {
                self.sockets[slot].seen = epoch;
            }
            if let Some(slot) = own(room, &self.sockets) {
                self.sockets[slot].seen = epoch;
            }
        }
        let sockets = &mut self.sockets;
        let mut take = |slot: SocketSlot, sockets: &mut Table<SocketSlot, Socket>| {
            let sock = &mut sockets[slot];
            if sock.seen != epoch && sock.connected {
                sock.seen = epoch;
                out.push(slot);
            }
        };
        if target.rooms.is_empty() {
            local.members().iter().for_each(|&slot| take(slot, sockets));
        }
        for room in &target.rooms {
            self.rooms.members(nsp.id, room).iter().for_each(|&slot| take(slot, sockets));
            if let Some(slot) = own(room, sockets) {
                take(slot, sockets);
            }
        }
        out
    }

    /// Returns the list of [`State::targets`] for the next broadcast.
    pub(in crate::shard) fn give_back(&mut self, mut targets: Vec<SocketSlot>) {
        // The list of a broadcast to very many sockets does not keep its memory.
        targets.clear();
        targets.shrink_to(16 * 1024);
        self.fan_out.recipients = targets;
    }

    fn emit(&mut self, emit: EmitTo) {
        let slot = self.socket(emit.socket);
        if let Some((id, timeout)) = emit.ack {
            match slot {
                Some(slot) => {
                    let extras = self.sockets[slot].extras.get_or_insert_default();
                    extras.acks.insert(id, AckWait::Host { timed: timeout.is_some() });
                }
                None if timeout.is_some() => {
                    self.event(Event::AckTimeout { socket: emit.socket, id, gone: None });
                }
                None => {}
            }
            if let (Some(timeout), Some(_)) = (timeout, slot) {
                let tick = self.wheel.tick_after(timeout);
                self.wheel.insert(tick, Timer::Ack(emit.socket, id));
            }
        }
        if let Some(slot) = slot {
            self.deliver(slot, Rc::new(emit.frame), emit.flags, emit.entry);
        }
        self.note_done(emit.entry);
    }

    /// Sends a frame to one socket; the frame waits until the socket is accepted. `entry` is its number in the journal,
    /// or 0.
    pub(in crate::shard) fn deliver(
        &mut self,
        slot: SocketSlot,
        frame: Shared,
        flags: EmitFlags,
        entry: u64,
    ) {
        let limit = self.core.options.max_outbox_bytes;
        let sock = &mut self.sockets[slot];
        let conn = sock.conn;
        if !sock.connected {
            let early = &mut sock.extras.get_or_insert_default().early_emits;
            let waiting: usize = early.iter().map(|(f, ..)| f.len()).sum();
            if flags.volatile && !early.is_empty() && waiting + frame.len() > limit / 2 {
                return self.stats().volatile_dropped.add(1);
            }
            if !early.is_empty() && waiting + frame.len() > self.core.options.hard_outbox_bytes {
                let key = self.key(conn);
                return self.close_slow(key, Slow::TooMuch);
            }
            frame.wait(&self.core.outboxes);
            early.push((frame, flags, entry));
            return;
        }
        if entry != 0 && !self.note_entry(slot, entry) {
            return;
        }
        if flags.volatile && !self.takes_volatile(conn, frame.len()) {
            self.stats().volatile_dropped.add(1);
            return;
        }
        self.push(conn, frame);
    }
}
