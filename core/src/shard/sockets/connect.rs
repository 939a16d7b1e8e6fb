//! How sockets begin: a client's CONNECT, the host's decision, and the first packets.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use kraken_ws_codec::packet::{self, PacketType};
use kraken_ws_codec::sid::Id;
use serde_json::value::RawValue;

use crate::shard::conn::close::CloseStyle;
use crate::shard::sockets::early::EarlyEvent;
use crate::shard::sockets::recovery::Identity;
use crate::shard::sockets::socket::{Socket, SocketExtras};
use crate::shard::state::State;
use crate::shared::event::{Event, Recovered};
use crate::shared::gate::{Entry, Holds};
use crate::shared::journal::Session;
use crate::shared::namespaces::{Admission, NspShared};
use crate::types::change::Move;
use crate::types::ids::{ConnKey, SocketHandle, SocketSlot};
use crate::types::reason::Reason;

impl State {
    /// Connects a protocol 3 client to the main namespace, which needs no CONNECT.
    pub(in crate::shard) fn connect_v3(&mut self, key: ConnKey) {
        self.on_connect(key, "/", "");
    }

    pub(in crate::shard) fn on_connect(&mut self, key: ConnKey, nsp: &str, auth: &str) {
        if let Some(earlier) = self.socket_in(key, nsp) {
            // A protocol 3 client may send CONNECT for the main namespace all the same.
            if self.conns[key.slot].protocol == 3 {
                return;
            }
            // A client that has not heard of its socket yet may send CONNECT again. A namespace has one socket per
            // client: the last.
            self.remove_socket(earlier, Reason::ClientNamespaceDisconnect, "");
        }
        self.forget_question(key, nsp);
        let conn = &self.conns[key.slot];
        let holds = Holds { sockets: conn.sockets.len(), many_questions: conn.questions.are_many() };
        match self.core.gate().connect(nsp, holds) {
            Entry::Namespace(shared) => self.create_socket(key, &shared, auth, true),
            Entry::AskHost => self.ask_for_namespace(key, nsp, auth),
            Entry::Unknown => self.unknown_namespace(key, nsp),
            Entry::Close(detail) => self.close_conn(key, Reason::ForcedClose, detail, CloseStyle::Ws(1008)),
        }
    }

    /// Refuses a namespace that does not exist. Both protocols get the same text, unlike with an error of the host.
    pub(in crate::shard) fn unknown_namespace(&mut self, key: ConnKey, nsp: &str) {
        let text = packet::connect_error(nsp, "Invalid namespace", None);
        self.push_packet(key.slot, PacketType::ConnectError, nsp, &text);
    }

    fn refuse_connect(&mut self, key: ConnKey, nsp: &str, message: &str, data: Option<&str>) {
        let conn = &self.conns[key.slot];
        let text = if conn.protocol == 3 {
            packet::connect_error_v4(nsp, message, data)
        } else {
            packet::connect_error(nsp, message, data)
        };
        self.push_packet(key.slot, PacketType::ConnectError, nsp, &text);
    }

    /// The id of a protocol 3 client's socket: the client derives the same id from its session id.
    fn v3_id(&self, key: ConnKey, shared: &NspShared) -> Option<Box<str>> {
        let conn = &self.conns[key.slot];
        let sid = conn.public_sid();
        (conn.protocol == 3).then(|| match &*shared.name {
            "/" => sid.into(),
            nsp => format!("{nsp}#{sid}").into(),
        })
    }

