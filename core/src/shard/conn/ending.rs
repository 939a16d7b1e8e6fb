//! Polling sessions that the server has ended and whose clients are still to hear of it.
//!
//! The host is done with such a session; what remains is what waits for the client, and the end itself. They go out on
//! the transport that the client listens on. That is polling, until the client has been told `3probe`: from then on it
//! may have stopped polling, so its upgrade is awaited, and the WebSocket is closed behind what waits. As in engine.io,
//! whichever comes first is the way: a further poll, or the end of the upgrade.

use std::time::Duration;

use crate::engine::transport::Transport;
use crate::shard::conn::close::CloseStyle;
use crate::shard::conn::session::engine_packet;
use crate::shard::state::State;
use crate::shard::wheel::Timer;
use crate::types::ids::ConnKey;

/// How long a client may take to come for its session's last packets.
const LAST_PACKETS: Duration = Duration::from_secs(10);

impl State {
    /// The server has ended a polling session.
    pub(in crate::shard) fn begin_ending(&mut self, key: ConnKey) {
        let tick = self.wheel.tick_after(LAST_PACKETS);
        self.wheel.insert(tick, Timer::LastPackets(key));
        let conn = &mut self.conns[key.slot];
        conn.ending = true;
        conn.partial = None;
        conn.pace.end();
        conn.raw = None;
        let Transport::Polling(polling) = &mut conn.transport else { return };
        if let Some(post) = polling.post.take_if(|post| post.held.is_some()) {
            post.answer();
        }
        let polls = polling.get.is_some();
        let probed = conn.probe.is_probed();
        if probed || !conn.outbox.is_empty() {
            let hold = self.shard().hold();
            self.awaited.insert(key, hold);
        }
        if !probed {
            self.drop_probe(key, CloseStyle::Close);
        }
        if polls {
            self.tell_ending(key);
        }
    }

    /// Answers the poll of a session that has ended: with what waits, else with the close packet. That one goes out by
    /// itself: clients handle messages a tick after the payload, and one that reads of the close before that drops them.
    pub(in crate::shard) fn tell_ending(&mut self, key: ConnKey) {
        let limit = self.core.options.max_outbox_bytes;
        let Some(conn) = self.conn(key) else { return };
        let (true, Transport::Polling(polling)) = (conn.ending, &mut conn.transport) else { return };
        let Some(get) = polling.get.take() else { return };
        let protocol = conn.protocol;
        if get.reply.is_closed() {
            return self.drop_conn(key, CloseStyle::None);
        }
        if conn.outbox.is_empty() {
            self.answer_with(get, protocol, &[engine_packet("1")]);
            return self.drop_conn(key, CloseStyle::Close);
        }
        let before = conn.outbox.left();
        let frames = conn.outbox.take_some(limit);
        conn.took(before);
        // It may come for the close packet or not: the end of the server does not wait for that.
        let awaited = conn.probe.is_some() || !conn.outbox.is_empty();
        let answer = self.answer_with(get, protocol, &frames);
        if !awaited {
            self.awaited.remove(&key);
        }
        if let Some(Transport::Polling(polling)) = self.conn(key).map(|conn| &mut conn.transport) {
            polling.answer = answer;
        }
    }

    /// The client did not come.
    pub(in crate::shard) fn last_packets_late(&mut self, key: ConnKey) {
        if self.conn(key).is_some_and(|conn| conn.ending) {
            self.drop_conn(key, CloseStyle::Close);
        }
    }
}
