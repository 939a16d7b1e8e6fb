//! Acks: answers of clients, and time-outs.

use std::collections::HashMap;

use bytes::Bytes;
use kraken_ws_codec::sid::Id;
use serde_json::value::RawValue;

use crate::shard::sockets::socket::{AckWait, Socket};
use crate::shard::state::State;
use crate::shared::broadcast_acks::BroadcastAcks;
use crate::shared::event::Event;
use crate::types::ids::{ConnKey, NspId, SocketHandle, SocketSlot};
use crate::types::reason::Reason;

impl State {
    /// Handles a client's ack. An id that nobody waits for (answered, timed out, made up) is ignored.
    pub(in crate::shard) fn on_ack(
        &mut self,
        key: ConnKey,
        slot: SocketSlot,
        id: Option<u64>,
        data: &str,
        attachments: Vec<Bytes>,
    ) {
        self.stats().messages_in.add(1);
        let sock = &mut self.sockets[slot];
        let Some(id) = id else { return };
        let Some(wait) = sock.extras.as_mut().and_then(|r| r.acks.remove(&id)) else { return };
        match wait {
            AckWait::Host { .. } => {
                let event = Event::Ack { socket: self.handle(slot), id, data: data.into(), attachments };
                self.event(event);
                self.caused_event(key);
            }
            AckWait::Broadcast(acks) => {
                let first: Vec<&RawValue> = serde_json::from_str(data).unwrap_or_default();
                let first = first.first().map_or("null", |raw| raw.get());
                let id = self.sockets[slot].id;
                if let Some(event) = acks.answered(Some(id.as_str()), first, attachments) {
                    self.event(event);
                }
            }
        }
    }

    /// Ends a broadcast with acks whose time-out is over.
    pub(in crate::shard) fn broadcast_timed_out(&mut self, acks: &BroadcastAcks, nsp: NspId, id: u64) {
        let members = match self.nsps.get(&nsp) {
            Some(nsp) if acks.wants_silent() && !acks.is_done() => nsp.members(),
            _ => &[],
        };
        let waits = |sock: &&Socket| sock.extras.as_ref().is_some_and(|extras| extras.acks.contains_key(&id));
        let silent = members.iter().map(|slot| &self.sockets[*slot]).filter(waits);
        if let Some(event) = acks.timed_out(silent.map(|sock| sock.id.as_str())) {
            self.event(event);
        }
    }

    /// Ends an emit with ack whose time-out is over.
    pub(in crate::shard) fn ack_timed_out(&mut self, socket: SocketHandle, id: u64) {
        let Some(slot) = self.socket(socket) else { return };
        if self.sockets[slot].extras.as_mut().is_some_and(|r| r.acks.remove(&id).is_some()) {
            self.event(Event::AckTimeout { socket, id, gone: None });
        }
    }

    /// Ends the acks that a removed socket has not answered.
    pub(in crate::shard) fn give_up_acks(
        &mut self,
        socket: SocketHandle,
        name: &Id,
        acks: HashMap<u64, AckWait>,
        reason: Reason,
    ) {
        for (id, wait) in acks {
            match wait {
                AckWait::Host { timed: true } => {
                    self.event(Event::AckTimeout { socket, id, gone: Some(reason) });
                }
                AckWait::Host { timed: false } => {}
                AckWait::Broadcast(acks) => acks.left(name.as_str()),
            }
        }
    }
}
