//! Engine.IO sessions: how they open, and what arrives on the active transport.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use kraken_ws_codec::payload;
use kraken_ws_codec::sid::Id;
use kraken_ws_codec::ws::{self, Incoming, WsError};
use serde_json::json;

use crate::engine::frame::Frame;
use crate::engine::outbox::{Outbox, Shared};
use crate::engine::transport::{Agreed, Polling, ReaderCtl, Transport, WsTransport};
use crate::net::stream::Stream;
use crate::options::Hooks;
use crate::shard::conn::Conn;
use crate::shard::conn::backpressure::Pace;
use crate::shard::conn::close::CloseStyle;
use crate::shard::conn::heartbeat::Heartbeat;
use crate::shard::conn::reader::{Reader, read_loop};
use crate::shard::conn::upgrade::ProbeSlot;
use crate::shard::dirty::DirtyMark;
use crate::shard::sockets::questions::NamespaceQuestions;
use crate::shard::sockets::table::SocketList;
use crate::shard::state::State;
use crate::shard::wheel::Timer;
use crate::shared::event::Event;
use crate::types::ids::{ConnId, ConnKey};
use crate::types::raw_message::RawMessage;
use crate::types::reason::Reason;
use crate::types::request::RequestInfo;

/// A session id, and the public one in its place if the host chose it.
pub(in crate::shard) type Sid = (Id, Option<Box<str>>);

impl State {
    /// A fresh session id of this shard.
    pub(in crate::shard) fn fresh_sid(&self) -> Id {
        loop {
            let sid = Id::for_shard(self.index);
            if !self.sids.contains_key(&sid) {
                return sid;
            }
        }
    }

    /// Starts a session on a WebSocket.
    pub(in crate::shard) fn open_websocket(
        &mut self,
        stream: Stream,
        rest: Bytes,
        agreed: Agreed,
        sid: Sid,
        request: Arc<RequestInfo>,
    ) {
        let (prefix, read, write) = stream.split();
        // hyper read `rest` before `prefix`, which is what the stream has buffered.
        let rest = [&rest[..], &prefix[..]].concat();
        let ctl = ReaderCtl::new();
        let ws = WsTransport { write, ctl: ctl.clone(), agreed, blocked: false };
        self.stats().wires.add(1);
        let key = self.open(Transport::WebSocket(ws), sid, request);
        let shard = self.shard();
        tokio::task::spawn_local(read_loop(Reader {
            shard,
            key,
            probe: 0,
            read,
            ctl,
            deflate: agreed.deflate,
            rest,
        }));
        self.greet(key);
    }

    /// Starts a polling session; its first poll is answered by the open packet.
    pub(in crate::shard) fn open_polling(
        &mut self,
        sid: Sid,
        b64: bool,
        request: Arc<RequestInfo>,
    ) -> ConnKey {
        let polling = Polling { b64, ..Polling::default() };
        let key = self.open(Transport::Polling(Box::new(polling)), sid, request);
        self.greet(key);
        key
    }

    fn open(&mut self, transport: Transport, (sid, alias): Sid, request: Arc<RequestInfo>) -> ConnKey {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let protocol = request.protocol;
        let slot = self.conns.insert(Conn {
            generation,
            sid,
            alias,
            protocol,
            transport,
            outbox: Outbox::default(),
            behind: None,
            dirty: DirtyMark::default(),
            heartbeat: Heartbeat::default(),
            request: request.clone(),
            sockets: SocketList::default(),
            partial: None,
            probe: ProbeSlot::default(),
            questions: NamespaceQuestions::default(),
            pace: Pace::default(),
            ending: false,
            raw: None,
        });
        let key = ConnKey { slot, generation };
        self.sids.insert(sid, slot);
        self.stats().connections.add(1);
        if self.core.hooks.has(Hooks::CONNECTIONS) {
            let conn = self.conn_id(key);
            let sid = self.conns[slot].public_sid().into();
            self.event(Event::Open { conn, sid, request });
        }
        // A raw host has its own time limit for CONNECT.
        if !self.core.options.raw {
            let tick = self.wheel.tick_after(self.core.options.connect_timeout);
            self.wheel.insert(tick, Timer::Connect(key));
        }
        key
    }

    /// Sends the open packet (Engine.IO protocol v4, "Handshake") and starts the heartbeat.
    fn greet(&mut self, key: ConnKey) {
        let options = &self.core.options;
        let conn = &self.conns[key.slot];
        let upgrades: &[&str] = match conn.transport {
            Transport::Polling(_) if options.allow_upgrades && options.transports.websocket => &["websocket"],
            _ => &[],
        };
        // The keys are in engine.io's order.
        let open = format!(
            r#"0{{"sid":{},"upgrades":{},"pingInterval":{},"pingTimeout":{},"maxPayload":{}}}"#,
            json!(conn.public_sid()),
            json!(upgrades),
            options.ping_interval.as_millis(),
            options.ping_timeout.as_millis(),
            options.max_http_buffer_size,
        );
        let protocol = conn.protocol;
        let slot = key.slot;
        let initial = options.initial_packet.as_ref().map(|text| engine_packet(&format!("4{text}")));
        self.push(slot, engine_packet(&open));
        if let Some(initial) = initial {
            self.push(slot, initial);
        }
        if self.conn(key).is_none() {
            return;
        }
        self.heard(key);
        if self.core.hooks.has(Hooks::PACKETS) {
            self.watch(self.conn_id(key), true);
        }
        if protocol == 3 && !self.core.options.raw {
            self.connect_v3(key);
        }
    }

