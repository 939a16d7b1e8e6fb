//! Questions that an event asks: may this client in, what is the ack, what is the response.

use std::sync::PoisonError;

use bytes::Bytes;
use kraken_ws_core::{Error, ErrorCode, HttpReply, Result};

use crate::event::{Answer, get, kraken_ws_event};
use crate::namespaces::handle;
use crate::payload::{arguments, check_json};
use crate::status::{call, kraken_ws_status, value};
use crate::text::{bad, buffers, kraken_ws_bytes, kraken_ws_str, list, text};

/// What a client hears that is refused without a word.
const REFUSED: &str = r#"{"message":"Unauthorized"}"#;

impl kraken_ws_event {
    /// Takes the question out of the event if `is` says that it is the one; it is asked once.
    fn take(&self, what: &str, is: impl FnOnce(&Answer) -> bool) -> Result<Answer> {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        if is(&answer) {
            return Ok(std::mem::replace(&mut *answer, Answer::Done));
        }
        let why = match *answer {
            Answer::Done => "it was answered before",
            _ => "the event does not ask for it",
        };
        Err(Error::new(ErrorCode::State, format!("{what}: {why}")))
    }

    pub(crate) fn is_pending(&self) -> bool {
        matches!(*self.answer.lock().unwrap_or_else(PoisonError::into_inner), Answer::Connect)
    }

    pub(crate) fn accept(&self) -> Result<()> {
        self.take("connect_accept", |answer| matches!(answer, Answer::Connect))?;
        self.host.server.accept(handle(self.socket));
        Ok(())
    }

    pub(crate) fn reject(&self, error: &str) -> Result<()> {
        self.take("connect_reject", |answer| matches!(answer, Answer::Connect))?;
        self.host.sockets.silence(self.socket);
        self.host.server.reject(handle(self.socket), error);
        Ok(())
    }

    /// The event is freed: a question that is still open is answered with no.
    pub(crate) fn settle(&self) {
        if self.is_pending() {
            let _ = self.reject(REFUSED);
        }
    }
}

/// Does the client wait to be let in?
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kraken_ws_event_is_pending(event: *const kraken_ws_event) -> bool {
    // SAFETY: the event is as the header asks for.
    value(false, || unsafe { get(event) }.is_ok_and(kraken_ws_event::is_pending))
}

/// Lets a pending client in. What was emitted to it before follows at once. To decide later, retain the event.
///
/// Errors: `STATE` (decided before, or not pending), `ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kraken_ws_connect_accept(event: *const kraken_ws_event) -> kraken_ws_status {
    // SAFETY: the event is as the header asks for.
    call(|| unsafe { get(event)? }.accept())
}

/// Refuses a pending client, which gets `connect_error`. `error` is a JSON object
/// `{"message":"AUTH_FAILED","data":…}`, or empty for `Unauthorized`.
///
/// Errors: `STATE` (decided before, or not pending), `PAYLOAD` (no JSON object), `ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kraken_ws_connect_reject(
    event: *const kraken_ws_event,
    error: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: event and text are as the header asks for.
    call(|| unsafe {
        let (event, error) = (get(event)?, text(error, "error")?);
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

/// Does the client wait for an ack?
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kraken_ws_event_wants_ack(event: *const kraken_ws_event) -> bool {
    value(false, || {
        // SAFETY: the event is as the header asks for.
        unsafe { get(event) }.is_ok_and(|event| {
            matches!(*event.answer.lock().unwrap_or_else(PoisonError::into_inner), Answer::Ack(_))
        })
    })
}

/// Acknowledges the client's event, once. `payload` is JSON of the one argument, or empty for none; with
/// `KRAKEN_WS_SPREAD` it is an array of all arguments. To answer later, retain the event.
///
/// Errors: `STATE` (answered before, or no ack wanted), `PAYLOAD`, `QUEUE_FULL`, `CLOSED`, `ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kraken_ws_ack(
    event: *const kraken_ws_event,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
    flags: u32,
) -> kraken_ws_status {
    // SAFETY: event, text and buffers are as the header asks for.
    call(|| unsafe {
        let event = get(event)?;
        let data = arguments(text(payload, "payload")?, flags)?;
        let buffers = buffers(attachments, attachments_len)?;
        let Answer::Ack(id) = event.take("ack", |answer| matches!(answer, Answer::Ack(_)))? else {
            return Ok(());
        };
        event.host.namespaces.of(event.socket, |namespace| {
            event.host.server.ack(namespace, handle(event.socket), id, &data, buffers)
        })
    })
}

/// Answers an HTTP request, once. `headers` are name, value, name, value, …; the length of the body is added.
///
/// Errors: `STATE` (answered before, or no request), `ARGUMENT` (a status outside 200 to 599, an odd number of
/// headers).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kraken_ws_http_reply(
    event: *const kraken_ws_event,
    status: u16,
    headers: *const kraken_ws_str,
    headers_len: usize,
    body: kraken_ws_bytes,
) -> kraken_ws_status {
    // SAFETY: event, texts and buffer are as the header asks for.
    call(|| unsafe {
        let event = get(event)?;
        if !(200..=599).contains(&status) {
            return Err(bad("status", &format!("expected 200 to 599, got {status}")));
        }
        if !headers_len.is_multiple_of(2) {
            return Err(bad("headers", "expected name, value, name, value, …"));
        }
        let headers = crate::text::texts(headers, headers_len, "headers")?
            .chunks_exact(2)
            .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
            .collect();
        let body = Bytes::copy_from_slice(list(body.ptr, body.len, "body")?);
        if let Answer::Http(reply) = event.take("http_reply", |answer| matches!(answer, Answer::Http(_)))? {
            let _ = reply.send(HttpReply { status, headers, body }); // a client that is gone is no error
        }
        Ok(())
    })
}
