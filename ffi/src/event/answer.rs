//! Answers to the questions of events: whether a client may connect, an ack, a response.

use bytes::Bytes;
use kraken_ws_core::{Decision, EngineReply, Error, ErrorCode, HttpReply, Refusal, Result};

use super::read::read;
use super::{Content, HostEvent, Question, kraken_ws_event, kraken_ws_event_kind};
use crate::border::{
    Handle, arguments, bad, buffers, call, check_json, kraken_ws_bytes, kraken_ws_status, kraken_ws_str,
    list, lock, text, texts,
};

/// CONNECT_ERROR for a client that is refused without an error of the host.
const REFUSED: &str = r#"{"message":"Unauthorized"}"#;

impl HostEvent {
    /// Takes the question out of the event if `is` accepts it, so that each question gets one answer. `what` names the
    /// answer in errors.
    fn take(&self, what: &str, is: impl FnOnce(&Question) -> bool) -> Result<Question> {
        let mut question = lock(&self.question);
        if is(&question) {
            return Ok(std::mem::replace(&mut *question, Question::Answered));
        }
        let why = match *question {
            Question::Answered => "it was answered before",
            _ => "the event does not ask for it",
        };
        Err(Error::new(ErrorCode::State, format!("{what}: {why}")))
    }

    /// Whether a client or a request waits for a decision.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(*lock(&self.question), Question::Connect | Question::Allow(_) | Question::Engine(_))
    }

    /// Answers yes, without error or headers.
    pub(crate) fn agree(&self) -> Result<()> {
        if self.kind == kraken_ws_event_kind::Connect { self.accept() } else { self.allow(Vec::new()) }
    }

    /// Answers no, with the default error.
    fn decline(&self) -> Result<()> {
        if self.kind == kraken_ws_event_kind::Connect { self.reject(REFUSED) } else { self.refuse("") }
    }

    pub(crate) fn accept(&self) -> Result<()> {
        self.take("accept", |question| matches!(question, Question::Connect))?;
        self.owner.accept(self.socket);
        Ok(())
    }

    fn reject(&self, error: &str) -> Result<()> {
        self.take("reject", |question| matches!(question, Question::Connect))?;
        self.owner.reject(self.socket, error);
        Ok(())
    }

    fn allow(&self, headers: Vec<(String, String)>) -> Result<()> {
        let asked = |question: &Question| {
            matches!(question, Question::Allow(_) | Question::Headers(_) | Question::Engine(_))
        };
        // The client may be gone; that is no error.
        match self.take("allow", asked)? {
            Question::Allow(reply) => drop(reply.send(Decision::Allow { headers, sid: None })),
            Question::Headers(reply) => drop(reply.send(headers)),
            Question::Engine(reply) => drop(reply.send(EngineReply::Continue { headers, tag: 0 })),
            _ => {}
        }
        Ok(())
    }

    fn refuse(&self, message: &str) -> Result<()> {
        let asked = |question: &Question| matches!(question, Question::Allow(_) | Question::Engine(_));
        match self.take("refuse", asked)? {
            Question::Allow(reply) => {
                let message = if message.is_empty() { Refusal::Forbidden.message() } else { message };
                drop(reply.send(Decision::refuse(message)));
            }
            Question::Engine(reply) => drop(reply.send(EngineReply::Refuse)),
            _ => {}
        }
        Ok(())
    }

    /// Answers an open question with no, because the event is freed.
    pub(crate) fn settle(&self) {
        if self.is_pending() {
            let _ = self.decline();
        }
    }

    /// Refuses a client for a module, or disconnects it if it is connected already.
    pub(crate) fn turn_away(&self) {
        if self.is_pending() { self.settle() } else { self.owner.turn_away(self.socket) }
    }
}

/// Whether a client or a request waits for a decision.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_is_pending(event: *const kraken_ws_event) -> bool {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, false, HostEvent::is_pending) }
}

/// Accepts a pending client. What was emitted to it before is sent then. To decide later, retain the event.
///
/// Errors: `STATE` (decided before, or not pending), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_accept(event: *const kraken_ws_event) -> kraken_ws_status {
    // SAFETY: the event is as the header asks for.
    call(|| unsafe { Handle::<HostEvent>::get(event)? }.accept())
}

/// Refuses a pending client, which gets `connect_error`. `error` is a JSON object
/// `{"message":"AUTH_FAILED","data":…}`, or empty for `Unauthorized`.
///
/// Errors: `STATE` (decided before, or not pending), `PAYLOAD` (no JSON object), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_reject(
    event: *const kraken_ws_event,
    error: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: event and text are as the header asks for.
    call(|| unsafe {
        let (event, error) = (Handle::<HostEvent>::get(event)?, text(error, "error")?);
        if error.is_empty() {
            return event.reject(REFUSED);
        }
        check_json(error, "error")?;
        if !error.trim_start().starts_with('{') {
            return Err(Error::new(
                ErrorCode::Payload,
                "error: expected an object such as {\"message\":\"…\"}",
            ));
        }
        event.reject(error)
    })
}

