//! What a shard does after a panic in the middle of a change of its state, which may be inconsistent then. The shard
//! closes its connections, answers everybody who waits for it, and goes on with an empty state, on the same queue and
//! listeners.
//!
//! Each connection is closed in the regular way first. What panics again is dropped, and the host still gets its
//! events.

use std::collections::HashMap;
use std::mem::{replace, take};
use std::sync::Arc;

use crate::engine::transport::{ReaderState, Transport};
use crate::options::Hooks;
use crate::shard::SHARD;
use crate::shard::conn::Conn;
use crate::shard::conn::close::CloseStyle;
use crate::shard::sockets::socket::{AckWait, Socket};
use crate::shard::state::State;
use crate::shard::wheel::Timer;
use crate::shared::event::{Event, RoomChange};
use crate::shared::panics::Panic;
use crate::types::change::Move;
use crate::types::ids::{ConnKey, ConnSlot, NspId, SocketHandle, SocketSlot};
use crate::types::reason::Reason;

/// The detail beside the reason, in events and in the log.
const DETAIL: &str = "internal error";
/// RFC 6455 §7.4.1: the server met an unexpected condition.
const INTERNAL: CloseStyle = CloseStyle::Ws(1011);

impl State {
    /// Replaces the state after a panic in a change of it.
    pub(super) fn start_over(&mut self, panic: Panic) {
        self.core.host.panics.note(SHARD, panic);
        let names: HashMap<NspId, Arc<str>> =
            self.nsps.iter().map(|(id, nsp)| (*id, nsp.shared().name.clone())).collect();
        self.caught(|s| s.finish_what_was_begun());
        let slots: Vec<ConnSlot> = self.conns.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            self.caught(|s| s.close_conn(s.key(slot), Reason::TransportError, DETAIL, INTERNAL));
            self.caught(|s| s.finish_what_was_begun());
        }
        for (slot, sock) in self.sockets.drain() {
            self.caught(|s| s.forsake_socket(slot, sock));
        }
        for (slot, conn) in self.conns.drain() {
            self.caught(|s| s.forsake_conn(slot, conn));
        }
        self.caught(|s| {
            let core = s.core.clone();
            core.directory.forget(s.index, |nsp, room| {
                if let Some(name) = names.get(&nsp) {
                    s.room_event(RoomChange::Deleted, name, room, None);
                    s.hand_over_events();
                }
            });
        });
        self.stats().connections.set(0);
        self.stats().sockets.set(0);
        self.caught(State::hand_over_events);
        let next = self.successor();
        let old = replace(self, next);
        self.core.clone().host.panics.catch(SHARD, || drop(old));
        self.caught(State::sweep_recovery);
    }

    fn caught(&mut self, act: impl FnOnce(&mut Self)) {
        self.core.clone().host.panics.catch(SHARD, || act(self));
    }

    /// The state with which the shard goes on. Its counters go on too, so that no old handle names something new.
    fn successor(&mut self) -> Self {
        let mut next = State::new(self.core.clone(), self.index, self.shard.clone());
        next.generation = self.generation;
        next.events = take(&mut self.events);
        next.recovery = self.recovery.successor();
        next.accepting = take(&mut self.accepting);
        next.closing = self.closing;
        next.shows_own_rooms = self.shows_own_rooms;
        // The timers of broadcasts stay: other shards may still wait for acks, and the broadcast has to end.
        let mut wheel = replace(&mut self.wheel, super::wheel::Wheel::new());
        let stays = |timer: &Timer| matches!(timer, Timer::Broadcast(..));
        wheel.retain(stays);
        let now = wheel.now();
        self.timers.take_rest().into_iter().filter(stays).for_each(|timer| wheel.insert(now, timer));
        wheel.touch();
        next.wheel = wheel;
        next
    }

    /// Completes what the panic interrupted and others wait for: a broadcast's count of recipients, a socket's end.
    fn finish_what_was_begun(&mut self) {
        if let Some(acks) = self.fan_out.take_asking()
            && let Some(event) = acks.sent(0)
        {
            self.event(event);
        }
        if let Some(event) = self.leaving.take() {
            self.event(event);
        }
    }

    /// Drops a socket whose regular removal panicked, and sends the events of its end.
    fn forsake_socket(&mut self, slot: SocketSlot, sock: Socket) {
        let (socket, reason) = (SocketHandle::new(self.index, slot, sock.generation), Reason::TransportError);
        if self.shows_own_rooms && sock.connected {
            self.core.broker.own_room(sock.nsp, sock.id.as_str(), Move::Leave);
        }
        if let Some(extras) = sock.extras {
            for (id, wait) in extras.acks {
                match wait {
                    AckWait::Host { timed: true } => {
                        self.event(Event::AckTimeout { socket, id, gone: Some(reason) });
                    }
                    AckWait::Host { timed: false } => {}
                    AckWait::Broadcast(acks) => acks.left(sock.id.as_str()),
                }
            }
            if let (Some(mark), Some(recovery)) = (extras.mark, &self.core.recovery) {
                recovery.lock().end(mark.pid);
            }
        }
        if !self.core.options.raw {
            self.event(Event::Disconnect { socket, reason, detail: DETAIL });
        }
    }

    /// Drops a connection whose regular close panicked. Requests that wait for it are answered as it is dropped.
    fn forsake_conn(&mut self, slot: ConnSlot, conn: Conn) {
        if let Some(alias) = &conn.alias {
            self.core.aliases.remove(alias);
        }
        if !conn.ending && (self.core.hooks.has(Hooks::CONNECTIONS) || conn.watched()) {
            let conn = self.conn_id(ConnKey { slot, generation: conn.generation });
            self.event(Event::ConnectionClosed { conn, reason: Reason::TransportError, detail: DETAIL });
        }
        let ws = match &conn.transport {
            Transport::WebSocket(ws) => Some(ws),
            Transport::Polling(_) => None,
        };
        for ws in ws.into_iter().chain(conn.probe.ws()) {
            ws.ctl.set(ReaderState::Stop);
            self.stats().wires.sub(1);
        }
    }

    /// Closes a connection, or its probe, whose reader task panicked. Outside a change of this state nothing else is
    /// affected.
    pub(super) fn reader_broke(&mut self, key: ConnKey, probe: u32) {
        if probe != 0 && self.is_probe(key, probe) {
            return self.drop_probe(key, INTERNAL);
        }
        self.close_conn(key, Reason::TransportError, DETAIL, INTERNAL);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use serde_json::json;
    use tokio::task::LocalSet;

    use super::*;
    use crate::local::Server;
    use crate::options::Options;
    use crate::shard::Shard;
    use crate::types::request::RequestInfo;

    #[test]
    fn what_can_not_be_closed_in_order_is_told_all_the_same() {
        let options = Options::from_json(&json!({ "shards": 1 })).unwrap();
        let (server, mut events) = Server::new(options).unwrap();
        // A second shard 0 beside the running one, which has no clients.
        let shard = Shard::new(server.shared_core(), 0);
        let act = || {
            let handle = shard.with(|s| {
                let request = RequestInfo { transport: "polling", protocol: 4, ..RequestInfo::default() };
                let sid = (s.fresh_sid(), None);
                let key = s.open_polling(sid, false, Arc::new(request));
                s.on_packet(key, "40");
                let slot = s.sockets_of(key)[0];
                s.join(slot, &["room".into()]);
                // The list names a socket that does not exist, so the regular close panics.
                s.conns[key.slot].sockets.break_it();
                s.handle(slot)
            });
            let core = &shard.core;
            assert_eq!((core.directory.len(), core.shards[0].stats.sockets.get()), (1, 1));
            let broke = catch_unwind(AssertUnwindSafe(|| shard.with(|_| panic!("deliberate"))));
            core.host.panics.note("the test", broke.unwrap_err());
            // The first panic, and the one of the regular close.
            assert_eq!(core.host.panics.get(), 2);
            assert_eq!((core.directory.len(), core.shards[0].stats.sockets.get()), (0, 0));
            shard.with(|s| assert!(s.conns.is_empty() && s.sockets.is_empty() && s.generation > 0));
            handle
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let handle = LocalSet::new().block_on(&runtime, async { act() });
        let mut batch = Vec::new();
        events.recv_batch(&mut batch, 10);
        let ended: Vec<_> = batch
            .iter()
            .filter_map(|event| match event {
                Event::Disconnect { socket, reason, .. } => Some((*socket, *reason)),
                _ => None,
            })
            .collect();
        assert_eq!(ended, [(handle, Reason::TransportError)]);
    }
}
