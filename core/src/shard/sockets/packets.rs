//! Socket.IO packets from clients (Socket.IO protocol v5, v4 for Engine.IO 3 clients).

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use kraken_ws_codec::packet::{self, PacketType};
use kraken_ws_codec::{msgpack, query};

use crate::engine::frame::Frame;
use crate::options::Parser;
use crate::shard::conn::Partial;
use crate::shard::conn::close::CloseStyle;
use crate::shard::sockets::early::EarlyEvent;
use crate::shard::state::State;
use crate::shared::event::Event;
use crate::types::ids::{ConnKey, ConnSlot, SocketSlot};
use crate::types::raw_message::RawMessage;
use crate::types::reason::Reason;

impl State {
    /// Handles a message packet with text.
    pub(in crate::shard) fn on_message(&mut self, key: ConnKey, text: &str) {
        if self.core.options.raw {
            if packet::is_beyond_limits(text) {
                return self.bad_packet(key, "too many arguments");
            }
            return self.raw_message(key, RawMessage::Text(text.into()));
        }
        if self.core.options.parser == Parser::Msgpack {
            return self.bad_packet(key, "text where msgpack is expected");
        }
        if self.conns[key.slot].partial.is_some() {
            return self.bad_packet(key, "got plaintext data when reconstructing a packet");
        }
        let header = match packet::parse(text) {
            Ok(header) => header,
            Err(error) => return self.bad_packet(key, error.as_str()),
        };
        let protocol = self.conns[key.slot].protocol;
        let nsp = if protocol == 3 { header.nsp } else { header.full_nsp };
        match header.kind {
            // Socket.IO protocol 4 has no payload here, but a query behind the namespace's name.
            PacketType::Connect if protocol == 3 => {
                let auth = header.query.map(query::to_json).unwrap_or_default();
                self.on_connect(key, nsp, &auth);
            }
            PacketType::Connect => self.on_connect(key, nsp, header.data),
            PacketType::BinaryEvent | PacketType::BinaryAck if header.attachments > 0 => {
                let Some(socket) = self.socket_in(key, nsp) else { return self.not_joined(key) };
                self.conns[key.slot].partial = Some(Box::new(Partial {
                    socket,
                    kind: header.kind,
                    id: header.id,
                    data: header.data.into(),
                    want: header.attachments,
                    have: Vec::new(),
                    bytes: 0,
                }));
            }
            kind => self.on_plain(key, kind, nsp, header.id, header.data, Vec::new()),
        }
    }

    /// Handles a binary message: an attachment, or a packet of the msgpack parser.
    pub(in crate::shard) fn on_binary(&mut self, key: ConnKey, bytes: &[u8]) {
        self.show_incoming(key, || RawMessage::Binary(Bytes::copy_from_slice(bytes)));
        if self.core.options.raw {
            if msgpack::has_too_many_arguments(bytes) {
                return self.bad_packet(key, "too many arguments");
            }
            return self.raw_message(key, RawMessage::Binary(Bytes::copy_from_slice(bytes)));
        }
        if self.core.options.parser == Parser::Msgpack {
            return match msgpack::decode(bytes) {
                Ok(d) if d.kind == PacketType::Connect && self.conns[key.slot].protocol == 3 => {
                    let (nsp, query) = d.nsp.split_once('?').unwrap_or((&d.nsp, ""));
                    self.on_connect(key, nsp, &query::to_json(query));
                }
                Ok(d) if d.kind == PacketType::Connect => self.on_connect(key, &d.nsp, &d.data),
                Ok(d) => self.on_plain(key, d.kind, &d.nsp, d.id, &d.data, d.attachments),
                Err(error) => self.bad_packet(key, error.as_str()),
            };
        }
        let limit = self.core.options.max_http_buffer_size;
        let conn = &mut self.conns[key.slot];
        let Some(partial) = conn.partial.as_mut() else {
            return self.bad_packet(key, "got binary data when not reconstructing a packet");
        };
        // `maxHttpBufferSize` bounds each frame; the attachments of one packet together may take ten times as much.
        partial.bytes += bytes.len();
        if partial.bytes > limit.saturating_mul(packet::MAX_ATTACHMENTS) {
            return self.bad_packet(key, "attachments are too large");
        }
        partial.have.push(Bytes::copy_from_slice(bytes));
        if partial.have.len() < partial.want {
            return;
        }
        let Some(done) = conn.partial.take() else { return };
        if !packet::validate_placeholders(&done.data, done.want) {
            return self.bad_packet(key, "Illegal attachments");
        }
        match done.kind {
            PacketType::BinaryEvent => self.on_event(key, done.socket, done.id, &done.data, done.have),
            _ => self.on_ack(key, done.socket, done.id, &done.data, done.have),
        }
    }

