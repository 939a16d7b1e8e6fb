//! How connections end.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use kraken_ws_codec::ws;

use crate::engine::frame::{Form, Frame};
use crate::engine::outbox::{Flushed, Outbox};
use crate::engine::transport::{ReaderState, Transport, WsTransport};
use crate::net::stream::WriteHalf;
use crate::options::Hooks;
use crate::shard::Shard;
use crate::shard::conn::{polling, session};
use crate::shard::state::State;
use crate::shared::event::Event;
use crate::types::ids::{ConnKey, ConnSlot};
use crate::types::reason::{Polling, Reason};

/// Longest time for writing the last frames of a connection.
const GOODBYE: Duration = Duration::from_secs(5);

/// A close frame without a code.
const EMPTY_CLOSE: [u8; 2] = [0x88, 0];

/// What the peer is sent when its connection closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::shard) enum CloseStyle {
    /// The peer is gone: nothing is sent.
    None,
    /// The client closed with a packet: a poll that waits is answered with a noop packet.
    Release,
    /// The peer was silent: it is sent a close all the same, as it may be alive.
    Timeout,
    /// The outbox, then a close frame without a code, as engine.io sends it; on polling, the close packet.
    Close,
    /// As [`CloseStyle::Close`], with a code that says what the peer did wrong.
    Ws(u16),
    /// The answer to the peer's close frame is in the outbox already.
    Said,
    /// A reset: the peer does not read, and its outbox is to be freed at once.
    Reset,
}

impl State {
    /// Ends a session: its sockets are removed, the host is told, and the transport closes.
    pub(in crate::shard) fn close_conn(
        &mut self,
        key: ConnKey,
        reason: Reason,
        detail: &'static str,
        style: CloseStyle,
    ) {
        match self.conn(key) {
            None => return,
            // The session has ended already; its client is gone, or broke a rule, before it had the last packets.
            Some(conn) if conn.ending => return self.drop_conn(key, style),
            Some(_) => {}
        }
        for slot in self.sockets_of(key) {
            self.remove_socket(slot, reason, detail);
        }
        if self.core.hooks.has(Hooks::CONNECTIONS) || self.conns[key.slot].watched() {
            let conn = self.conn_id(key);
            self.event(Event::ConnectionClosed { conn, reason, detail });
        }
        self.stats().connections.sub(1);
        self.forget_paused(key);
        // On polling the client is told only if the server ended the session; after a broken rule the session is just
        // gone.
        let told = reason.polling() == Polling::Told;
        match (&self.conns[key.slot].transport, style) {
            (Transport::Polling(_), CloseStyle::Close | CloseStyle::Ws(_)) if told => self.begin_ending(key),
            _ => self.drop_conn(key, style),
        }
    }

    /// Removes a session, and closes its transport and its probe.
    pub(in crate::shard) fn drop_conn(&mut self, key: ConnKey, style: CloseStyle) {
        let threshold = self.core.options.per_message_deflate.map(|c| c.threshold);
        let mut conn = self.conns.remove(key.slot);
        self.sids.remove(&conn.sid);
        if let Some(alias) = &conn.alias {
            self.core.aliases.remove(alias);
        }
        self.awaited.remove(&key);
        self.sweep_timers();
        let form = conn.form(threshold);
        if let Some(probe) = conn.probe.take() {
            let ws = probe.ws;
            self.end_websocket(
                ws,
                (Outbox::default(), form),
                if matches!(style, CloseStyle::None | CloseStyle::Said) { CloseStyle::Close } else { style },
            );
        }
        match conn.transport {
            Transport::WebSocket(ws) => {
                // The outbox is written even after the peer's close frame: the rest of a half-written frame must go
                // out, or the peer would read our close frame as its payload.
                self.end_websocket(ws, (conn.outbox, form), style);
            }
            Transport::Polling(mut polling) => {
                if let Some(post) = polling.post.take() {
                    let answer = match post.held {
                        Some(held) => held,
                        None if conn.ending => polling::post_taken(&post.shape),
                        None => self.bad_request(&post.shape),
                    };
                    let _ = post.reply.send(answer);
                }
                let Some(get) = polling.get.take() else { return };
                // A waiting poll is told of the end in any case; a later poll only if the server ended the session.
                let last = if style == CloseStyle::Release { "6" } else { "1" };
                self.answer_with(get, conn.protocol, &[session::engine_packet(last)]);
            }
        }
    }

    /// Ends a WebSocket: writes the outbox and the close frame, then closes our direction.
    pub(in crate::shard) fn end_websocket(
        &mut self,
        ws: WsTransport,
        waiting: (Outbox, Form),
        style: CloseStyle,
    ) {
        self.stats().wires.sub(1);
        let mut write = ws.write;
        let close = match style {
            CloseStyle::None => return ws.ctl.set(ReaderState::Stop),
            CloseStyle::Reset => {
                write.reset_on_close();
                return ws.ctl.set(ReaderState::Stop);
            }
            CloseStyle::Close | CloseStyle::Timeout | CloseStyle::Release => {
                Some(Bytes::from_static(&EMPTY_CLOSE))
            }
            CloseStyle::Ws(code) => Some(ws::close_frame(code, "")),
            CloseStyle::Said => None,
        };
        ws.ctl.set(ReaderState::Drain);
        let (mut outbox, form) = waiting;
        if let Some(close) = close {
            outbox.push(Rc::new(Arc::new(Frame::control(close))));
        }
        let shutdown = !ws.blocked
            && matches!(outbox.flush(&mut write, form, None), Ok(Flushed::All))
            && write.poll_shutdown(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready();
        if !shutdown {
            crate::shard::spawn(self.shard(), say_goodbye(self.shard(), write, outbox, form));
        }
    }

    /// Shuts the shard down: its listeners stop and its connections close.
    pub(in crate::shard) fn shutdown(&mut self) {
        self.closing = true;
        for task in self.accepting.drain(..) {
            task.abort();
        }
        let keys: Vec<ConnSlot> = self.conns.iter().map(|(slot, _)| slot).collect();
        for slot in keys {
            let key = self.key(slot);
            if self.conns[slot].ending {
                continue;
            }
            self.close_conn(key, Reason::ServerShuttingDown, "", CloseStyle::Close);
        }
    }
}

/// Writes the last frames of a connection whose kernel buffer was full.
async fn say_goodbye(shard: Rc<Shard>, mut write: WriteHalf, mut outbox: Outbox, form: Form) {
    let _hold = shard.hold();
    let all = poll_fn(|cx| match outbox.flush(&mut write, form, Some(cx)) {
        Ok(Flushed::All) => write.poll_shutdown(cx).map(|_| ()),
        Ok(Flushed::Blocked) => Poll::Pending,
        Err(_) => Poll::Ready(()),
    });
    let _ = tokio::time::timeout(GOODBYE, all).await;
}
