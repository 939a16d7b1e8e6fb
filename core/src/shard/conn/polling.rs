//! Long-polling: a GET waits for packets, a POST brings some.

use std::borrow::Cow;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderValue};
use kraken_ws_codec::payload::{self, Packet};
use kraken_ws_codec::sid::Id;
use tokio::sync::oneshot;

use crate::engine::budget::Charge;
use crate::engine::outbox::{Shared, Waiting};
use crate::engine::response;
use crate::engine::transport::{PollShape, PollWaiter, PostWaiter, Transport};
use crate::net::http::Answer;
use crate::shard::conn::Conn;
use crate::shard::conn::close::CloseStyle;
use crate::shard::state::State;
use crate::shared::command::PostEnd;
use crate::types::ids::ConnKey;
use crate::types::reason::{Reason, Refusal};

/// Answers below this size are not counted in the outbox total: they fit the kernel's buffer.
const LARGE_ANSWER: usize = 64 << 10;

/// The body of an answer that counts in the outbox total until it is written.
struct UnderWay {
    body: Vec<u8>,
    _charge: Charge,
    _whole: Arc<()>,
}

impl AsRef<[u8]> for UnderWay {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl State {
    /// An answer 400 with an empty body.
    pub(in crate::shard) fn bad_request(&self, shape: &PollShape) -> Answer {
        response::answer(400, "", Bytes::new(), &shape.headers)
    }

    /// Handles a poll.
    pub(in crate::shard) fn poll(&mut self, sid: Id, shape: PollShape, reply: oneshot::Sender<Answer>) {
        let waiter = PollWaiter { reply, shape };
        let Some(key) = self.by_sid(sid) else {
            let _ = waiter.reply.send(response::refusal(Refusal::UnknownSid, None, &waiter.shape.headers));
            return;
        };
        let conn = &mut self.conns[key.slot];
        let Transport::Polling(polling) = &mut conn.transport else {
            let _ = waiter.reply.send(response::refusal(Refusal::BadRequest, None, &waiter.shape.headers));
            return;
        };
        if polling.get.is_some() {
            let answer = self.bad_request(&waiter.shape);
            let _ = waiter.reply.send(answer);
            return self.close_conn(key, Reason::TransportError, "overlap from client", CloseStyle::None);
        }
        polling.get = Some(PollWaiter { shape: PollShape { b64: polling.b64, ..waiter.shape }, ..waiter });
        if conn.ending {
            self.tell_ending(key);
        } else if conn.probe.is_probed() {
            self.release_poll(key);
        } else if !conn.outbox.is_empty() {
            self.answer_poll(key);
        }
    }

    /// Closes the session whose waiting poll lost its connection.
    pub(in crate::shard) fn poll_aborted(&mut self, sid: Id) {
        let Some(key) = self.by_sid(sid) else { return };
        let conn = &mut self.conns[key.slot];
        let gone = matches!(&conn.transport, Transport::Polling(p) if p.get.as_ref().is_none_or(|g| g.reply.is_closed()));
        if gone {
            self.close_conn(
                key,
                Reason::TransportError,
                "poll connection closed prematurely",
                CloseStyle::None,
            );
        }
    }

    /// Answers the waiting poll, if there is one, from the outbox.
    pub(in crate::shard) fn answer_poll(&mut self, key: ConnKey) {
        let limit = self.core.options.max_outbox_bytes;
        let Some(conn) = self.conn(key) else { return };
        let Transport::Polling(polling) = &mut conn.transport else { return };
        let Some(get) = polling.get.take() else { return };
        if get.reply.is_closed() {
            return self.close_conn(
                key,
                Reason::TransportError,
                "poll connection closed prematurely",
                CloseStyle::None,
            );
        }
        let protocol = conn.protocol;
        let before = conn.outbox.left();
        // A large outbox goes out in several answers: each further poll shows that the client takes what it is sent.
        let frames = conn.outbox.take_some(limit);
        conn.took(before);
        let answer = self.answer_with(get, protocol, &frames);
        let Some(conn) = self.conn(key) else { return };
        if let Transport::Polling(polling) = &mut conn.transport {
            polling.answer = answer;
        }
        if !conn.outbox.is_empty() {
            self.fell_behind(key, Waiting::All);
        }
        self.raw_flushed(key);
    }

    /// Answers a poll with these packets. The `Weak` of a large answer is alive until the client has taken the answer.
    pub(in crate::shard) fn answer_with(
        &self,
        get: PollWaiter,
        protocol: u8,
        packets: &[Shared],
    ) -> Weak<()> {
        let mut alive = Weak::new();
        let weigh = |body: Vec<u8>| {
            if body.len() < LARGE_ANSWER {
                return Bytes::from(body);
            }
            let whole = Arc::new(());
            alive = Arc::downgrade(&whole);
            let _charge = self.core.outboxes.charge(body.len());
            Bytes::from_owner(UnderWay { body, _charge, _whole: whole })
        };
        let answer = response::payload(&self.core.options, &get.shape, protocol, packets, weigh);
        let _ = get.reply.send(answer);
        alive
    }

