//! Connections of a raw host, which speaks Socket.IO itself: messages pass as they are, and rooms hold members that the
//! host has added.

use std::rc::Rc;
use std::sync::Arc;

use kraken_ws_codec::sid::Id;

use crate::options::Hooks;
use crate::shard::sockets::socket::Socket;
use crate::shard::state::State;
use crate::shared::command::{RawCommand, RawSend};
use crate::shared::event::Event;
use crate::shared::namespaces::NspShared;
use crate::types::ids::{ConnKey, NspId, SocketSlot};
use crate::types::raw_message::RawMessage;
use crate::types::reason::Reason;

impl State {
    /// Passes a message on to the host.
    pub(in crate::shard) fn raw_message(&mut self, key: ConnKey, message: RawMessage) {
        self.stats().messages_in.add(1);
        let conn = self.conn_id(key);
        self.event(Event::Message { conn, message });
        self.caused_event(key);
    }

    /// Tells the host of a ping or a pong.
    pub(in crate::shard) fn raw_heartbeat(&mut self, key: ConnKey) {
        if self.core.hooks.has(Hooks::HEARTBEATS) && self.conn(key).is_some() {
            let conn = self.conn_id(key);
            self.event(Event::Heartbeat { conn });
            self.caused_event(key);
        }
    }

    pub(in crate::shard) fn raw_send(&mut self, send: RawSend) {
        let Some(key) = self.conn_of(send.conn) else { return };
        if send.flags.volatile {
            let dropping = match send.more {
                true => self.conns[key.slot].raw.as_ref().is_some_and(|raw| raw.dropping),
                false => !self.takes_volatile(key.slot, send.frame.len()),
            };
            let Some(conn) = self.conn(key) else { return };
            if dropping || conn.raw.is_some() {
                conn.raw.get_or_insert_default().dropping = dropping;
            }
            if dropping {
                return self.stats().volatile_dropped.add(usize::from(!send.more));
            }
        }
        let frame = Rc::new(Arc::new(send.frame));
        if send.flags.volatile && send.more {
            // A further frame of a packet whose first frame was queued: it must not be dropped, and a volatile packet
            // closes nobody.
            self.push_within(key.slot, frame, usize::MAX);
        } else {
            self.push(key.slot, frame);
        }
    }

    pub(in crate::shard) fn raw_command(&mut self, command: RawCommand) {
        match command {
            RawCommand::Join { conn, nsp, id, rooms } => {
                if let Some(key) = self.conn_of(conn) {
                    let slot = self.member(key, nsp.id).unwrap_or_else(|| self.add_member(key, &nsp, &id));
                    self.join(slot, &rooms);
                }
            }
            RawCommand::Leave { conn, nsp, room } => {
                if let Some(slot) = self.conn_of(conn).and_then(|key| self.member(key, nsp)) {
                    self.leave(slot, &[room]);
                }
            }
            RawCommand::Remove { conn, nsp } => {
                if let Some(slot) = self.conn_of(conn).and_then(|key| self.member(key, nsp)) {
                    self.remove_socket(slot, Reason::ServerNamespaceDisconnect, "");
                }
            }
            RawCommand::Notify { conn, number } => {
                if let Some(key) = self.conn_of(conn) {
                    let conn = &mut self.conns[key.slot];
                    conn.raw.get_or_insert_default().flushes.push(number);
                    self.raw_flushed(key);
                }
            }
        }
    }

    fn member(&self, key: ConnKey, nsp: NspId) -> Option<SocketSlot> {
        let conn = &self.conns[key.slot];
        conn.sockets.find(nsp)
    }

    fn add_member(&mut self, key: ConnKey, nsp: &Arc<NspShared>, id: &str) -> SocketSlot {
        self.generation = self.generation.wrapping_add(1);
        // For an id of another form the `Id` is random; the room named by the host's id is an ordinary room.
        let id = Id::parse(id).unwrap_or_else(Id::random);
        let sock = Socket {
            generation: self.generation,
            conn: key.slot,
            nsp: nsp.id,
            id,
            connected: false,
            own_room: false,
            seen: 0,
            position: 0,
            extras: None,
        };
        let slot = self.add_socket(key, nsp, sock);
        self.enter_namespace(slot);
        slot
    }

    /// Reports an empty outbox to a host that waits for that.
    pub(in crate::shard) fn raw_flushed(&mut self, key: ConnKey) {
        let Some(conn) = self.conn(key).filter(|conn| conn.outbox.is_empty()) else { return };
        let Some(raw) = &mut conn.raw else { return };
        let numbers = std::mem::take(&mut raw.flushes);
        let watched = raw.watched;
        let conn = self.conn_id(key);
        if watched {
            self.event(Event::Drained { conn });
        }
        for number in numbers {
            self.event(Event::Flushed { conn, number });
        }
    }
}
