//! Connections whose engine packets the host watches for a while. All others cost one null check.

use kraken_ws_codec::payload::Part;

use crate::engine::frame::Frame;
use crate::shard::state::State;
use crate::shared::event::Event;
use crate::types::ids::{ConnId, ConnKey, ConnSlot};
use crate::types::raw_message::RawMessage;
use crate::types::reason::Reason;

impl State {
    /// Starts or stops watching a connection for the host. If the connection is gone, the host gets its end again, as
    /// it may have missed the event.
    pub(in crate::shard) fn watch(&mut self, conn: ConnId, on: bool) {
        match self.conn_of(conn) {
            Some(key) => {
                let conn = &mut self.conns[key.slot];
                if on {
                    conn.raw.get_or_insert_default().watched = true;
                } else if let Some(raw) = &mut conn.raw {
                    raw.watched = false;
                    // The state is freed: most connections that are watched from the start are soon watched no more.
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

    /// Shows the host an incoming engine packet, which counts for back-pressure like any event.
    pub(in crate::shard) fn show_incoming(&mut self, key: ConnKey, packet: impl FnOnce() -> RawMessage) {
        if self.live(key).is_some_and(|conn| conn.watched()) {
            let conn = self.conn_id(key);
            self.event(Event::PacketIn { conn, packet: packet() });
            self.caused_event(key);
        }
    }

    /// Shows the host a frame that goes out to a watched connection.
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
