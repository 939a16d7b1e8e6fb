//! Encoding of frames. A server never masks and has no need to fragment, so a frame is a header of 2, 4 or 10 bytes
//! and the payload.

use base64::Engine as _;
use bytes::Bytes;
use ring::digest;

use crate::ws::{CLOSE, MAX_CONTROL, PONG};

/// Length of the header that [`put_header`] writes.
pub fn header_len(payload: usize) -> usize {
    match payload {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    }
}

/// Appends the header of an unmasked, unfragmented frame. `rsv1` says that the payload is compressed.
pub fn put_header(out: &mut Vec<u8>, opcode: u8, rsv1: bool, payload_len: usize) {
    out.push(0x80 | if rsv1 { 0x40 } else { 0 } | opcode);
    match payload_len {
        0..=125 => out.push(payload_len as u8),
        126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(payload_len as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(payload_len as u64).to_be_bytes());
        }
    }
}

fn control_frame(opcode: u8, parts: [&[u8]; 2]) -> Bytes {
    let len = parts[0].len() + parts[1].len();
    let mut out = Vec::with_capacity(2 + len);
    put_header(&mut out, opcode, false, len);
    out.extend_from_slice(parts[0]);
    out.extend_from_slice(parts[1]);
    out.into()
}

/// A close frame. The reason is cut at a character boundary to the 123 bytes that fit.
pub fn close_frame(code: u16, reason: &str) -> Bytes {
    let mut end = reason.len().min(MAX_CONTROL - 2);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let reason = &reason[..end];
    control_frame(CLOSE, [&code.to_be_bytes(), reason.as_bytes()])
}

/// The answer to a ping. A decoded ping always fits; a longer payload is cut to 125 bytes.
pub fn pong_frame(payload: &[u8]) -> Bytes {
    control_frame(PONG, [&payload[..payload.len().min(MAX_CONTROL)], &[]])
}

/// `Sec-WebSocket-Accept` for a client's `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
pub fn accept_key(key: &str) -> String {
    let mut sha1 = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    sha1.update(key.as_bytes());
    sha1.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    base64::engine::general_purpose::STANDARD.encode(sha1.finish())
}

/// Whether a `Sec-WebSocket-Key` is 16 bytes in base64: 22 characters and `==`, as `ws` checks it.
pub fn valid_key(key: &str) -> bool {
    let is_base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    key.len() == 24 && key.ends_with("==") && key.as_bytes()[..22].iter().all(is_base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_key_of_the_rfc_example() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn keys_that_are_not_sixteen_bytes_of_base64_are_refused() {
        assert!(valid_key("dGhlIHNhbXBsZSBub25jZQ=="));
        for key in ["", "dGhlIHNhbXBsZQ==", "dGhlIHNhbXBsZSBub25jZQ=a", "dGhlIHNhbXBsZSBub2-jZQ=="] {
            assert!(!valid_key(key), "{key}");
        }
        assert!(!valid_key("ééééééééééé=="));
    }

    #[test]
    fn header_takes_the_shortest_form() {
        for (len, head) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xff, 0xff]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut out = Vec::new();
            put_header(&mut out, 1, false, len);
            assert_eq!(out, head);
            assert_eq!(header_len(len), head.len());
        }
        let mut out = Vec::new();
        put_header(&mut out, 2, true, 1);
        assert_eq!(out, [0xc2, 1]);
    }

    #[test]
    fn long_close_reason_is_cut_between_characters() {
        let frame = close_frame(1008, &"ü".repeat(100));
        assert_eq!(frame[..4], [0x88, 124, 0x03, 0xf0]);
        assert_eq!(std::str::from_utf8(&frame[4..]), Ok("ü".repeat(61).as_str()));
        assert_eq!(close_frame(1000, "")[..], [0x88, 2, 0x03, 0xe8]);
    }
}