    /// The id of a connection, for the host.
    pub(in crate::shard) fn conn_id(&self, key: ConnKey) -> ConnId {
        ConnId::new(self.index, key)
    }

    /// The connection with that id, if the session has not ended.
    pub(in crate::shard) fn conn_of(&self, id: ConnId) -> Option<ConnKey> {
        let slot = id.slot();
        let generation = self.conns.get(slot).filter(|conn| !conn.ending)?.generation;
        let key = ConnKey { slot, generation };
        (self.conn_id(key) == id).then_some(key)
    }

    /// Handles a frame of a WebSocket: the session's own, or that of the probe with this number.
    pub(in crate::shard) fn on_frame(&mut self, key: ConnKey, probe: u32, incoming: Incoming<'_>) {
        if probe != 0 && self.is_probe(key, probe) {
            return self.on_probe_frame(key, incoming);
        }
        if self.conn(key).is_none() {
            return;
        }
        match incoming {
            Incoming::Text(text) => self.on_packet(key, text),
            Incoming::Binary(bytes) => {
                // Engine.IO 3 puts the packet type before binary data too: 4 is a message.
                let v3 = self.conns[key.slot].protocol == 3;
                match bytes {
                    [4, rest @ ..] if v3 => self.on_binary(key, rest),
                    _ if v3 => self.close_conn(
                        key,
                        Reason::ParseError,
                        "binary packet of unknown type",
                        CloseStyle::Close,
                    ),
                    bytes => self.on_binary(key, bytes),
                }
            }
            Incoming::Ping(payload) => {
                let pong = Frame::control(ws::pong_frame(payload));
                self.push(key.slot, Rc::new(Arc::new(pong)));
            }
            Incoming::Pong(_) => {}
            Incoming::Close { code, reason } => {
                self.push(key.slot, close_echo(code, reason));
                self.close_conn(key, Reason::TransportClose, "", CloseStyle::Said);
            }
        }
    }

    /// Closes a WebSocket whose peer broke RFC 6455.
    pub(in crate::shard) fn on_frame_error(&mut self, key: ConnKey, probe: u32, error: WsError) {
        if probe != 0 && self.is_probe(key, probe) {
            return self.drop_probe(key, CloseStyle::Ws(error.close_code()));
        }
        tracing::debug!(%error, "WebSocket error");
        let detail = match error {
            WsError::Protocol(what) => what,
            WsError::InvalidUtf8 => "invalid UTF-8 sequence",
            WsError::TooBig => "max payload size exceeded",
            WsError::Deflate => "invalid compressed data",
        };
        self.close_conn(key, Reason::TransportError, detail, CloseStyle::Ws(error.close_code()));
    }

    /// Handles the end of the stream under a reader task.
    pub(in crate::shard) fn transport_ended(&mut self, key: ConnKey, probe: u32) {
        if probe != 0 && self.is_probe(key, probe) {
            return self.drop_probe(key, CloseStyle::None);
        }
        self.close_conn(key, Reason::TransportClose, "", CloseStyle::None);
    }

    /// Handles an Engine.IO packet on the active transport.
    pub(in crate::shard) fn on_packet(&mut self, key: ConnKey, packet: &str) {
        self.heard_from(key);
        self.show_incoming(key, || RawMessage::Text(packet.into()));
        let protocol = self.conns[key.slot].protocol;
        match packet.as_bytes().first() {
            Some(b'4') => self.on_message(key, &packet[1..]),
            Some(b'2') if protocol == 3 => {
                self.push(key.slot, engine_packet(&format!("3{}", &packet[1..])));
                self.raw_heartbeat(key);
            }
            Some(b'3') if protocol == 4 => {
                self.heard(key);
                self.raw_heartbeat(key);
            }
            Some(b'2' | b'3') => {
                self.close_conn(
                    key,
                    Reason::TransportError,
                    "invalid heartbeat direction",
                    CloseStyle::Close,
                );
            }
            Some(b'1') => self.close_conn(key, Reason::TransportClose, "", CloseStyle::Release),
            // Base64, from a client that sends no binary frames. The decoder of polling payloads has handled it
            // already.
            Some(b'b') => match payload::base64_text(packet, protocol) {
                Ok(bytes) => self.on_binary(key, &bytes),
                Err(_) => {
                    self.close_conn(key, Reason::ParseError, "binary packet is not base64", CloseStyle::Close)
                }
            },
            // Open, upgrade and noop packets have no meaning here.
            Some(b'0' | b'5' | b'6') => {}
            // An unknown type or an empty packet.
            _ => self.close_conn(key, Reason::ParseError, "unknown packet type", CloseStyle::Close),
        }
    }
}

/// The answer to a close frame: the same code (RFC 6455 §5.5.1) and, as the `ws` package does, the same reason.
pub(in crate::shard) fn close_echo(code: Option<u16>, reason: &str) -> Shared {
    let frame = match code {
        Some(code) => ws::close_frame(code, reason),
        None => Bytes::from_static(&[0x88, 0]),
    };
    Rc::new(Arc::new(Frame::control(frame)))
}

/// An engine packet as a frame of its own.
pub(in crate::shard) fn engine_packet(text: &str) -> Shared {
    Rc::new(Arc::new(Frame::engine(text)))
}

impl Default for Transport {
    fn default() -> Self {
        Transport::Polling(Box::<Polling>::default())
    }
}
