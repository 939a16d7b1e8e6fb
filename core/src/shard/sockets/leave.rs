//! How sockets end.

use std::time::Instant;

use kraken_ws_codec::packet;
use smallvec::SmallVec;

use crate::shard::conn::close::CloseStyle;
use crate::shard::state::State;
use crate::shared::event::Event;
use crate::types::change::{Disconnect, Move};
use crate::types::ids::SocketSlot;
use crate::types::reason::Reason;

impl State {
    /// Removes a socket from its namespace, its rooms and its acks, and tells the host.
    pub(in crate::shard) fn remove_socket(&mut self, slot: SocketSlot, reason: Reason, detail: &'static str) {
        let handle = self.handle(slot);
        let parting = self.parting(slot, reason);
        if !self.moved.is_empty() {
            self.moved.forget(Instant::now());
        }
        if self.sockets[slot].connected {
            self.show_own_room(slot, Move::Leave);
        }
        // A raw host creates its sockets itself, and knows when they end.
        self.leaving =
            (!self.core.options.raw).then_some(Event::Disconnect { socket: handle, reason, detail });
        if let Some(conn) = self.conns.get_mut(self.sockets[slot].conn)
            && conn.partial.as_ref().is_some_and(|partial| partial.socket == slot)
        {
            conn.partial = None;
        }
        let sock = self.take_socket(slot, |state, nsp| {
            let mut left: SmallVec<[(Box<str>, bool); 4]> = SmallVec::new();
            state.rooms.leave_all(slot, |_, room, gone| left.push((room.into(), gone)));
            for (room, gone) in left {
                state.left(nsp, handle, &room, gone);
            }
        });
        if let Some(mut extras) = sock.extras {
            self.early_bytes.take(&mut extras.early_events);
            self.give_up_acks(handle, &sock.id, extras.acks, reason);
        }
        if let Some(event) = self.leaving.take() {
            self.event(event);
        }
        if let Some(parting) = parting {
            self.part(handle, parting);
        }
    }

    /// Disconnects one socket, or its whole connection.
    pub(in crate::shard) fn disconnect_socket(&mut self, slot: SocketSlot, what: Disconnect) {
        let conn = self.sockets[slot].conn;
        let key = self.key(conn);
        let slots = match what {
            Disconnect::Socket => SmallVec::from_slice(&[slot]),
            Disconnect::Connection => self.sockets_of(key),
        };
        for slot in slots {
            if self.conn(key).is_none() {
                return;
            }
            let nsp = self.nsp_name(slot);
            self.push_packet(conn, packet::PacketType::Disconnect, &nsp, &packet::disconnect(&nsp));
            if self.sockets.contains(slot) {
                self.remove_socket(slot, Reason::ServerNamespaceDisconnect, "");
            }
        }
        if what == Disconnect::Connection {
            self.close_conn(key, Reason::ForcedServerClose, "", CloseStyle::Close);
        }
    }
}
