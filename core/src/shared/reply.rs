//! Answers of the host to events that ask a question.

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::options::Cors;

/// The host's answer to [`Event::AllowRequest`](crate::Event::AllowRequest).
#[derive(Debug)]
#[non_exhaustive]
pub enum Decision {
    /// The handshake goes on.
    Allow {
        /// Headers to add to the handshake response.
        headers: Vec<(String, String)>,
        /// A session id of the host's own making, instead of a random one. It must be a secret and not in use.
        sid: Option<String>,
    },
    /// HTTP 403, code 4, with this message.
    Refuse(String),
    /// HTTP 400, code 3, without an [`Event::ConnectionError`](crate::Event::ConnectionError): the host could not
    /// decide, and has reported that itself.
    Fail,
}

impl Default for Decision {
    fn default() -> Self {
        Self::allow()
    }
}

impl Decision {
    /// The handshake goes on.
    pub fn allow() -> Self {
        Self::Allow { headers: Vec::new(), sid: None }
    }

    /// HTTP 403 with that message.
    pub fn refuse(message: impl Into<String>) -> Self {
        Self::Refuse(message.into())
    }
}

/// The host's answer to [`Event::Engine`](crate::Event::Engine).
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineReply {
    /// The request goes on.
    Continue {
        /// Headers to add to the response, whoever answers the request.
        headers: Vec<(String, String)>,
        /// The host's number for the request: [`RequestInfo::tag`](crate::RequestInfo::tag) from here on.
        tag: u64,
    },
    /// The host answers the request.
    Answer(HttpReply),
    /// HTTP 400, code 3: the host's middleware failed.
    Refuse,
}

/// The host's answer to [`Event::Cors`](crate::Event::Cors).
#[derive(Debug)]
#[non_exhaustive]
pub enum CorsReply {
    /// These rules hold for the request; `None` adds no headers and answers no preflight.
    Rules(Option<Box<Cors>>),
    /// HTTP 400, code 3: the host could not decide.
    Refuse,
}

/// The host's answer to [`Event::Http`](crate::Event::Http).
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct HttpReply {
    /// HTTP status.
    pub status: u16,
    /// Response headers.
    pub headers: Vec<(String, String)>,
    /// Response body.
    pub body: Bytes,
}

impl HttpReply {
    /// A response without headers of the host.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Adds these headers.
    pub fn with_headers(mut self, headers: Vec<(String, String)>) -> Self {
        self.headers.extend(headers);
        self
    }
}

/// A question that the host answers once; dropping it answers with the default.
#[derive(Debug)]
pub struct Reply<T>(oneshot::Sender<T>);

impl<T> Reply<T> {
    /// A reply, and the receiver of its answer.
    pub(crate) fn channel() -> (Self, oneshot::Receiver<T>) {
        let (reply, answer) = oneshot::channel();
        (Self(reply), answer)
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Sends the answer.
    ///
    /// # Errors
    /// The answer, if nobody waits for it any more because the client has gone or the server has ended.
    pub fn send(self, answer: T) -> Result<(), T> {
        self.0.send(answer)
    }
}
