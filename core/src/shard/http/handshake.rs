//! Handshakes: the request that opens a session, by polling or WebSocket.

use std::rc::Rc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{self, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use kraken_ws_codec::sid::Id;
use kraken_ws_codec::{deflate, ws};
use tokio::sync::oneshot;

use crate::engine::transport::Agreed;
use crate::engine::verify::Transport;
use crate::engine::{response, verify as rules};
use crate::net::activity::Watched;
use crate::net::http::Answer;
use crate::net::stream::Stream;
use crate::shard::Shard;
use crate::shard::http::exchange::{Exchange, gone};
use crate::shared::event::Event;
use crate::shared::gate::Opening;
use crate::shared::reply::Decision;
use crate::types::reason::Refusal;

impl Exchange {
    /// Opens a new session.
    pub(super) async fn handshake(mut self, transport: Transport, upgrade: Option<OnUpgrade>) -> Answer {
        let options = &self.shard.core.options;
        if &*self.request.method != "GET" {
            let method = self.request.method.to_string();
            return self.refuse(Refusal::BadHandshakeMethod, None, vec![("method", method)]);
        }
        let upgrade = upgrade.filter(|_| rules::is_upgrade(&self.request));
        if (transport == Transport::WebSocket) != upgrade.is_some() {
            return self.refuse(
                Refusal::BadRequest,
                None,
                vec![("name", "TRANSPORT_HANDSHAKE_ERROR".into())],
            );
        }
        if let Err(refusal) = rules::protocol(options, &self.query) {
            let protocol = self.request.protocol.to_string();
            return self.refuse(refusal, None, vec![("protocol", protocol)]);
        }
        let sid = self.shard.state.borrow().fresh_sid();
        let (mut alias, mut given) = (None, Vec::new());
        if let Opening::Ask(question, answer) = self.shard.core.gate().handshake(&self.request, sid.as_str())
        {
            match self.ask(question, answer).await {
                Decision::Fail => return self.refusal(Refusal::BadRequest, None),
                Decision::Refuse(message) => {
                    let context = vec![("message", message.clone())];
                    return self.refuse(Refusal::Forbidden, Some(&message), context);
                }
                Decision::Allow { headers, sid: None } => given = headers,
                Decision::Allow { headers, sid: Some(chosen) } => {
                    if chosen.is_empty() || !self.shard.core.aliases.add(&chosen, sid) {
                        return self.refuse(Refusal::BadRequest, None, vec![("name", "SID_IN_USE".into())]);
                    }
                    alias = Some(Alias { name: chosen.into(), shard: self.shard.clone(), used: false });
                    given = headers;
                }
            }
        }
        if self.shard.core.is_closing() {
            return response::answer(503, "", Bytes::new(), &self.headers);
        }
        // As in engine.io, the cookie is set before the host's headers, and on polling only.
        if let Some(cookie) = self.shard.core.options.cookie.as_ref().filter(|_| upgrade.is_none()) {
            let known = alias.as_ref().map_or(sid.as_str(), |a| &*a.name);
            let value = format!("{}={}{}", cookie.name, known, cookie.attributes);
            if let Ok(value) = HeaderValue::from_str(&value) {
                self.headers.append(header::SET_COOKIE, value);
            }
        }
        response::add_headers(&mut self.headers, &given);
        match upgrade {
            Some(upgrade) => self.open_websocket(sid, alias, upgrade),
            None => {
                let (reply, answer) = oneshot::channel();
                let shape = self.shape();
                self.shard.with(|s| {
                    s.open_polling((sid, alias.map(Alias::take)), self.query.b64, self.request.clone());
                    s.poll(sid, shape, reply);
                });
                answer.await.unwrap_or_else(|_| gone())
            }
        }
    }

    /// Asks the host whether a handshake is allowed. A host that drops the reply has not allowed it.
    async fn ask(&self, question: Event, answer: oneshot::Receiver<Decision>) -> Decision {
        self.shard.with(|s| s.event(question));
        answer.await.unwrap_or_else(|_| Decision::refuse(Refusal::Forbidden.message()))
    }

    /// The answer 101 for a WebSocket; an error is the answer to a handshake that breaks RFC 6455.
    pub(super) fn switching(&self) -> Result<(Answer, Agreed), Box<Answer>> {
        let handshake = rules::websocket(&self.request).map_err(|what| {
            let mut headers = HeaderMap::new();
            if what == rules::BAD_VERSION {
                headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13, 8"));
            }
            Box::new(response::answer(400, "text/html", what, &headers))
        })?;
        let extensions = self
            .shard
            .core
            .options
            .per_message_deflate
            .and(handshake.extensions.as_deref())
            .and_then(deflate::negotiate);
        let mut answer = response::answer(101, "", Bytes::new(), &self.headers);
        let headers = answer.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        if let Ok(accept) = HeaderValue::try_from(ws::accept_key(handshake.key)) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        if let Some(Ok(protocol)) = handshake.protocol.map(HeaderValue::try_from) {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        if let Some(Ok(value)) = extensions.as_ref().map(HeaderValue::try_from) {
            headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, value);
        }
        Ok((answer, Agreed { deflate: extensions.is_some(), base64: self.query.b64 }))
    }

    fn open_websocket(self, sid: Id, alias: Option<Alias>, upgrade: OnUpgrade) -> Answer {
        let (answer, agreed) = match self.switching() {
            Ok(pair) => pair,
            Err(answer) => return *answer,
        };
        crate::shard::spawn(self.shard.clone(), async move {
            if let Some((stream, rest)) = upgraded(upgrade).await {
                let request = self.request.clone();
                self.shard.with(|s| {
                    if !s.closing {
                        s.open_websocket(stream, rest, agreed, (sid, alias.map(Alias::take)), request);
                    }
                });
            }
        });
        answer
    }
}

/// A session id that the host chose. Unless a session takes it over, it is freed on drop.
struct Alias {
    name: Box<str>,
    shard: Rc<Shard>,
    used: bool,
}

impl Alias {
    fn take(mut self) -> Box<str> {
        self.used = true;
        std::mem::take(&mut self.name)
    }
}

impl Drop for Alias {
    fn drop(&mut self) {
        if !self.used {
            self.shard.core.aliases.remove(&self.name);
        }
    }
}

/// The stream behind a finished upgrade, with the bytes that were read ahead of it.
pub(super) async fn upgraded(upgrade: OnUpgrade) -> Option<(Stream, Bytes)> {
    let parts = upgrade.await.ok()?.downcast::<TokioIo<Watched>>().ok()?;
    Some((parts.io.into_inner().into_stream(), parts.read_buf))
}
