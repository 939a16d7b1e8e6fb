//! Socket.IO packets from clients (Socket.IO protocol v5, v4 for Engine.IO 3 clients).

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::engine::frame::Frame;
use crate::engine::query;
use crate::engine::sid::Id;
use crate::engine::transport::{ReaderState, Transport};
use crate::options::{Hooks, Parser};
use crate::shard::conn::Partial;
use crate::shard::conn::close::Goodbye;
use crate::shard::sockets::recovery::Identity;
use crate::shard::state::{Held, Nsp, Rare, Sock, State};
use crate::shared::event::{Event, Recovered};
use crate::shared::journal::Session;
use crate::shared::namespaces::NspShared;
use crate::shared::reply::Reply;
use crate::socketio::msgpack;
use crate::socketio::packet::{self, PacketType};
use crate::types::ids::{ConnKey, SocketHandle};
use crate::types::raw_message::RawMessage;
use crate::types::reason::Reason;

/// Namespaces of one client that the host may be asked about at once. Far above what a client means to
/// join, far below what would make a flood cost memory.
const MAX_ASKING: u32 = 1024;

impl State {
    /// A message packet with text.
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
        if self.conns[key.slot as usize].partial.is_some() {
            return self.bad_packet(key, "got plaintext data when reconstructing a packet");
        }
        let header = match packet::parse(text) {
            Ok(header) => header,
            Err(error) => return self.bad_packet(key, error.as_str()),
        };
        let protocol = self.conns[key.slot as usize].protocol;
        let nsp = if protocol == 3 { header.nsp } else { header.full_nsp };
        match header.kind {
            // Protocol 4 clients have no payload here, but a query behind the name.
            PacketType::Connect if protocol == 3 => {
                let auth = header.query.map(query::to_json).unwrap_or_default();
                self.on_connect(key, nsp, &auth);
            }
            PacketType::Connect => self.on_connect(key, nsp, header.data),
            PacketType::BinaryEvent | PacketType::BinaryAck if header.attachments > 0 => {
                let Some(socket) = self.socket_in(key, nsp) else { return self.not_joined(key) };
                self.conns[key.slot as usize].partial = Some(Box::new(Partial {
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

    /// A binary message: an attachment, or a packet of the msgpack parser.
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
                Ok(d) if d.kind == PacketType::Connect && self.conns[key.slot as usize].protocol == 3 => {
                    let (nsp, query) = d.nsp.split_once('?').unwrap_or((&d.nsp, ""));
                    self.on_connect(key, nsp, &query::to_json(query));
                }
                Ok(d) if d.kind == PacketType::Connect => self.on_connect(key, &d.nsp, &d.data),
                Ok(d) => self.on_plain(key, d.kind, &d.nsp, d.id, &d.data, d.attachments),
                Err(error) => self.bad_packet(key, error.as_str()),
            };
        }
        let limit = self.core.options.max_http_buffer_size;
        let conn = &mut self.conns[key.slot as usize];
        let Some(partial) = conn.partial.as_mut() else {
            return self.bad_packet(key, "got binary data when not reconstructing a packet");
        };
        // The limit holds for each frame; together the attachments of a packet may have ten of it.
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
            // It waits for the host's word on the namespace no longer.
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
            // A client has no business sending CONNECT_ERROR.
            PacketType::Connect | PacketType::ConnectError => self.not_joined(key),
        }
    }

    fn on_event(&mut self, key: ConnKey, socket: u32, id: Option<u64>, data: &str, attachments: Vec<Bytes>) {
        if !self.socks[socket as usize].connected {
            return self.hold_event(key, socket, Held { id, data: data.into(), attachments });
        }
        self.stats().messages_in.add(1);
        let event = Event::Packet { socket: self.handle(socket), data: data.into(), attachments, ack: id };
        self.event(event);
        self.caused_event(key);
    }

    /// A client that sends before it was let in loses nothing if it is, within the limit of one message.
    fn hold_event(&mut self, key: ConnKey, socket: u32, event: Held) {
        let limit = self.core.options.max_http_buffer_size;
        let held = &mut self.socks[socket as usize].rare.get_or_insert_default().held;
        if !held.is_empty() && held.iter().map(Held::weight).sum::<usize>() + event.weight() > limit {
            return self.not_joined(key);
        }
        self.held += event.weight();
        held.push(event);
        // That holds for each of them. All together get no more than what waits for the host may take.
        let paused = self.conn(key).is_none_or(|conn| conn.paused);
        if self.holds_much() && !paused {
            self.pause(key);
        }
    }

    /// A packet that can't be read: socket.io closes the connection, with this reason.
    fn bad_packet(&mut self, key: ConnKey, detail: &'static str) {
        self.close_conn(key, Reason::ForcedClose, detail, Goodbye::Close);
    }

    /// A packet for a namespace that was not joined.
    fn not_joined(&mut self, key: ConnKey) {
        self.close_conn(key, Reason::ForcedClose, "no socket for namespace", Goodbye::Close);
    }

    /// The client's socket in a namespace.
    fn socket_in(&self, key: ConnKey, nsp: &str) -> Option<u32> {
        let conn = self.conns.get(key.slot as usize)?;
        conn.sockets
            .iter()
            .find(|(id, _)| self.nsps.get(id).is_some_and(|n| &*n.shared.name == nsp))
            .map(|(_, s)| *s)
    }

    /// Protocol 3 clients are connected to the main namespace without asking.
    pub(in crate::shard) fn connect_v3(&mut self, key: ConnKey) {
        self.on_connect(key, "/", "");
    }

    fn on_connect(&mut self, key: ConnKey, nsp: &str, auth: &str) {
        if let Some(earlier) = self.socket_in(key, nsp) {
            // A protocol 3 client says it again for the main namespace.
            if self.conns[key.slot as usize].protocol == 3 {
                return;
            }
            // One that has not heard of its socket yet asks anew: there is one socket for a namespace, the last.
            self.remove_socket(earlier, Reason::ClientNamespaceDisconnect, "");
        }
        self.forget_question(key, nsp);
        let limit = self.core.options.max_namespaces;
        let conn = &self.conns[key.slot as usize];
        if conn.sockets.len() >= limit || conn.asking >= MAX_ASKING {
            return self.close_conn(key, Reason::ForcedClose, "too many namespaces", Goodbye::Ws(1008));
        }
        match self.core.namespaces.get(nsp) {
            Some(shared) => self.create_socket(key, &shared, auth, true),
            None if self.core.hooks.has(Hooks::NAMESPACES) => self.ask_for_namespace(key, nsp, auth),
            None => self.unknown_namespace(key, nsp),
        }
    }

    /// The same words for both protocols, unlike an error of the host.
    fn unknown_namespace(&mut self, key: ConnKey, nsp: &str) {
        let text = packet::connect_error(nsp, "Invalid namespace", None);
        self.push_packet(key.slot, PacketType::ConnectError, nsp, &text);
    }

    /// The host decides about a namespace that does not exist (yet).
    fn ask_for_namespace(&mut self, key: ConnKey, nsp: &str, auth: &str) {
        let limit = self.core.options.max_http_buffer_size;
        let conn = &mut self.conns[key.slot as usize];
        // All that a client has asked for at once takes no more than one message may.
        if conn.asking_bytes + nsp.len() + auth.len() > limit {
            return self.close_conn(key, Reason::ForcedClose, "too many namespaces", Goodbye::Ws(1008));
        }
        conn.asking_bytes += nsp.len() + auth.len();
        let request = conn.request.clone();
        let (reply, answer) = Reply::channel();
        let question = self.ask(key, nsp);
        self.event(Event::Namespace { name: nsp.into(), auth: auth.into(), request, reply });
        self.caused_event(key);
        let (shard, nsp, auth) = (self.shard.clone(), Box::<str>::from(nsp), Box::<str>::from(auth));
        crate::shard::spawn(self.shard(), async move {
            let allowed = answer.await.unwrap_or(false);
            if let Some(shard) = shard.upgrade() {
                shard.with(|state| state.namespace_decided(key, &nsp, &auth, allowed, question));
            }
        });
    }

    /// The client waits for an answer about a namespace; gives the number of the question.
    pub(in crate::shard) fn ask(&mut self, key: ConnKey, nsp: &str) -> u32 {
        let conn = &mut self.conns[key.slot as usize];
        conn.asking += 1;
        conn.questions = conn.questions.wrapping_add(1);
        conn.asked.push((nsp.into(), conn.questions));
        conn.questions
    }

    /// The client does not wait for a namespace any more; whether it did.
    fn forget_question(&mut self, key: ConnKey, nsp: &str) -> bool {
        let Some(conn) = self.conn(key) else { return false };
        let before = conn.asked.len();
        conn.asked.retain(|(name, _)| **name != *nsp);
        conn.asked.len() < before
    }

    /// An answer came; whether the client still waits for it.
    fn answered(&mut self, key: ConnKey, question: u32) -> bool {
        let Some(conn) = self.live(key) else { return false };
        conn.asking -= 1;
        let before = conn.asked.len();
        conn.asked.retain(|(_, number)| *number != question);
        conn.asked.len() < before
    }

    fn namespace_decided(&mut self, key: ConnKey, nsp: &str, auth: &str, allowed: bool, question: u32) {
        let Some(conn) = self.live(key) else { return };
        conn.asking_bytes -= nsp.len() + auth.len();
        if !self.answered(key, question) {
            return;
        }
        match self.core.namespaces.get(nsp).filter(|_| allowed) {
            Some(shared) => self.join_late(key, &shared, auth, true),
            None => self.unknown_namespace(key, nsp),
        }
    }

    /// The earlier connection of a client that is back has ended.
    pub(in crate::shard) fn earlier_ended(
        &mut self,
        key: ConnKey,
        shared: &Arc<NspShared>,
        auth: &str,
        question: u32,
    ) {
        if self.answered(key, question) {
            self.join_late(key, shared, auth, false);
        }
    }

    /// A client joins a namespace some time after it asked to.
    fn join_late(&mut self, key: ConnKey, shared: &Arc<NspShared>, auth: &str, may_wait: bool) {
        if self.conns[key.slot as usize].sockets.len() >= self.core.options.max_namespaces {
            self.close_conn(key, Reason::ForcedClose, "too many namespaces", Goodbye::Ws(1008));
        } else {
            self.create_socket(key, shared, auth, may_wait);
        }
    }

    fn refuse_connect(&mut self, key: ConnKey, nsp: &str, message: &str, data: Option<&str>) {
        let conn = &self.conns[key.slot as usize];
        let text = if conn.protocol == 3 {
            packet::connect_error_v4(nsp, message, data)
        } else {
            packet::connect_error(nsp, message, data)
        };
        self.push_packet(key.slot, PacketType::ConnectError, nsp, &text);
    }

    /// The id of a protocol 3 client's socket: what its client makes of the session id by itself.
    fn v3_id(&self, key: ConnKey, shared: &NspShared) -> Option<Box<str>> {
        let conn = &self.conns[key.slot as usize];
        let sid = conn.public_sid();
        (conn.protocol == 3).then(|| match &*shared.name {
            "/" => sid.into(),
            nsp => format!("{nsp}#{sid}").into(),
        })
    }

    /// `may_wait`: for the end of an earlier connection of the client.
    fn create_socket(&mut self, key: ConnKey, shared: &Arc<NspShared>, auth: &str, may_wait: bool) {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let handle = SocketHandle::new(self.index, self.socks.vacant_key() as u32, generation);
        let (id, returned, trace) = match self.identify(key, shared, auth, handle, may_wait) {
            Identity::Fresh(id, trace) => (id, None, trace),
            Identity::Back(returned, trace) => (returned.id, Some(returned), Some(trace)),
            Identity::Later => return,
        };
        let recovered = returned.as_ref().map(|back| {
            let Session { rooms, data, .. } = &back.session;
            Box::new(Recovered { rooms: rooms.to_vec(), data: data.clone() })
        });
        let skips = self.core.recovery.as_ref().is_some_and(|recovery| recovery.skip_middlewares);
        let pending = shared.decide() && !(skips && recovered.is_some());
        let name = self.v3_id(key, shared);
        let public_id = name.clone().unwrap_or_else(|| id.as_str().into());
        let own_room = name.is_none();
        let rare = (!auth.is_empty() || trace.is_some() || name.is_some()).then(|| {
            Box::new(Rare { auth: auth.into(), trace: trace.map(Box::new), name, ..Rare::default() })
        });
        let slot = self.socks.insert(Sock {
            generation,
            conn: key.slot,
            nsp: shared.id,
            id,
            connected: false,
            own_room,
            seen: 0,
            position: 0,
            rare,
        }) as u32;
        self.nsp(shared).sockets += 1;
        let conn_number = self.conn_number(key);
        let conn = &mut self.conns[key.slot as usize];
        conn.sockets.push((shared.id, slot));
        let request = conn.request.clone();
        self.stats().sockets.add(1);
        if let Some(returned) = returned {
            self.put_back(slot, returned);
        }
        if !pending {
            self.accept_socket(slot);
            if !self.socks.contains(slot as usize) {
                return;
            }
        }
        let event = Event::Connect {
            socket: self.handle(slot),
            nsp: shared.name.clone(),
            id: public_id,
            request,
            auth: auth.into(),
            pending,
            conn: conn_number,
            recovered,
        };
        self.event(event);
        self.caused_event(key);
    }

    /// The socket is connected: the client is told, and what was emitted early goes out.
    pub(in crate::shard) fn accept_socket(&mut self, slot: u32) {
        let sock = &mut self.socks[slot as usize];
        if sock.connected {
            return;
        }
        sock.connected = true;
        let (conn, id) = (sock.conn, sock.id);
        let (early, held): (Vec<_>, Vec<_>) = sock
            .rare
            .as_mut()
            .map(|r| (std::mem::take(&mut r.early), std::mem::take(&mut r.held)))
            .unwrap_or_default();
        self.held -= held.iter().map(Held::weight).sum::<usize>();
        let nsp: &mut Nsp = self.nsps.get_mut(&sock.nsp).expect("a socket's namespace exists");
        sock.position = nsp.members.len() as u32;
        nsp.members.push(slot);
        nsp.by_id.insert(id, slot);
        let name = nsp.shared.name.clone();
        match self.socks[slot as usize].rare.as_ref().and_then(|rare| rare.name.clone()) {
            Some(own) => self.join(slot, &[own]),
            None => self.show_own_room(slot, true),
        }
        let Some(missed) = self.replay(slot) else { return };
        let text = if self.conns[conn as usize].protocol == 3 {
            packet::connect_v4(&name)
        } else {
            let rare = self.socks[slot as usize].rare.as_ref();
            let pid = rare.and_then(|rare| rare.trace.as_ref()).map(|trace| trace.pid);
            packet::connect(&name, id.as_str(), pid.as_ref().map(Id::as_str))
        };
        self.push_packet(conn, PacketType::Connect, &name, &text);
        for frame in missed {
            if !self.socks.contains(slot as usize) {
                return;
            }
            self.push(conn, Rc::new(frame));
        }
        for (frame, flags, entry) in early {
            if self.socks.contains(slot as usize) {
                self.deliver(slot, frame, flags, entry);
            }
        }
        if !self.socks.contains(slot as usize) {
            return;
        }
        let key = self.key(conn);
        for Held { id, data, attachments } in held {
            self.on_event(key, slot, id, &data, attachments);
        }
    }

    /// The host said no.
    pub(in crate::shard) fn reject_socket(&mut self, handle: SocketHandle, error: &str) {
        let Some(slot) = self.socket(handle) else { return };
        if self.socks[slot as usize].connected {
            return;
        }
        let key = self.key(self.socks[slot as usize].conn);
        let name = self.nsp_name(slot);
        // The data goes out as the host wrote it, with its keys in their order.
        let parsed: HashMap<String, &RawValue> = serde_json::from_str(error).unwrap_or_default();
        let message = parsed.get("message").and_then(|text| serde_json::from_str::<String>(text.get()).ok());
        let message = message.unwrap_or_else(|| "Unauthorized".to_owned());
        let data = parsed.get("data").map(|data| data.get().to_owned());
        self.remove_socket(slot, Reason::ServerNamespaceDisconnect, "rejected");
        self.refuse_connect(key, &name, &message, data.as_deref());
    }

    pub(in crate::shard) fn nsp_name(&self, slot: u32) -> Arc<str> {
        let nsp = self.socks[slot as usize].nsp;
        self.nsps[&nsp].shared.name.clone()
    }

    /// Queues a control packet (connect, disconnect, connect error). `text` is its default encoding.
    pub(in crate::shard) fn push_packet(&mut self, conn: u32, kind: PacketType, nsp: &str, text: &str) {
        let frame = match self.core.options.parser {
            Parser::Default => Frame::message(b"", text, &[], true),
            Parser::Msgpack => {
                // The JSON is what stands behind type and namespace.
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

    /// Counts an event that a connection caused; one that is too far ahead of the host is not read from.
    pub(in crate::shard) fn caused_event(&mut self, key: ConnKey) {
        let taken = self.core.host.taken(self.index);
        let full = self.is_host_full();
        let limit = self.core.options.max_pending_events as u32;
        let count = self.event_count;
        let Some(conn) = self.live(key) else { return };
        if conn.last_event <= taken {
            conn.pending_events = 0;
        }
        conn.pending_events += 1;
        conn.last_event = count;
        if (conn.pending_events < limit && !full) || conn.paused {
            return;
        }
        self.pause(key);
    }

    /// Does not read from a connection until the host has caught up.
    fn pause(&mut self, key: ConnKey) {
        let Some(conn) = self.conn(key) else { return };
        conn.paused = true;
        if let Transport::WebSocket(ws) = &conn.transport {
            ws.ctl.set(ReaderState::Paused);
        }
        self.paused.push(key);
        self.hold_heartbeat(key);
        self.core.host.set_paused(self.index);
    }

    /// Is there no room for what a connection may bring? Asked before it is read from; it is paused then.
    pub(in crate::shard) fn holds_back(&mut self, key: ConnKey, probe: u32) -> bool {
        // A probe brings nothing for the host.
        if probe != 0 && self.is_probe(key, probe) {
            return false;
        }
        let full = self.is_host_full();
        let much = self.holds_much();
        let Some(conn) = self.conns.get(key.slot as usize).filter(|c| c.generation == key.generation) else {
            return false;
        };
        let waits = || conn.sockets.iter().any(|(_, slot)| !self.socks[*slot as usize].connected);
        if conn.paused || !(full || (much && waits())) {
            return false;
        }
        self.pause(key);
        // The host may have taken everything before it could see that somebody waits.
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
        if full && !self.is_host_full() {
            self.resume();
        }
        true
    }

    /// Clients have sent as much before they were accepted as may wait for the host.
    fn holds_much(&self) -> bool {
        self.held > self.core.options.host_queue_bytes / self.core.shards.len()
    }

    /// Would what is read now have to wait for the host? For most connections: no, and they need not be looked at.
    pub(in crate::shard) fn may_hold_back(&self) -> bool {
        self.is_host_full() || self.holds_much()
    }

    /// The host took events: connections that it has caught up with go on.
    pub(in crate::shard) fn resume(&mut self) {
        while let Some(seen) = self.resume_up_to(self.core.host.taken(self.index)) {
            self.core.host.set_paused(self.index);
            // What the host took before it could see that somebody waits, it has told nobody of.
            if self.core.host.taken(self.index) == seen {
                return;
            }
        }
    }

    /// Lets those go on that wait for no later event than `taken`; gives that back if others are left.
    fn resume_up_to(&mut self, taken: u64) -> Option<u64> {
        let mut still = Vec::new();
        for key in std::mem::take(&mut self.paused) {
            let Some(conn) = self.conn(key) else { continue };
            if conn.last_event > taken {
                still.push(key);
                continue;
            }
            conn.paused = false;
            conn.pending_events = 0;
            match &mut conn.transport {
                Transport::WebSocket(ws) => ws.ctl.set(ReaderState::Run),
                Transport::Polling(polling) => {
                    if let Some(post) = polling.post.take_if(|post| post.held.is_some()) {
                        post.answer();
                    }
                }
            }
            self.release_heartbeat(key);
        }
        let some = !still.is_empty();
        self.paused.extend(still);
        some.then_some(taken)
    }
}
