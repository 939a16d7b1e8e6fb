//! permessage-deflate (RFC 7692) without context takeover in either direction, and compressed HTTP bodies.
//!
//! Each message is a deflate stream of its own. So a broadcast is compressed once for all recipients, and no
//! connection owns a window (two of them take about 300 KiB). Compressor and decompressor are thread-local and are
//! reset between messages.

use std::cell::RefCell;
use std::io::Write;

use flate2::write::{GzEncoder, ZlibEncoder};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// The end of a sync flush, which is left out on the wire (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

thread_local! {
    // Level 6 is zlib's default, which socket.io uses too.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(6), false));
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// The reason why a message can't be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InflateError {
    /// The result would be longer than the limit.
    TooBig,
    /// The input is not a deflate stream.
    Corrupt,
}

/// Compresses the payload of a message; the frame has to set RSV1.
pub fn compress(payload: &[u8]) -> Vec<u8> {
    DEFLATE.with_borrow_mut(|deflate| {
        deflate.reset();
        let mut out = Vec::with_capacity(payload.len() / 2 + 64);
        loop {
            let rest = &payload[deflate.total_in() as usize..];
            // Raw deflate into a growing buffer can't fail: there is no checksum and no dictionary.
            let _ = deflate.compress_vec(rest, &mut out, FlushCompress::Sync);
            if out.len() < out.capacity() {
                break;
            }
            out.reserve(out.len().max(64));
        }
        if out.ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        out
    })
}

/// Inflates the payload of a message whose first frame had RSV1 set, to at most `limit` bytes.
///
/// # Errors
/// See [`InflateError`].
pub fn decompress(payload: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    INFLATE.with_borrow_mut(|inflate| {
        inflate.reset(false);
        let first_guess = payload.len().saturating_mul(3).clamp(64, 64 * 1024);
        let mut out = Vec::with_capacity(first_guess.min(limit.saturating_add(1)));
        for input in [payload, &TAIL] {
            if inflate_part(inflate, input, limit, &mut out)? == Status::StreamEnd {
                break;
            }
        }
        Ok(out)
    })
}

/// Inflates all of `input`. `StreamEnd` means a final block (RFC 7692 §7.2.3.4); bytes after it are ignored.
fn inflate_part(
    inflate: &mut Decompress,
    input: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<Status, InflateError> {
    let start = inflate.total_in();
    loop {
        let used = (inflate.total_in() - start) as usize;
        let status = inflate
            .decompress_vec(&input[used..], out, FlushDecompress::Sync)
            .map_err(|_| InflateError::Corrupt)?;
        if out.len() > limit {
            return Err(InflateError::TooBig);
        }
        // Unused capacity means that all output has been produced.
        if status == Status::StreamEnd || out.len() < out.capacity() {
            return Ok(status);
        }
        // One byte above the limit is enough to detect that it is exceeded.
        let room = (limit - out.len()).saturating_add(1);
        out.reserve_exact(out.len().max(64).min(room));
    }
}

/// Compresses the body of an HTTP response with `gzip` or `deflate`.
pub fn encode(encoding: &str, body: &[u8]) -> Vec<u8> {
    // Level 6 is zlib's default, which Node.js uses too.
    let level = Compression::new(6);
    let written = if encoding == "gzip" {
        let mut gzip = GzEncoder::new(Vec::new(), level);
        gzip.write_all(body).and_then(|()| gzip.finish())
    } else {
        let mut zlib = ZlibEncoder::new(Vec::new(), level);
        zlib.write_all(body).and_then(|()| zlib.finish())
    };
    written.expect("writing to memory can't fail")
}

/// The `Sec-WebSocket-Extensions` response to a client's offers: accepts the first permessage-deflate offer that can
/// be met. `None` if there is none.
///
/// An offer that asks the server for a smaller window is skipped, because the frames of a broadcast are shared and
/// use the full window.
pub fn negotiate(header: &str) -> Option<String> {
    header.split(',').find_map(answer)
}

fn answer(offer: &str) -> Option<String> {
    let mut parts = offer.split(';').map(str::trim);
    if parts.next() != Some("permessage-deflate") {
        return None;
    }
    let mut answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover".to_owned();
    let mut seen: Vec<&str> = Vec::new();
    for part in parts {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value.trim_start().trim_matches('"'))),
            None => (part, None),
        };
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        match (name, value) {
            ("server_no_context_takeover" | "client_no_context_takeover", None) => {}
            ("client_max_window_bits", None) => {}
            ("client_max_window_bits", Some(bits)) if is_window_bits(bits) => {}
            ("server_max_window_bits", Some("15")) => answer.push_str("; server_max_window_bits=15"),
            _ => return None,
        }
    }
    Some(answer)
}

fn is_window_bits(value: &str) -> bool {
    matches!(value, "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_examples_of_the_rfc() {
        let hello = Ok(b"Hello".to_vec());
        // §7.2.3.1 one block, §7.2.3.3 no compression, §7.2.3.4 a final block, §7.2.3.5 two blocks.
        assert_eq!(decompress(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], 100), hello);
        let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        assert_eq!(decompress(&stored, 100), hello);
        assert_eq!(decompress(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], 100), hello);
        let two = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(decompress(&two, 100), hello);
    }

    #[test]
    fn empty_message_is_one_zero_byte() {
        assert_eq!(compress(b""), [0x00]);
        assert_eq!(decompress(&[0x00], 0), Ok(Vec::new()));
    }

    #[test]
    fn limit_is_exact_and_a_bomb_stops_at_it() {
        let bomb = compress(&vec![0; 10 << 20]);
        assert!(bomb.len() < 20_000);
        assert_eq!(decompress(&bomb, 1000), Err(InflateError::TooBig));
        assert_eq!(decompress(&bomb, (10 << 20) - 1), Err(InflateError::TooBig));
        assert_eq!(decompress(&bomb, 10 << 20).map(|out| out.len()), Ok(10 << 20));
    }

    #[test]
    fn a_broken_stream_does_not_spoil_the_next_one() {
        assert_eq!(decompress(&[0xff, 0xff, 0xff], 100), Err(InflateError::Corrupt));
        assert_eq!(decompress(&compress(b"fine"), 100), Ok(b"fine".to_vec()));
    }

    #[test]
    fn first_acceptable_offer_is_answered() {
        let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        for offer in [
            "permessage-deflate",
            // The offer of browsers.
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=12; client_no_context_takeover",
            "x-webkit-deflate-frame, permessage-deflate ; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        ] {
            assert_eq!(negotiate(offer).as_deref(), Some(plain), "{offer}");
        }
        assert_eq!(
            negotiate("permessage-deflate; server_max_window_bits=\"15\""),
            Some(format!("{plain}; server_max_window_bits=15"))
        );
    }

    #[test]
    fn other_offers_are_declined() {
        for offer in [
            "",
            "permessage-bzip2",
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; unknown",
        ] {
            assert_eq!(negotiate(offer), None, "{offer}");
        }
    }
}
