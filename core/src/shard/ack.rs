//! Acks: answers of clients, and time-outs.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::state::{AckWait, State};
use crate::engine::conn::ConnKey;
use crate::host::{Event, SocketHandle};
use crate::reason::Reason;

impl State {
    /// A client acknowledged something. An id that nobody waits for (answered, timed out, made up) is ignored.
    pub(super) fn on_ack(
        &mut self,
        key: ConnKey,
        slot: u32,
        id: Option<u64>,
        data: &str,
        attachments: Vec<Bytes>,
    ) {
        self.stats().messages_in.add(1);
        let sock = &mut self.socks[slot as usize];
        let Some(id) = id else { return };
        let Some(wait) = sock.rare.as_mut().and_then(|r| r.acks.remove(&id)) else { return };
        match wait {
            AckWait::Host { .. } => {
                let event = Event::Ack { socket: self.handle(slot), id, data: data.into(), attachments };
                self.event(event);
                self.caused_event(key);
            }
            AckWait::Broadcast(acks) => {
                let first: Vec<&RawValue> = serde_json::from_str(data).unwrap_or_default();
                let first = first.first().map_or("null", |raw| raw.get());
                if let Some(event) = acks.answered(first.into(), attachments) {
                    self.event(event);
                }
            }
        }
    }

    /// The time of an emit with ack is over.
    pub(super) fn ack_timed_out(&mut self, socket: SocketHandle, id: u64) {
        let Some(slot) = self.socket(socket) else { return };
        if self.socks[slot as usize].rare.as_mut().is_some_and(|r| r.acks.remove(&id).is_some()) {
            self.event(Event::AckTimeout { socket, id, gone: None });
        }
    }

    /// A socket ends: nobody will answer any more.
    pub(super) fn give_up_acks(&mut self, socket: SocketHandle, acks: HashMap<u64, AckWait>, reason: Reason) {
        for (id, wait) in acks {
            if matches!(wait, AckWait::Host { timed: true }) {
                self.event(Event::AckTimeout { socket, id, gone: Some(reason) });
            }
        }
    }
}
