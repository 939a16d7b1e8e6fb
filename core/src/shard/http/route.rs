//! Routes of the HTTP side: handshakes, polls, upgrades, and what belongs to the host.

use std::borrow::Cow;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

use crate::engine::query::{self, Query};
use crate::engine::sid::Id;
use crate::engine::transport::{Agreed, PollShape};
use crate::engine::verify::Transport;
use crate::engine::{deflate, response, verify as rules, ws};
use crate::net::activity::Watched;
use crate::net::http::Answer;
use crate::net::stream::{Peer, Stream};
use crate::options::{Cors, Hooks, Options, Origin};
use crate::shard::http::busy::busy;
use crate::shard::{SHARD, Shard};
use crate::shared::command::{Command, PassedIn};
use crate::shared::event::Event;
use crate::shared::reply::{CorsReply, Decision, EngineReply, Reply};
use crate::types::headers::Headers;
use crate::types::reason::Refusal;
use crate::types::request::RequestInfo;

/// Where a request's body comes from.
enum Body {
    Stream(Incoming),
    Ready(Bytes),
}

/// One request on its way through the routes.
struct Exchange {
    shard: Rc<Shard>,
    request: Arc<RequestInfo>,
    query: Query,
    /// CORS headers, and later what the host adds.
    headers: HeaderMap,
}

