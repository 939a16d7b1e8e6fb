//! Requests that come while the host is stuck.

use std::rc::Rc;

use http::HeaderMap;
use http::header::{CONNECTION, HeaderValue, RETRY_AFTER};

use crate::engine::{query, response};
use crate::net::http::Answer;
use crate::options::Hooks;
use crate::shard::Shard;
use crate::types::request::RequestInfo;

/// The host is stuck, and what a request would tell it or ask it takes memory. Who has a session waits, and its body is not
/// read till then; polls tell nothing and go on. Others are answered.
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
