//! Questions of the core that JavaScript answers, each under a number. A second answer is ignored. A question that is
//! never answered is dropped with the server, which the core takes as the default answer.

use std::collections::HashMap;

use bytes::Bytes;
use kraken_ws_core::options::Cors;
use kraken_ws_core::{CorsReply, Decision, EngineReply, ErrorCode, HttpReply, Reply};
use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;

use crate::exports::server::NativeServer;
use crate::parts::error::{Result, coded, thrown};
use crate::parts::text::Text;

/// Number of open questions below which a sweep is not worth its cost.
const SWEEP: usize = 256;

/// A question by its kind.
pub(crate) enum Question {
    /// May this namespace be made?
    Namespace(Reply<bool>),
    /// May this client connect, and with which headers?
    Allow(Reply<Decision>),
    /// Which headers go out with this response?
    Headers(Reply<Vec<(String, String)>>),
    /// May this engine request go on?
    Engine(Reply<EngineReply>),
    /// Which cross-origin rules hold for this request?
    Cors(Reply<CorsReply>),
    /// What is the answer to this request?
    Http(Reply<HttpReply>),
    /// What does this server answer to another node's event?
    ServerSide(Reply<(Box<str>, Vec<Bytes>)>),
    /// What data does the application keep for these sockets?
    SocketData(Reply<Vec<Box<str>>>),
}

/// The open questions.
#[derive(Default)]
pub(crate) struct Questions {
    last: u64,
    /// Number of open questions at which [`Questions::keep`] removes those that nobody waits for any more.
    sweep_at: usize,
    open: HashMap<u64, Question>,
}

impl Questions {
    /// Stores a question; returns its number for JavaScript.
    pub(crate) fn keep(&mut self, question: Question) -> u64 {
        // An application may never answer a server-side event, while its sender waits only until a time-out.
        if self.open.len() >= self.sweep_at {
            self.open.retain(|_, open| !matches!(open, Question::ServerSide(reply) if reply.is_closed()));
            self.sweep_at = (self.open.len() * 2).max(SWEEP);
        }
        self.last += 1;
        self.open.insert(self.last, question);
        self.last
    }

    pub(crate) fn take(&mut self, number: f64) -> Option<Question> {
        self.open.remove(&(number as u64))
    }
}

/// `[name, value, name, value, …]` as pairs.
pub(super) fn pairs(flat: Vec<String>) -> Vec<(String, String)> {
    let mut out = Vec::with_capacity(flat.len() / 2);
    let mut items = flat.into_iter();
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        out.push((name, value));
    }
    out
}

#[napi]
impl NativeServer {
    /// Answers whether the namespace exists now.
    #[napi]
    pub fn answer_namespace(&self, number: f64, exists: bool) {
        if let Some(Question::Namespace(reply)) = self.questions.borrow_mut().take(number) {
            let _ = reply.send(exists);
        }
    }

    /// Answers whether the handshake goes on. If not, `refuse` is the reason. `headers` is a flat list of names and
    /// values, `sid` a session id in place of the core's.
    #[napi]
    pub fn answer_allow(&self, number: f64, refuse: Option<Text>, headers: Vec<String>, sid: Option<Text>) {
        if let Some(Question::Allow(reply)) = self.questions.borrow_mut().take(number) {
            let _ = reply.send(match refuse {
                Some(message) => Decision::Refuse(message.0),
                None => Decision::Allow { headers: pairs(headers), sid: sid.map(|text| text.0) },
            });
        }
    }

    /// JavaScript failed to decide about a handshake, and has reported that to the application.
    #[napi]
    pub fn fail_allow(&self, number: f64) {
        if let Some(Question::Allow(reply)) = self.questions.borrow_mut().take(number) {
            let _ = reply.send(Decision::Fail);
        }
    }

    /// Answers with the CORS rules of a request as JSON, `false` for none. Without `rules` the request is refused.
    #[napi]
    pub fn answer_cors(&self, number: f64, rules: Option<Text>) -> Result<()> {
        let Some(Question::Cors(reply)) = self.questions.borrow_mut().take(number) else { return Ok(()) };
        let rules = rules.map(|text| {
            let json =
                serde_json::from_str(&text).map_err(|e| coded(ErrorCode::Option, &format!("cors: {e}")))?;
            Cors::from_json(&json).map_err(thrown)
        });
        let (answer, result) = match rules {
            Some(Ok(rules)) => (CorsReply::Rules(rules.map(Box::new)), Ok(())),
            Some(Err(error)) => (CorsReply::Refuse, Err(error)),
            None => (CorsReply::Refuse, Ok(())),
        };
        let _ = reply.send(answer);
        result
    }

    /// Answers with the headers for a polling response or an upgrade, as a flat list of names and values.
    #[napi]
    pub fn answer_headers(&self, number: f64, headers: Vec<String>) {
        if let Some(Question::Headers(reply)) = self.questions.borrow_mut().take(number) {
            let _ = reply.send(pairs(headers));
        }
    }

    /// Answers with the result of the middleware for an engine request. With `status` 0 the request goes on, and
    /// `headers`, a flat list of names and values, are added to its response. Without `body` the middleware failed.
    /// `tag` is JavaScript's number for a request that goes on.
    #[napi]
    pub fn answer_engine(
        &self,
        number: f64,
        status: u32,
        headers: Vec<String>,
        body: Option<BufferSlice<'_>>,
        tag: f64,
    ) {
        if let Some(Question::Engine(reply)) = self.questions.borrow_mut().take(number) {
            let headers = pairs(headers);
            let _ = reply.send(match body {
                None => EngineReply::Refuse,
                Some(_) if status == 0 => EngineReply::Continue { headers, tag: tag as u64 },
                Some(body) => {
                    let body = Bytes::copy_from_slice(&body);
                    EngineReply::Answer(HttpReply::new(status as u16, body).with_headers(headers))
                }
            });
        }
    }

    /// Answers with the response to a request outside the engine's path.
    #[napi]
    pub fn answer_http(&self, number: f64, status: u32, headers: Vec<String>, body: BufferSlice<'_>) {
        if let Some(Question::Http(reply)) = self.questions.borrow_mut().take(number) {
            let body = Bytes::copy_from_slice(&body);
            let _ = reply.send(HttpReply::new(status as u16, body).with_headers(pairs(headers)));
        }
    }
}