    fn on_plain(
        &mut self,
        key: ConnKey,
        kind: PacketType,
        nsp: &str,
        id: Option<u64>,
        data: &str,
        attachments: Vec<Bytes>,
    ) {
        let Some(socket) = self.socket_in(key, nsp) else {
            // The client leaves a namespace that it has asked for and not joined yet.
            if kind == PacketType::Disconnect && self.forget_question(key, nsp) {
                return;
            }
            return self.not_joined(key);
        };
        match kind {
            PacketType::Event | PacketType::BinaryEvent => self.on_event(key, socket, id, data, attachments),
            PacketType::Ack | PacketType::BinaryAck => self.on_ack(key, socket, id, data, attachments),
            PacketType::Disconnect => {
                self.remove_socket(socket, Reason::ClientNamespaceDisconnect, "");
            }
            // Only servers send CONNECT_ERROR.
            PacketType::Connect | PacketType::ConnectError => self.not_joined(key),
        }
    }

    pub(in crate::shard) fn on_event(
        &mut self,
        key: ConnKey,
        socket: SocketSlot,
        id: Option<u64>,
        data: &str,
        attachments: Vec<Bytes>,
    ) {
        if !self.sockets[socket].connected {
            return self.keep_early(key, socket, EarlyEvent { id, data: data.into(), attachments });
        }
        self.stats().messages_in.add(1);
        let event = Event::Event { socket: self.handle(socket), data: data.into(), attachments, ack: id };
        self.event(event);
        self.caused_event(key);
    }

    /// Closes the connection for a packet that can't be read, with socket.io's reason.
    fn bad_packet(&mut self, key: ConnKey, detail: &'static str) {
        self.close_conn(key, Reason::ForcedClose, detail, CloseStyle::Close);
    }

    /// Closes the connection for a packet to a namespace that the client has not joined.
    pub(in crate::shard) fn not_joined(&mut self, key: ConnKey) {
        self.close_conn(key, Reason::ForcedClose, "no socket for namespace", CloseStyle::Close);
    }

    /// The client's socket in a namespace.
    pub(in crate::shard) fn socket_in(&self, key: ConnKey, nsp: &str) -> Option<SocketSlot> {
        let conn = self.conns.get(key.slot)?;
        conn.sockets
            .iter()
            .find(|(id, _)| self.nsps.get(id).is_some_and(|n| &*n.shared().name == nsp))
            .map(|(_, slot)| slot)
    }

    /// Queues a control packet (connect, disconnect, connect error). `text` is its default encoding.
    pub(in crate::shard) fn push_packet(&mut self, conn: ConnSlot, kind: PacketType, nsp: &str, text: &str) {
        let frame = match self.core.options.parser {
            Parser::Default => Frame::message(b"", text, &[], true),
            Parser::Msgpack => {
                // The JSON follows the type and the namespace.
                let at = 1 + if nsp == "/" { 0 } else { nsp.len() + 1 };
                let json = text.get(at..).filter(|json| !json.is_empty());
                match msgpack::encode(kind, nsp, None, json, &[]) {
                    Ok(bytes) => Frame::binary(&bytes, true),
                    Err(_) => return,
                }
            }
        };
        self.push(conn, Rc::new(Arc::new(frame)));
    }
}
