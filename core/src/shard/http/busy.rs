//! Requests that arrive while the host queue is full.

use std::rc::Rc;

use http::HeaderMap;
use http::header::{CONNECTION, HeaderValue, RETRY_AFTER};
use kraken_ws_codec::query;

use crate::engine::response;
use crate::net::http::Answer;
use crate::options::Hooks;
use crate::shard::Shard;
use crate::types::request::RequestInfo;

/// Holds a request back, or answers it with 503, while the host queue is full: its events and questions would take more
/// memory. A request without a session gets the 503. A request with a session waits, its body unread, unless it is a
/// GET that no hook asks about, such as a poll.
pub(in crate::shard) async fn busy(shard: &Rc<Shard>, info: &RequestInfo) -> Option<Answer> {
    let query = query::parse(info.url.split_once('?').map_or("", |(_, q)| q));
    if query.sid.is_none() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        return Some(response::answer(503, "text/plain; charset=utf-8", "Too busy", &headers));
    }
    let hooks = shard.core.hooks.get();
    if &*info.method != "GET" || hooks.intersects(Hooks::ENGINE | Hooks::CORS | Hooks::HEADERS) {
        shard.core.host.room().await;
    }
    None
}
