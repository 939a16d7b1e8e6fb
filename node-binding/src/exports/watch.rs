//! Engine packets of single connections, for the events of `socket.conn`; `src-ts/api/raw-connection.ts` emits these.

use std::fmt::Write as _;

use kraken_ws_core::{ConnId, Event, RawMessage};
use napi_derive::napi;

use crate::exports::batch::Batcher;
use crate::exports::server::NativeServer;
use crate::parts::handshake::quote;
use crate::parts::wire::event as kind;

#[napi]
impl NativeServer {
    /// Turns the packet events of a connection on or off.
    #[napi]
    pub fn watch(&self, conn: f64, on: bool) {
        self.server.watch(ConnId(conn as u64), on);
    }

    /// Requests an event with `number` when everything sent so far has left the connection.
    #[napi]
    pub fn notify(&self, conn: f64, number: f64) {
        self.server.raw_notify(ConnId(conn as u64), number as u64);
    }
}

impl Batcher {
    /// Writes an event of a watched connection; other events are dropped, as JavaScript has no use for them. The
    /// payload of a packet is its text, or 0 with an attachment.
    pub(crate) fn watched_event(&mut self, lanes: &mut [f64], event: Event) {
        match event {
            Event::PacketIn { conn, packet } => self.packet(lanes, kind::PACKET_IN, conn, packet),
            Event::PacketOut { conn, packet } => self.packet(lanes, kind::PACKET_OUT, conn, packet),
            Event::Drained { conn } => {
                self.lanes(lanes, kind::DRAINED, None, conn.0 as f64);
                self.text.push('0');
            }
            Event::Flushed { conn, number } => {
                self.lanes(lanes, kind::FLUSHED, None, conn.0 as f64);
                let _ = write!(self.text, "{number}");
            }
            _ => return,
        }
        self.ends.push(self.text.len());
    }

    fn packet(&mut self, lanes: &mut [f64], kind: u8, conn: ConnId, packet: RawMessage) {
        self.lanes(lanes, kind, None, conn.0 as f64);
        match packet {
            RawMessage::Text(text) => quote(&mut self.text, &text),
            RawMessage::Binary(bytes) => {
                self.text.push('0');
                self.buffers.push(bytes);
            }
        }
    }
}
