//! One request on its way through the routes.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{self, HeaderValue};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use kraken_ws_codec::query::Query;

use crate::engine::transport::PollShape;
use crate::engine::{response, verify as rules};
use crate::net::http::Answer;
use crate::options::Options;
use crate::shard::Shard;
use crate::types::reason::Refusal;
use crate::types::request::RequestInfo;

/// The source of a request's body.
pub(super) enum Body {
    Stream(Incoming),
    Ready(Bytes),
}

/// One request on its way through the routes.
pub(super) struct Exchange {
    pub(super) shard: Rc<Shard>,
    pub(super) request: Arc<RequestInfo>,
    pub(super) query: Query,
    /// Headers of the answer: CORS first, later those that the host adds.
    pub(super) headers: HeaderMap,
}

impl Exchange {
    /// Refuses with engine.io's code, and tells the host.
    pub(super) fn refuse(
        &self,
        refusal: Refusal,
        message: Option<&str>,
        context: Vec<(&'static str, String)>,
    ) -> Answer {
        let request = self.request.clone();
        self.shard.with(|s| s.connection_error(request, refusal, context));
        self.refusal(refusal, message)
    }

    pub(super) fn refusal(&self, refusal: Refusal, message: Option<&str>) -> Answer {
        if rules::is_upgrade(&self.request) {
            // engine.io answers a refused upgrade with the bare message and closes.
            let mut headers = self.headers.clone();
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            let message = message.unwrap_or(refusal.message()).to_owned();
            return response::answer(refusal.http_status(), "text/html", message, &headers);
        }
        response::refusal(refusal, message, &self.headers)
    }

    pub(super) fn shape(&self) -> PollShape {
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
}

/// Reads a body within its limits; the error is the status to answer with.
pub(super) async fn read(body: Body, options: &Options) -> Result<Bytes, u16> {
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

/// The answer to a request whose task panicked.
pub(super) fn failed() -> Answer {
    response::answer(500, "", Bytes::new(), &HeaderMap::new())
}

/// The answer to a request whose session ended while the request waited.
pub(super) fn gone() -> Answer {
    response::answer(400, "", Bytes::new(), &HeaderMap::new())
}
