//! Routes of the HTTP side: handshakes, polls, upgrades, and requests that the host answers.

use std::borrow::Cow;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Request};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use kraken_ws_codec::query;

use crate::engine::verify::Transport;
use crate::engine::{response, verify as rules};
use crate::net::http::Answer;
use crate::net::stream::Peer;
use crate::options::{Cors, Hooks, Origin};
use crate::shard::http::busy::busy;
use crate::shard::http::exchange::{Body, Exchange, failed, read};
use crate::shard::{SHARD, Shard};
use crate::shared::command::PassedIn;
use crate::shared::event::Event;
use crate::shared::reply::{CorsReply, EngineReply, Reply};
use crate::types::headers::Headers;
use crate::types::reason::Refusal;
use crate::types::request::RequestInfo;

/// Answers a request on a connection that this shard serves.
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
        // A client that asked for an upgrade sends no further HTTP request on this connection.
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// The text of a header; bytes beyond ASCII are Latin-1, as Node reads them.
fn latin1(value: &HeaderValue) -> Cow<'_, str> {
    match value.to_str() {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => value.as_bytes().iter().map(|b| char::from(*b)).collect(),
    }
}

/// Answers a request that another HTTP server passed in.
pub(in crate::shard) async fn passed_in(shard: Rc<Shard>, passed: PassedIn) {
    let PassedIn { request, body, reply, cancelled, hold: _hold } = passed;
    let cancelled = async {
        // Only a sent value cancels the request; a dropped sender does not.
        if cancelled.await.is_err() {
            std::future::pending().await
        }
    };
    // The select polls `routed` first: a request that has not begun has no `Watch` that reports the cancellation.
    let routed = pin!(route(shard.clone(), request, Body::Ready(body), None, false));
    tokio::select! {
        biased;
        answer = shard.panics().catch_in(SHARD, routed) => {
            // Events of the request reach the host before its answer does.
            shard.panics().catch(SHARD, || shard.with(crate::shard::state::State::hand_over_events));
            shard.panics().catch("the host's reply", || reply(answer.unwrap_or_else(failed)));
        }
        () = cancelled => {}
    }
}

/// Routes a request. `first`: no other HTTP server has handled it before.
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
    // An empty `sid` counts as no `sid`.
    match exchange.query.sid.clone().filter(|sid| !sid.is_empty()) {
        Some(sid) => exchange.existing(&sid, transport, body, upgrade).await,
        None => exchange.handshake(transport, upgrade).await,
    }
}

/// Asks the host for the CORS rules of a request.
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

/// The answer when the host's middleware, or its CORS hook, failed.
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

/// Runs the host's middleware, which adds headers or answers the request itself.
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

/// Answers a request that is not Engine.IO's: the host does if `host_answers`, else the answer is 404. `headers` go out with
/// the host's answer.
async fn elsewhere(
    shard: &Rc<Shard>,
    info: RequestInfo,
    body: Body,
    mut headers: HeaderMap,
    host_answers: bool,
) -> Answer {
    let none = HeaderMap::new();
    if !host_answers {
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
