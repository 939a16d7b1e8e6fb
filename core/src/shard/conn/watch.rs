//! Connections whose engine packets the host wants to see, for a while: it costs others one look at a pointer.

use crate::engine::frame::Frame;
use crate::engine::payload::Part;
use crate::shard::state::State;
use crate::shared::event::Event;
use crate::types::ids::{ConnId, ConnKey, ConnSlot};
use crate::types::raw_message::RawMessage;
use crate::types::reason::Reason;

impl State {
    /// The host begins or ceases to watch. Of one that is gone already it hears the end, for it may have missed it.
    pub(in crate::shard) fn watch(&mut self, conn: ConnId, on: bool) {
        match self.conn_of(conn) {
            Some(key) => {
                let conn = &mut self.conns[key.slot];
                if on {
                    conn.raw.get_or_insert_default().watched = true;
                } else if let Some(raw) = &mut conn.raw {
                    raw.watched = false;
                    // Most connections that were shown from the start are never looked into.
                    if raw.flushes.is_empty() && !raw.dropping {
                        conn.raw = None;
                    }
                }
            }
            None if on => {
                self.event(Event::ConnectionClosed { conn, reason: Reason::TransportClose, detail: "" });
            }
            None => {}
        }
    }

    /// An engine packet came in. What is shown counts against what the host may be behind.
    pub(in crate::shard) fn show_incoming(&mut self, key: ConnKey, packet: impl FnOnce() -> RawMessage) {
        if self.live(key).is_some_and(|conn| conn.watched()) {
            let conn = self.conn_id(key);
            self.event(Event::PacketIn { conn, packet: packet() });
            self.caused_event(key);
        }
    }

    /// A frame goes out to a connection that is watched.
    pub(in crate::shard) fn show_outgoing(&mut self, slot: ConnSlot, frame: &Frame) {
        let conn = self.conn_id(self.key(slot));
        for part in frame.payload_parts() {
            let packet = match part {
                Part::Text(text) => RawMessage::Text(text.into()),
                Part::Binary(bytes) => RawMessage::Binary(bytes.to_vec().into()),
            };
            self.event(Event::PacketOut { conn, packet });
        }
    }
}