    /// Handles the head of a POST; its body follows with [`State::post`].
    pub(in crate::shard) fn post_begin(
        &mut self,
        sid: Id,
        binary: bool,
        shape: PollShape,
        reply: oneshot::Sender<Answer>,
    ) {
        let Some(key) = self.by_sid(sid) else {
            let _ = reply.send(response::refusal(Refusal::UnknownSid, None, &shape.headers));
            return;
        };
        let conn = &mut self.conns[key.slot];
        let protocol = conn.protocol;
        let Transport::Polling(polling) = &mut conn.transport else {
            let _ = reply.send(response::refusal(Refusal::BadRequest, None, &shape.headers));
            return;
        };
        let wrong = if polling.post.is_some() {
            Some("data request overlap from client")
        } else if binary && protocol == 4 {
            Some("invalid content")
        } else {
            None
        };
        if let Some(detail) = wrong {
            let answer = self.bad_request(&shape);
            let _ = reply.send(answer);
            return self.close_conn(key, Reason::TransportError, detail, CloseStyle::None);
        }
        polling.post = Some(PostWaiter { reply, shape, held: None });
    }

    /// Ends a POST without packets.
    pub(in crate::shard) fn post_ended(&mut self, sid: Id, end: PostEnd) {
        let gone = end == PostEnd::Gone;
        let Some(key) = self.by_sid(sid) else { return };
        if let Transport::Polling(polling) = &mut self.conns[key.slot].transport {
            let under_way =
                polling.post.as_ref().is_some_and(|p| !gone || p.reply.is_closed() || p.held.is_none());
            if under_way {
                polling.post = None;
                if gone {
                    let detail = "data request connection closed prematurely";
                    self.close_conn(key, Reason::TransportError, detail, CloseStyle::None);
                }
            }
        }
    }

    /// Handles the body of a POST, which is within `maxHttpBufferSize`.
    pub(in crate::shard) fn post(&mut self, sid: Id, body: &[u8], binary: bool) {
        let Some(key) = self.by_sid(sid) else { return };
        let conn = &mut self.conns[key.slot];
        let (protocol, ended) = (conn.protocol, conn.ending);
        let Transport::Polling(polling) = &mut conn.transport else { return };
        // The POST is taken out first: a session that its packets end does not answer it too.
        let Some(mut post) = polling.post.take() else { return };
        let jsonp = post.shape.jsonp.is_some();
        self.stats().bytes_in.add(body.len());
        let unwrapped = jsonp.then(|| unwrap_jsonp(body));
        let body = unwrapped.as_deref().unwrap_or(body);
        let mut on = |packet: Packet<'_>| {
            match (self.live(key).is_some(), packet) {
                (true, Packet::Text(text)) => self.on_packet(key, text),
                (true, Packet::Binary(bytes)) => self.on_binary(key, &bytes),
                // Packets after the end of the session are dropped. A close packet shows that the client need not be
                // told of the end.
                (false, Packet::Text("1")) if ended => {
                    self.close_conn(key, Reason::TransportClose, "", CloseStyle::Release);
                }
                _ => return ended && self.conn(key).is_some(),
            }
            true
        };
        let result = if protocol == 4 {
            payload::decode_v4(body, &mut on)
        } else {
            payload::decode_v3(body, binary, &mut on)
        };
        if let Err(error) = result {
            tracing::debug!(%error, "bad polling payload");
            self.close_conn(key, Reason::ParseError, "bad polling payload", CloseStyle::None);
        }
        let answer = post_taken(&post.shape);
        match self.conn(key) {
            // Back-pressure on polling: the client sends no further POST before this one is answered.
            Some(Conn { pace, transport: Transport::Polling(polling), .. }) if pace.is_paused() => {
                post.held = Some(answer);
                polling.post = Some(post);
            }
            _ => {
                let _ = post.reply.send(answer);
            }
        }
    }

    /// Transport and protocol of a session, for a request that names it.
    pub(in crate::shard) fn lookup(&mut self, sid: Id) -> Option<(&'static str, u8)> {
        let key = self.by_sid(sid)?;
        let conn = &self.conns[key.slot];
        let transport = match conn.transport {
            Transport::Polling(_) => "polling",
            Transport::WebSocket(_) => "websocket",
        };
        Some((transport, conn.protocol))
    }
}

/// The answer to a POST whose packets were taken.
pub(in crate::shard) fn post_taken(shape: &PollShape) -> Answer {
    let mut answer = response::answer(200, "text/html", "ok", &shape.headers);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// The `d` field of a JSONP form, with its escaped line ends (engine.io's polling-jsonp).
fn unwrap_jsonp(body: &[u8]) -> Vec<u8> {
    let plain =
        form_urlencoded::parse(body).find(|(name, _)| name == "d").map_or_else(Cow::default, |(_, d)| d);
    // `\\n` stands for an escaped backslash and n, `\n` for a line end that a form would have changed.
    plain.replace("\\\\n", "\u{0}").replace("\\n", "\n").replace('\u{0}', "\\n").into_bytes()
}
