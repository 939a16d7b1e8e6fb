//! Polling sessions that the server has ended and whose clients have yet to be told.
//!
//! The host is done with such a session; the rest of the outbox and the close packet are still to be sent. They go out
//! on the transport that the client listens on. That is polling until the client has been sent `3probe`. From then on
//! it may have stopped polling, so the shard waits for the upgrade and closes the WebSocket behind the outbox. As in
//! engine.io, whichever comes first is used: a further poll, or the end of the upgrade.

use std::time::Duration;

use crate::engine::transport::Transport;
use crate::shard::conn::close::CloseStyle;
use crate::shard::conn::session::engine_packet;
use crate::shard::state::State;
use crate::shard::wheel::Timer;
use crate::types::ids::ConnKey;

/// How long a client may take to fetch the last packets of its session.
const LAST_PACKETS: Duration = Duration::from_secs(10);

impl State {
    /// Begins the end of a polling session that the server has closed.
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

    /// Answers the poll of a session that has ended: with the outbox, else with the close packet. The close packet goes
    /// out alone: clients handle messages a tick after the payload, and drop them if they read a close packet before.
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
        // A shutdown does not wait for the poll that fetches the close packet; it may never come.
        let awaited = conn.probe.is_some() || !conn.outbox.is_empty();
        let answer = self.answer_with(get, protocol, &frames);
        if !awaited {
            self.awaited.remove(&key);
        }
        if let Some(Transport::Polling(polling)) = self.conn(key).map(|conn| &mut conn.transport) {
            polling.answer = answer;
        }
    }

    /// Drops a session whose client has not fetched its last packets in [`LAST_PACKETS`].
    pub(in crate::shard) fn last_packets_late(&mut self, key: ConnKey) {
        if self.conn(key).is_some_and(|conn| conn.ending) {
            self.drop_conn(key, CloseStyle::Close);
        }
    }
}
