//! From long-polling to WebSocket (Engine.IO protocol v4, "Upgrade"). A probe that fails leaves the
//! polling session as it was.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use kraken_ws_codec::sid::Id;
use kraken_ws_codec::ws::{self, Incoming};

use crate::engine::frame::{Form, Frame};
use crate::engine::outbox::{Flushed, Outbox, Shared};
use crate::engine::transport::{Agreed, Probe, ReaderCtl, ReaderState, Transport, WsTransport};
use crate::net::stream::Stream;
use crate::shard::Shard;
use crate::shard::conn::close::CloseStyle;
use crate::shard::conn::reader::{Reader, read_loop};
use crate::shard::conn::session::{close_echo, engine_packet};
use crate::shard::state::State;
use crate::shard::wheel::Timer;
use crate::shared::event::Event;
use crate::types::ids::ConnKey;

/// Probes are never compressed, and nothing binary is sent on them.
const PLAIN: Form = Form { v3: false, base64: false, deflate: None };

async fn drain_probe(shard: Rc<Shard>, key: ConnKey, number: u32) {
    poll_fn(|cx| shard.with(|state| state.poll_probe(key, number, cx))).await;
}

/// The probe of a connection, if it has one.
#[derive(Default)]
pub(in crate::shard) struct ProbeSlot {
    probe: Option<Box<Probe>>,
    /// Probes that the connection has had; it is the number of the newest.
    count: u32,
}

impl ProbeSlot {
    /// Begins a probe and returns its number.
    fn begin(&mut self, ws: WsTransport) -> u32 {
        self.count += 1;
        let probe = Probe { ws, probed: false, number: self.count, outbox: Outbox::default() };
        self.probe = Some(Box::new(probe));
        self.count
    }

    fn is(&self, number: u32) -> bool {
        self.probe.as_ref().is_some_and(|probe| probe.number == number)
    }

    pub(in crate::shard) fn is_some(&self) -> bool {
        self.probe.is_some()
    }

    /// The client has been answered `3probe`: it may have stopped polling.
    pub(in crate::shard) fn is_probed(&self) -> bool {
        self.probe.as_ref().is_some_and(|probe| probe.probed)
    }

    pub(in crate::shard) fn take(&mut self) -> Option<Box<Probe>> {
        self.probe.take()
    }

    pub(in crate::shard) fn ws(&self) -> Option<&WsTransport> {
        self.probe.as_ref().map(|probe| &probe.ws)
    }
}

impl State {
    /// Makes a WebSocket the probe of a session, if the session is polling and has no probe.
    pub(in crate::shard) fn probe(&mut self, sid: Id, stream: Stream, rest: Bytes, agreed: Agreed) {
        let (prefix, read, write) = stream.split();
        let ctl = ReaderCtl::new();
        let ws = WsTransport { write, ctl: ctl.clone(), agreed, blocked: false };
        self.stats().wires.add(1);
        let key = self.by_sid(sid).filter(|key| {
            let conn = &self.conns[key.slot];
            !conn.probe.is_some() && !conn.ending && matches!(conn.transport, Transport::Polling(_))
        });
        let Some(key) = key else {
            return self.end_websocket(ws, (Outbox::default(), PLAIN), CloseStyle::Close);
        };
        let conn = &mut self.conns[key.slot];
        let number = conn.probe.begin(ws);
        let tick = self.wheel.tick_after(self.core.options.upgrade_timeout);
        self.wheel.insert(tick, Timer::Upgrade(key, number));
        let rest = [&rest[..], &prefix[..]].concat();
        let shard = self.shard();
        tokio::task::spawn_local(read_loop(Reader {
            shard,
            key,
            probe: number,
            read,
            ctl,
            deflate: agreed.deflate,
            rest,
        }));
    }

    /// Whether the probe with this number is still in progress.
    pub(in crate::shard) fn is_probe(&mut self, key: ConnKey, number: u32) -> bool {
        self.conn(key).is_some_and(|conn| conn.probe.is(number))
    }

