//! HTTP responses of the engine.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;
use kraken_ws_codec::{deflate, payload};

use crate::engine::outbox::Shared;
use crate::engine::transport::PollShape;
use crate::net::http::Answer;
use crate::options::Options;
use crate::types::reason::Refusal;

/// A response with a body of the given type.
pub(crate) fn answer(
    status: u16,
    content_type: &'static str,
    body: impl Into<Bytes>,
    headers: &HeaderMap,
) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers.clone();
    if !content_type.is_empty() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

/// A refusal in engine.io's form: `{"code":1,"message":"Session ID unknown"}`.
pub(crate) fn refusal(refusal: Refusal, message: Option<&str>, headers: &HeaderMap) -> Answer {
    let body = serde_json::json!({ "code": refusal as u8, "message": message.unwrap_or(refusal.message()) });
    answer(refusal.http_status(), "application/json", body.to_string(), headers)
}

/// A poll response with packets. `weigh` is called with the uncompressed body.
pub(crate) fn payload(
    options: &Options,
    shape: &PollShape,
    protocol: u8,
    frames: &[Shared],
    weigh: impl FnOnce(Vec<u8>) -> Bytes,
) -> Answer {
    let parts: Vec<_> = frames.iter().flat_map(|f| f.payload_parts()).collect();
    let parts = parts.into_iter();
    let mut body = Vec::new();
    let binary = if protocol == 4 {
        payload::encode_v4(parts, &mut body);
        false
    } else {
        payload::encode_v3(parts, !shape.b64 && shape.jsonp.is_none(), &mut body)
    };
    let mut content_type = if binary { "application/octet-stream" } else { "text/plain; charset=UTF-8" };
    if let Some(index) = &shape.jsonp {
        let text = serde_json::Value::from(String::from_utf8_lossy(&body).into_owned()).to_string();
        // Valid in JSON, but line terminators in old JavaScript.
        let text = text.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        body = format!("___eio[{index}]({text});").into_bytes();
        content_type = "text/javascript; charset=UTF-8";
    }
    let threshold = options.http_compression.map_or(usize::MAX, |c| c.threshold);
    let encoded = shape
        .encoding
        // Like engine.io: the payload is compressed if at least one of its packets may be.
        .filter(|_| body.len() >= threshold && frames.iter().any(|frame| frame.may_compress()))
        .map(|encoding| (encoding, deflate::encode(encoding, &body)));
    let (encoding, body) = match encoded {
        Some((encoding, small)) => (Some(encoding), small),
        None => (None, body),
    };
    let mut response = answer(200, "", weigh(body), &shape.headers);
    let headers = response.headers_mut();
    // A header in `headers`, set by the host, takes precedence, as in engine.io.
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// The compression that a client accepts; gzip is preferred over deflate.
pub(crate) fn accepted_encoding(options: &Options, accept: Option<&str>) -> Option<&'static str> {
    options.http_compression?;
    let accept = accept?;
    ["gzip", "deflate"].into_iter().find(|encoding| {
        accept.split(',').any(|item| {
            let mut parts = item.split(';').map(str::trim);
            parts.next() == Some(encoding) && !parts.any(|p| p == "q=0")
        })
    })
}

/// Adds headers of the host. Names or values that are invalid in HTTP are left out and logged.
pub(crate) fn add_headers(out: &mut HeaderMap, extra: &[(String, String)]) {
    for (name, value) in extra {
        match (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                out.append(name, value);
            }
            _ => tracing::warn!(name, "a header of the host is not valid and was left out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::frame::Frame;

    #[test]
    fn a_payload_is_compressed_if_any_of_its_packets_may_be() {
        let frame = |compress| Shared::new(Arc::new(Frame::message(b"2", &"x".repeat(5000), &[], compress)));
        let shape = PollShape { encoding: Some("gzip"), ..PollShape::default() };
        let encoding = |frames: &[Shared]| {
            let answer = payload(&Options::default(), &shape, 4, frames, Bytes::from);
            answer.headers().get(header::CONTENT_ENCODING).cloned()
        };
        assert_eq!(encoding(&[frame(false), frame(false)]), None);
        assert_eq!(encoding(&[frame(false), frame(true)]), Some(HeaderValue::from_static("gzip")));
        assert_eq!(encoding(&[frame(false), Shared::new(Arc::new(Frame::engine("2")))]).unwrap(), "gzip");
    }

    #[test]
    fn encodings_are_chosen_by_the_header() {
        let options = Options::default();
        assert_eq!(accepted_encoding(&options, Some("deflate, gzip;q=0.5")), Some("gzip"));
        assert_eq!(accepted_encoding(&options, Some("gzip;q=0, deflate")), Some("deflate"));
        assert_eq!(accepted_encoding(&options, Some("br")), None);
        assert_eq!(accepted_encoding(&options, None), None);
    }
}