    /// Creates a socket. With `may_wait` it may first wait for the end of the client's earlier connection.
    pub(in crate::shard) fn create_socket(
        &mut self,
        key: ConnKey,
        shared: &Arc<NspShared>,
        auth: &str,
        may_wait: bool,
    ) {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let handle = SocketHandle::new(self.index, self.sockets.vacant(), generation);
        let (id, returned, mark) = match self.identify(key, shared, auth, handle, may_wait) {
            Identity::Fresh(id, mark) => (id, None, mark),
            Identity::Back(returned, mark) => (returned.id, Some(returned), Some(mark)),
            Identity::Later => return,
        };
        let recovered = returned.as_ref().map(|back| {
            let Session { rooms, data, .. } = &back.session;
            Box::new(Recovered { rooms: rooms.to_vec(), data: data.clone() })
        });
        let pending = self.core.gate().admit(shared, recovered.is_some()) == Admission::Host;
        let name = self.v3_id(key, shared);
        let public_id = name.clone().unwrap_or_else(|| id.as_str().into());
        let own_room = name.is_none();
        let extras = (!auth.is_empty() || mark.is_some() || name.is_some()).then(|| {
            Box::new(SocketExtras {
                auth: auth.into(),
                mark: mark.map(Box::new),
                name,
                ..SocketExtras::default()
            })
        });
        let slot = self.add_socket(
            key,
            shared,
            Socket {
                generation,
                conn: key.slot,
                nsp: shared.id,
                id,
                connected: false,
                own_room,
                seen: 0,
                position: 0,
                extras,
            },
        );
        let conn_id = self.conn_id(key);
        let request = self.conns[key.slot].request.clone();
        if let Some(returned) = returned {
            self.put_back(slot, returned);
        }
        if !pending {
            self.accept_socket(slot);
            if !self.sockets.contains(slot) {
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
            conn: conn_id,
            recovered,
        };
        self.event(event);
        self.caused_event(key);
    }

    /// Accepts a socket: the client is told, then gets early emits, and the client's early events go to the host.
    pub(in crate::shard) fn accept_socket(&mut self, slot: SocketSlot) {
        let sock = &mut self.sockets[slot];
        if sock.connected {
            return;
        }
        let (conn, id) = (sock.conn, sock.id);
        let (early, events) = match sock.extras.as_mut() {
            Some(extras) => {
                (std::mem::take(&mut extras.early_emits), self.early_bytes.take(&mut extras.early_events))
            }
            None => Default::default(),
        };
        self.enter_namespace(slot);
        let name = self.nsp_name(slot);
        match self.sockets[slot].extras.as_ref().and_then(|extras| extras.name.clone()) {
            Some(own) => self.join(slot, &[own]),
            None => self.show_own_room(slot, Move::Join),
        }
        let Some(missed) = self.replay(slot) else { return };
        let text = if self.conns[conn].protocol == 3 {
            packet::connect_v4(&name)
        } else {
            let extras = self.sockets[slot].extras.as_ref();
            let pid = extras.and_then(|extras| extras.mark.as_ref()).map(|mark| mark.pid);
            packet::connect(&name, id.as_str(), pid.as_ref().map(Id::as_str))
        };
        self.push_packet(conn, PacketType::Connect, &name, &text);
        for frame in missed {
            if !self.sockets.contains(slot) {
                return;
            }
            self.push(conn, Rc::new(frame));
        }
        for (frame, flags, entry) in early {
            if self.sockets.contains(slot) {
                self.deliver(slot, frame, flags, entry);
            }
        }
        if !self.sockets.contains(slot) {
            return;
        }
        let key = self.key(conn);
        for EarlyEvent { id, data, attachments } in events {
            self.on_event(key, slot, id, &data, attachments);
        }
    }

    /// Rejects a socket with the host's error.
    pub(in crate::shard) fn reject_socket(&mut self, handle: SocketHandle, error: &str) {
        let Some(slot) = self.socket(handle) else { return };
        if self.sockets[slot].connected {
            return;
        }
        let key = self.key(self.sockets[slot].conn);
        let name = self.nsp_name(slot);
        // `data` goes out as the host wrote it, with the order of its keys.
        let parsed: HashMap<String, &RawValue> = serde_json::from_str(error).unwrap_or_default();
        let message = parsed.get("message").and_then(|text| serde_json::from_str::<String>(text.get()).ok());
        let message = message.unwrap_or_else(|| "Unauthorized".to_owned());
        let data = parsed.get("data").map(|data| data.get().to_owned());
        self.remove_socket(slot, Reason::ServerNamespaceDisconnect, "rejected");
        self.refuse_connect(key, &name, &message, data.as_deref());
    }

    pub(in crate::shard) fn nsp_name(&self, slot: SocketSlot) -> Arc<str> {
        let nsp = self.sockets[slot].nsp;
        self.nsps[&nsp].shared().name.clone()
    }
}