    /// Ends a failed probe; polling goes on.
    pub(in crate::shard) fn drop_probe(&mut self, key: ConnKey, style: CloseStyle) {
        if let Some(probe) = self.conn(key).and_then(|c| c.probe.take()) {
            self.end_websocket(probe.ws, (probe.outbox, PLAIN), style);
        }
    }

    /// Handles a frame on the probing WebSocket.
    pub(in crate::shard) fn on_probe_frame(&mut self, key: ConnKey, incoming: Incoming<'_>) {
        let Some(probe) = self.conn(key).and_then(|conn| conn.probe.probe.as_mut()) else { return };
        match incoming {
            Incoming::Text("2probe") => {
                probe.probed = true;
                self.write_probe(key, engine_packet("3probe"));
                self.release_poll(key);
            }
            // As in engine.io, an upgrade packet counts without a ping probe before it.
            Incoming::Text("5") => self.switch(key),
            Incoming::Ping(payload) => {
                let pong = Frame::control(ws::pong_frame(payload));
                self.write_probe(key, Rc::new(Arc::new(pong)));
            }
            Incoming::Pong(_) => {}
            Incoming::Close { code, reason } => {
                probe.outbox.push(close_echo(code, reason));
                self.drop_probe(key, CloseStyle::Said);
            }
            _ => self.drop_probe(key, CloseStyle::Close),
        }
    }

    /// Sends a frame on the probing WebSocket. Even the first bytes may have to wait: a stream that comes from another
    /// shard can't be written to before its new runtime has polled it once.
    fn write_probe(&mut self, key: ConnKey, frame: Shared) {
        let Some(probe) = self.conn(key).and_then(|conn| conn.probe.probe.as_mut()) else { return };
        probe.outbox.push(frame);
        let number = probe.number;
        if !probe.ws.blocked {
            probe.ws.blocked = true;
            crate::shard::spawn(self.shard(), drain_probe(self.shard(), key, number));
        }
    }

    fn poll_probe(&mut self, key: ConnKey, number: u32, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_probe(key, number) {
            return Poll::Ready(());
        }
        let Some(probe) = self.conn(key).and_then(|conn| conn.probe.probe.as_mut()) else {
            return Poll::Ready(());
        };
        match probe.outbox.flush(&mut probe.ws.write, PLAIN, Some(cx)) {
            Ok(Flushed::Blocked) => Poll::Pending,
            Ok(Flushed::All) => {
                probe.ws.blocked = false;
                Poll::Ready(())
            }
            Err(_) => {
                self.drop_probe(key, CloseStyle::None);
                Poll::Ready(())
            }
        }
    }

    /// Answers a waiting poll during a probe, so that the client can stop polling.
    pub(in crate::shard) fn release_poll(&mut self, key: ConnKey) {
        let Some(conn) = self.conn(key) else { return };
        let waiting = matches!(&conn.transport, Transport::Polling(p) if p.get.is_some());
        if waiting && conn.outbox.is_empty() {
            conn.outbox.push(engine_packet("6"));
        }
        if waiting {
            self.answer_poll(key);
        }
    }

    /// Makes the WebSocket the transport: the client has sent its upgrade packet.
    fn switch(&mut self, key: ConnKey) {
        self.release_poll(key);
        let Some(conn) = self.conn(key) else { return };
        let Some(mut probe) = conn.probe.take() else { return };
        // Frames that `drain_probe` had still to write (a pong at most) are dropped with it.
        probe.ws.blocked = false;
        let ending = conn.ending;
        let old = std::mem::replace(&mut conn.transport, Transport::WebSocket(probe.ws));
        let has_work = !conn.outbox.is_empty();
        if let Transport::WebSocket(ws) = &conn.transport
            && conn.pace.is_paused()
        {
            ws.ctl.set(ReaderState::Paused);
        }
        if let Transport::Polling(polling) = old
            && let Some(post) = polling.post
        {
            post.answer();
        }
        if ending {
            return self.drop_conn(key, CloseStyle::Close);
        }
        if has_work {
            self.mark_dirty(key);
        }
        let conn = self.conn_id(key);
        self.event(Event::Upgraded { conn });
    }
}