/// Whether the client, or the other node, waits for an ack.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_wants_ack(event: *const kraken_ws_event) -> bool {
    // SAFETY: the event is as the header asks for.
    unsafe {
        read(event, false, |event| {
            matches!(*lock(&event.question), Question::Ack(_) | Question::ServerSide(_))
        })
    }
}

/// Acknowledges the client's event, once. `payload` is JSON of the one argument, or empty for none; with
/// `KRAKEN_WS_FLAG_SPREAD` it is an array of all arguments. Other nodes get the first argument only. To answer later, retain
/// the event.
///
/// Errors: `STATE` (answered before, or no ack wanted), `PAYLOAD`, `QUEUE_FULL`, `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_ack(
    event: *const kraken_ws_event,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
    flags: u32,
) -> kraken_ws_status {
    // SAFETY: event, text and buffers are as the header asks for.
    call(|| unsafe {
        let event = Handle::<HostEvent>::get(event)?;
        let data = arguments(text(payload, "payload")?, flags)?;
        let buffers = buffers(attachments, attachments_len)?;
        match event.take("ack", |question| matches!(question, Question::Ack(_) | Question::ServerSide(_)))? {
            Question::Ack(id) => event.owner.ack(event.socket, id, &data, buffers),
            Question::ServerSide(reply) => {
                let first = Content::first(&data);
                let _ = reply.send((first, buffers)); // the other node may have stopped waiting
                Ok(())
            }
            _ => Ok(()),
        }
    })
}

/// `name, value, name, value, …` as pairs.
///
/// # Safety
/// As [`texts`].
unsafe fn pairs(headers: *const kraken_ws_str, len: usize) -> Result<Vec<(String, String)>> {
    if !len.is_multiple_of(2) {
        return Err(bad("headers", "expected name, value, name, value, …"));
    }
    // SAFETY: the caller's promise is the same.
    let headers = unsafe { texts(headers, len, "headers")? };
    Ok(headers.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect())
}

/// Allows a request, once: a handshake (`ALLOW_REQUEST`), a request of the engine (`ENGINE`), or one that only needs
/// headers (`HEADERS`). `headers` are name, value, name, value, … for its response, or null and 0.
///
/// Errors: `STATE` (answered before, or no such request), `ARGUMENT` (an odd number of headers).
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_allow(
    event: *const kraken_ws_event,
    headers: *const kraken_ws_str,
    headers_len: usize,
) -> kraken_ws_status {
    // SAFETY: event and texts are as the header asks for.
    call(|| unsafe {
        let event = Handle::<HostEvent>::get(event)?;
        event.allow(pairs(headers, headers_len)?)
    })
}

/// Refuses a request, once: a handshake gets 403 with `message` (empty: `Forbidden`), a request of the engine 400.
///
/// Errors: `STATE` (answered before, or no such request), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_refuse(
    event: *const kraken_ws_event,
    message: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: event and text are as the header asks for.
    call(|| unsafe { Handle::<HostEvent>::get(event)?.refuse(text(message, "message")?) })
}

/// Answers an HTTP request (`HTTP`, or `ENGINE` in place of the engine), once. `headers` are name, value, name,
/// value, …; the length of the body is added.
///
/// Errors: `STATE` (answered before, or no request), `ARGUMENT` (a status outside 200 to 599, an odd number of
/// headers).
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_reply(
    event: *const kraken_ws_event,
    status: u16,
    headers: *const kraken_ws_str,
    headers_len: usize,
    body: kraken_ws_bytes,
) -> kraken_ws_status {
    // SAFETY: event, texts and buffer are as the header asks for.
    call(|| unsafe {
        let event = Handle::<HostEvent>::get(event)?;
        if !(200..=599).contains(&status) {
            return Err(bad("status", &format!("expected 200 to 599, got {status}")));
        }
        let headers = pairs(headers, headers_len)?;
        let body = Bytes::copy_from_slice(list(body.ptr, body.len, "body")?);
        let response = HttpReply::new(status, body).with_headers(headers);
        // The client may be gone; that is no error.
        match event.take("reply", |question| matches!(question, Question::Http(_) | Question::Engine(_)))? {
            Question::Http(reply) => drop(reply.send(response)),
            Question::Engine(reply) => drop(reply.send(EngineReply::Answer(response))),
            _ => {}
        }
        Ok(())
    })
}