/// Answers a request that came over a connection of ours.
pub(in crate::shard) async fn answer(
    shard: Rc<Shard>,
    mut request: Request<Incoming>,
    peer: Rc<Peer>,
) -> Answer {
    let upgrade = request.headers().contains_key(header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let headers: Headers = parts.headers.iter().map(|(name, value)| (name.as_str(), latin1(value))).collect();
    let info = RequestInfo {
        method: parts.method.as_str().into(),
        url: parts.uri.path_and_query().map_or("/", |p| p.as_str()).into(),
        headers,
        address: peer.address.as_str().into(),
        port: peer.port,
        secure: peer.secure,
        tag: peer.tag,
        ..RequestInfo::default()
    };
    let refused_upgrade = upgrade.is_some();
    let routed = pin!(route(shard.clone(), info, Body::Stream(body), upgrade, !peer.introduced));
    let mut answer = shard.panics().catch_in(SHARD, routed).await.unwrap_or_else(failed);
    if refused_upgrade && answer.status() != http::StatusCode::SWITCHING_PROTOCOLS {
        // The client meant to leave HTTP; nothing more is expected on this connection.
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// Bytes beyond ASCII are Latin-1, as Node reads them.
fn latin1(value: &HeaderValue) -> Cow<'_, str> {
    match value.to_str() {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => value.as_bytes().iter().map(|b| char::from(*b)).collect(),
    }
}

/// Answers a request that another server passed in.
pub(in crate::shard) async fn passed_in(shard: Rc<Shard>, passed: PassedIn) {
    let PassedIn { request, body, reply, cancelled, hold: _hold } = passed;
    let cancelled = async {
        // Dropping the other end is no cancellation.
        if cancelled.await.is_err() {
            std::future::pending().await
        }
    };
    // The route first: it must have begun, or there is nobody to hear of the end.
    let routed = pin!(route(shard.clone(), request, Body::Ready(body), None, false));
    tokio::select! {
        biased;
        answer = shard.panics().catch_in(SHARD, routed) => {
            // What the request caused must be with the host before its answer is.
            shard.panics().catch(SHARD, || shard.with(crate::shard::state::State::hand_over_events));
            shard.panics().catch("the host's reply", || reply(answer.unwrap_or_else(failed)));
        }
        () = cancelled => {}
    }
}

/// `first`: no other server had the request before us.
async fn route(
    shard: Rc<Shard>,
    mut info: RequestInfo,
    body: Body,
    upgrade: Option<OnUpgrade>,
    first: bool,
) -> Answer {
    let _hold = shard.hold();
    let options = &shard.core.options;
    let full = shard.state.borrow().is_host_full();
    if full && let Some(answer) = busy(&shard, &info).await {
        return answer;
    }
    info.issued = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
    if !rules::is_engine_path(options, &info.url) {
        return elsewhere(&shard, info, body, HeaderMap::new(), shard.core.hooks.has(Hooks::HTTP)).await;
    }
    let mut headers = HeaderMap::new();
    let cors = match shard.core.hooks.has(Hooks::CORS) {
        true => match ask_cors(&shard, &info, &headers).await {
            Ok(cors) => cors.map(Cow::Owned),
            Err(answer) => return *answer,
        },
        false => options.cors.as_deref().map(Cow::Borrowed),
    };
    if let Some(cors) = cors.as_deref().filter(|cors| !matches!(cors.origin, Origin::None)) {
        let origin = info.header("origin");
        if &*info.method == "OPTIONS" {
            cors.apply_preflight(
                origin,
                info.headers.list("access-control-request-headers").as_deref(),
                &mut headers,
            );
            if !cors.preflight_continue {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
                return response::answer(cors.success_status, "", Bytes::new(), &headers);
            }
        } else {
            cors.apply(origin, &mut headers);
        }
    }
    if shard.core.hooks.has(Hooks::FILES) && rules::is_client_file(options, &info.url) {
        return elsewhere(&shard, info, body, headers, true).await;
    }
    if first
        && shard.core.hooks.has(Hooks::ENGINE)
        && let Err(answer) = middleware(&shard, &mut info, &mut headers).await
    {
        return *answer;
    }
    let query = query::parse(info.url.split_once('?').map_or("", |(_, q)| q));
    let transport = match rules::transport(options, &query) {
        Ok(transport) => transport,
        Err(refusal) => {
            let request = Arc::new(info);
            let exchange = Exchange { shard: shard.clone(), request, query, headers };
            let context = exchange.query.transport.clone().map(|t| ("transport", t)).into_iter().collect();
            return exchange.refuse(refusal, None, context);
        }
    };
    info.transport = if transport == Transport::WebSocket { "websocket" } else { "polling" };
    info.protocol = if query.eio.as_deref() == Some("4") { 4 } else { 3 };
    let exchange = Exchange { shard: shard.clone(), request: Arc::new(info), query, headers };
    // An empty one is none.
    match exchange.query.sid.clone().filter(|sid| !sid.is_empty()) {
        Some(sid) => exchange.existing(&sid, transport, body, upgrade).await,
        None => exchange.handshake(transport, upgrade).await,
    }
}

/// The host's word on the cross-origin rules for a request.
async fn ask_cors(
    shard: &Rc<Shard>,
    info: &RequestInfo,
    headers: &HeaderMap,
) -> Result<Option<Cors>, Box<Answer>> {
    let (reply, answer) = Reply::channel();
    let request = Arc::new(info.clone());
    shard.with(|s| s.event(Event::Cors { request: request.clone(), reply }));
    match answer.await {
        Ok(CorsReply::Rules(rules)) => Ok(rules.map(|rules| *rules)),
        Ok(CorsReply::Refuse) | Err(_) => Err(Box::new(middleware_failed(shard, request, headers))),
    }
}

/// The answer when a middleware of the host, or what stands for one, failed.
fn middleware_failed(shard: &Rc<Shard>, request: Arc<RequestInfo>, headers: &HeaderMap) -> Answer {
    let context = vec![("name", "MIDDLEWARE_FAILURE".to_owned())];
    let refusal = Refusal::BadRequest;
    let upgrade = rules::is_upgrade(&request);
    shard.with(|s| s.connection_error(request, refusal, context));
    match upgrade {
        true => response::answer(refusal.http_status(), "text/html", refusal.message(), headers),
        false => response::refusal(refusal, None, headers),
    }
}

/// The host's middleware: adds headers, or answers in our place.
async fn middleware(
    shard: &Rc<Shard>,
    info: &mut RequestInfo,
    headers: &mut HeaderMap,
) -> Result<(), Box<Answer>> {
    let (reply, answer) = Reply::channel();
    let request = Arc::new(info.clone());
    shard.with(|s| s.event(Event::Engine { request: request.clone(), reply }));
    match answer.await {
        Ok(EngineReply::Continue { headers: more, tag }) => {
            info.tag = tag;
            response::add_headers(headers, &more);
            Ok(())
        }
        Ok(EngineReply::Answer(given)) => {
            response::add_headers(headers, &given.headers);
            Err(Box::new(response::answer(given.status, "", given.body, headers)))
        }
        Ok(EngineReply::Refuse) | Err(_) => Err(Box::new(middleware_failed(shard, request, headers))),
    }
}

/// A request that is the host's, if it `asks` for those; `headers` go out with the answer.
async fn elsewhere(
    shard: &Rc<Shard>,
    info: RequestInfo,
    body: Body,
    mut headers: HeaderMap,
    asks: bool,
) -> Answer {
    let none = HeaderMap::new();
    if !asks {
        return response::answer(404, "text/plain; charset=utf-8", "Not found", &none);
    }
    let body = match read(body, &shard.core.options).await {
        Ok(body) => body,
        Err(status) => {
            let mut refused = response::answer(status, "", Bytes::new(), &none);
            refused.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return refused;
        }
    };
    let (reply, answer) = Reply::channel();
    let request = Arc::new(info);
    shard.with(|s| s.event(Event::Http { request, body, reply }));
    match answer.await {
        Ok(given) => {
            response::add_headers(&mut headers, &given.headers);
            response::answer(given.status, "", given.body, &headers)
        }
        Err(_) => response::answer(404, "text/plain; charset=utf-8", "Not found", &none),
    }
}

/// Reads a body within its limits; the error is the status to answer with.
async fn read(body: Body, options: &Options) -> Result<Bytes, u16> {
    let limit = options.max_http_buffer_size;
    match body {
        Body::Ready(bytes) if bytes.len() > limit => Err(413),
        Body::Ready(bytes) => Ok(bytes),
        Body::Stream(body) => {
            let all = Limited::new(body, limit).collect();
            match tokio::time::timeout(options.request_timeout, all).await {
                Ok(Ok(body)) => Ok(body.to_bytes()),
                Ok(Err(e)) if e.is::<http_body_util::LengthLimitError>() => Err(413),
                Ok(Err(_)) => Err(400),
                Err(_) => Err(408),
            }
        }
    }
}

impl Exchange {
    /// Refuses with engine.io's code, and tells the host.
    fn refuse(
        &self,
        refusal: Refusal,
        message: Option<&str>,
        context: Vec<(&'static str, String)>,
    ) -> Answer {
        let request = self.request.clone();
        self.shard.with(|s| s.connection_error(request, refusal, context));
        self.refusal(refusal, message)
    }

    fn refusal(&self, refusal: Refusal, message: Option<&str>) -> Answer {
        if rules::is_upgrade(&self.request) {
            // engine.io answers a refused upgrade with the bare message and closes.
            let mut headers = self.headers.clone();
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            let message = message.unwrap_or(refusal.message()).to_owned();
            return response::answer(refusal.http_status(), "text/html", message, &headers);
        }
        response::refusal(refusal, message, &self.headers)
    }

    fn shape(&self) -> PollShape {
        let options = &self.shard.core.options;
        PollShape {
            b64: self.query.b64,
            jsonp: self.query.jsonp.clone(),
            encoding: response::accepted_encoding(
                options,
                self.request.headers.list("accept-encoding").as_deref(),
            ),
            headers: self.headers.clone(),
        }
    }

    /// A new session.
    async fn handshake(mut self, transport: Transport, upgrade: Option<OnUpgrade>) -> Answer {
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
        if self.shard.core.hooks.has(Hooks::ALLOW_REQUEST) {
            let decision = self.ask(sid).await;
            if decision.failed {
                return self.refusal(Refusal::BadRequest, None);
            }
            if let Some(message) = decision.refuse {
                return self.refuse(Refusal::Forbidden, Some(&message), vec![("message", message.clone())]);
            }
            given = decision.headers;
            if let Some(chosen) = decision.sid {
                if chosen.is_empty() || !self.shard.core.aliases.add(&chosen, sid) {
                    return self.refuse(Refusal::BadRequest, None, vec![("name", "SID_IN_USE".into())]);
                }
                alias = Some(Alias { name: chosen.into(), shard: self.shard.clone(), used: false });
            }
        }
        if self.shard.core.is_closing() {
            return response::answer(503, "", Bytes::new(), &self.headers);
        }
        // As engine.io: before what the host adds, and by polling only.
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

    /// The host's word on a handshake. A host that can't answer has not allowed it.
    async fn ask(&self, sid: Id) -> Decision {
        let (reply, answer) = Reply::channel();
        let (request, sid) = (self.request.clone(), sid.as_str().into());
        self.shard.with(|s| s.event(Event::AllowRequest { request, sid, reply }));
        answer.await.unwrap_or_else(|_| Decision {
            refuse: Some(Refusal::Forbidden.message().to_owned()),
            ..Decision::default()
        })
    }

    /// 101 for a WebSocket; `None` if the handshake is not RFC 6455's.
    fn switching(&self) -> Result<(Answer, Agreed), Box<Answer>> {
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

    /// A request that names a session.
    async fn existing(
        mut self,
        sid: &str,
        transport: Transport,
        body: Body,
        upgrade: Option<OnUpgrade>,
    ) -> Answer {
        let core = self.shard.core.clone();
        let unknown = || vec![("sid", sid.chars().take(64).collect::<String>())];
        let id = core.aliases.resolve(sid);
        let owner = id.and_then(|id| Id::shard(id.as_str())).filter(|shard| *shard < core.shards.len());
        let (Some(owner), Some(id)) = (owner, id) else {
            return self.refuse(Refusal::UnknownSid, None, unknown());
        };
        let upgrade = upgrade.filter(|_| rules::is_upgrade(&self.request));
        // From here on: a client that goes away while it polls ends its session. It is declared before the
        // channels, so that they are closed first when all this is dropped.
        let mut watch = self.watch(owner, Command::PollAborted { sid: id });
        let (reply, found) = oneshot::channel();
        core.shards[owner].send(Command::Lookup { sid: id, reply });
        let Ok(Some((current, protocol))) = found.await else {
            watch.command = None;
            return self.refuse(Refusal::UnknownSid, None, unknown());
        };
        let polls = upgrade.is_none() && &*self.request.method == "GET";
        if !polls || protocol != self.request.protocol || current != self.request.transport {
            watch.command = None;
        }
        if upgrade.is_none() && current != self.request.transport {
            let context = vec![
                ("name", "TRANSPORT_MISMATCH".into()),
                ("transport", self.request.transport.into()),
                ("previousTransport", current.into()),
            ];
            return self.refuse(Refusal::BadRequest, None, context);
        }
        if protocol != self.request.protocol {
            let context = vec![
                ("name", "PROTOCOL_MISMATCH".into()),
                ("protocol", self.request.protocol.to_string()),
                ("previousProtocol", protocol.to_string()),
            ];
            return self.refuse(Refusal::BadRequest, None, context);
        }
        if core.hooks.has(Hooks::HEADERS) {
            let (reply, answer) = Reply::channel();
            let request = self.request.clone();
            self.shard.with(|s| s.event(Event::Headers { request, reply }));
            response::add_headers(&mut self.headers, &answer.await.unwrap_or_default());
        }
        if let Some(upgrade) = upgrade {
            return match transport {
                Transport::WebSocket => self.upgrade(id, owner, upgrade),
                Transport::Polling => self.refuse(Refusal::BadRequest, None, Vec::new()),
            };
        }
        match &*self.request.method {
            "GET" => {
                let (reply, answer) = oneshot::channel();
                let shape = self.shape();
                core.shards[owner].send(Command::Poll { sid: id, shape, reply });
                let answer = answer.await.unwrap_or_else(|_| gone());
                watch.command = None;
                answer
            }
            "POST" => self.post(id, owner, body).await,
            _ => {
                // A body that is left unread would reset the connection, and the answer with it.
                let _ = read(body, &core.options).await;
                response::answer(500, "", Bytes::new(), &self.headers)
            }
        }
    }

    /// Packets from a polling client. The session knows of the POST from its head on: a second one at the
    /// same time breaks the rules, and a session that ends takes the POST along.
    async fn post(mut self, sid: Id, owner: usize, body: Body) -> Answer {
        let shards = &self.shard.core.shards;
        let binary = self.request.header("content-type") == Some("application/octet-stream");
        // Before the channel: when all this is dropped, the channel is closed first.
        let mut watch = self.watch(owner, Command::PostEnded { sid, gone: true });
        let (reply, mut answer) = oneshot::channel();
        shards[owner].send(Command::PostBegin { sid, binary, shape: self.shape(), reply });
        let body = tokio::select! {
            biased;
            early = &mut answer => {
                watch.command = None;
                let mut early = early.unwrap_or_else(|_| gone());
                early.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                return early;
            }
            body = read(body, &self.shard.core.options) => body,
        };
        let answer = match body {
            Ok(body) => {
                shards[owner].send(Command::Post { sid, body, binary });
                answer.await.unwrap_or_else(|_| gone())
            }
            Err(status) => {
                shards[owner].send(Command::PostEnded { sid, gone: status != 413 });
                self.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
                response::answer(status, "", Bytes::new(), &self.headers)
            }
        };
        watch.command = None;
        answer
    }

    fn watch(&self, owner: usize, command: Command) -> Watch {
        Watch { shard: self.shard.clone(), owner, command: Some(command) }
    }

    /// A WebSocket that probes a polling session.
    fn upgrade(self, sid: Id, owner: usize, upgrade: OnUpgrade) -> Answer {
        let (answer, agreed) = match self.switching() {
            Ok(pair) => pair,
            Err(answer) => return *answer,
        };
        crate::shard::spawn(self.shard.clone(), async move {
            let Some((stream, rest)) = upgraded(upgrade).await else { return };
            if owner == self.shard.index {
                return self.shard.with(|s| s.probe(sid, stream, rest, agreed));
            }
            if let Ok((raw, prefix)) = stream.into_raw() {
                let rest = if prefix.is_empty() { rest } else { [&rest[..], &prefix[..]].concat().into() };
                self.shard.core.shards[owner].send(Command::Upgraded { sid, stream: raw, rest, agreed });
            }
        });
        answer
    }
}

/// A session id that the host chose, until the session has it: a handshake that ends early frees it.
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

/// Tells the session's shard when the connection under a request goes away.
struct Watch {
    shard: Rc<Shard>,
    owner: usize,
    /// Sent when this is dropped.
    command: Option<Command>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(command) = self.command.take() {
            self.shard.core.shards[self.owner].send(command);
        }
    }
}

/// The stream behind a finished upgrade, with bytes that came early.
async fn upgraded(upgrade: OnUpgrade) -> Option<(Stream, Bytes)> {
    let parts = upgrade.await.ok()?.downcast::<TokioIo<Watched>>().ok()?;
    Some((parts.io.into_inner().into_stream(), parts.read_buf))
}

/// What a request is answered with that a panic ended.
fn failed() -> Answer {
    response::answer(500, "", Bytes::new(), &HeaderMap::new())
}

/// The session ended while its request waited.
fn gone() -> Answer {
    response::answer(400, "", Bytes::new(), &HeaderMap::new())
}
