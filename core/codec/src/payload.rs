//! Polling bodies: several Engine.IO packets in one HTTP request or response.
//!
//! Protocol 4 joins packets with U+001E and writes binary as `b` and base64. Protocol 3 puts a length before each
//! packet; it has a text form, counted in UTF-16 code units, and a binary form. Where the protocols leave a choice,
//! this follows engine.io-parser 5 (protocol 4) and 2 (protocol 3).
//!
//! `engineioxide-core` implements the same formats as an async stream of packets with owned text; this is a single
//! pass over a borrowed body.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Separates the packets of a protocol 4 body.
const SEPARATOR: u8 = 0x1e;

/// As lenient about padding as Node's `Buffer.from(text, "base64")`.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A packet to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// An Engine.IO packet with its type character: `4hello`, `2probe`.
    Text(&'a str),
    /// The content of a binary message.
    Binary(&'a [u8]),
}

/// A decoded packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// An Engine.IO packet with its type character; the type is one of `0` to `6`.
    Text(&'a str),
    /// The content of a binary message.
    Binary(Cow<'a, [u8]>),
}

/// The reason why a body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadError {
    /// The body is not UTF-8.
    Utf8,
    /// A packet is empty or its type is unknown.
    PacketType,
    /// A binary packet is not base64.
    Base64,
    /// A length is missing, malformed, or does not end where a packet ends.
    Length,
}

impl std::fmt::Display for PayloadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "payload is not UTF-8",
            Self::PacketType => "unknown packet type",
            Self::Base64 => "binary packet is not base64",
            Self::Length => "illegal packet length",
        })
    }
}

impl std::error::Error for PayloadError {}

/// Appends a protocol 4 body.
pub fn encode_v4<'a>(parts: impl Iterator<Item = Part<'a>>, out: &mut Vec<u8>) {
    for (i, part) in parts.enumerate() {
        if i > 0 {
            out.push(SEPARATOR);
        }
        match part {
            Part::Text(text) => out.extend_from_slice(text.as_bytes()),
            Part::Binary(data) => {
                out.push(b'b');
                put_base64(data, out);
            }
        }
    }
}

/// Appends a protocol 3 body; returns whether it is in the binary form (`application/octet-stream`). The binary form
/// is used if a packet is binary and the client supports it (its query has no `b64=1`).
pub fn encode_v3<'a>(
    parts: impl Iterator<Item = Part<'a>> + Clone,
    binary_supported: bool,
    out: &mut Vec<u8>,
) -> bool {
    let binary = binary_supported && parts.clone().any(|part| matches!(part, Part::Binary(_)));
    let start = out.len();
    for part in parts {
        match (binary, part) {
            (true, Part::Text(text)) => {
                put_binary_head(0, text.len(), out);
                out.extend_from_slice(text.as_bytes());
            }
            (true, Part::Binary(data)) => {
                put_binary_head(1, data.len() + 1, out);
                out.push(4);
                out.extend_from_slice(data);
            }
            (false, Part::Text(text)) => {
                put_length(text.encode_utf16().count(), out);
                out.extend_from_slice(text.as_bytes());
            }
            (false, Part::Binary(data)) => {
                put_length(2 + data.len().div_ceil(3) * 4, out);
                out.extend_from_slice(b"b4");
                put_base64(data, out);
            }
        }
    }
    if out.len() == start {
        out.extend_from_slice(b"0:");
    }
    binary
}

fn put_length(len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(len.to_string().as_bytes());
    out.push(b':');
}

fn put_binary_head(kind: u8, len: usize, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend(len.to_string().bytes().map(|digit| digit - b'0'));
    out.push(0xff);
}

fn put_base64(data: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + data.len().div_ceil(3) * 4, 0);
    let written = BASE64.encode_slice(data, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
}

/// Decodes a protocol 4 body and calls `on` for each packet until it returns false. Packets before an invalid one are
/// passed on.
///
/// # Errors
/// See [`PayloadError`].
pub fn decode_v4(body: &[u8], on: &mut dyn FnMut(Packet<'_>) -> bool) -> Result<(), PayloadError> {
    let mut rest = Some(utf8(body)?);
    while let Some(text) = rest {
        let end = memchr::memchr(SEPARATOR, text.as_bytes());
        let (packet, after) = match end {
            Some(end) => (&text[..end], Some(&text[end + 1..])),
            None => (text, None),
        };
        rest = after;
        let packet = match packet.strip_prefix('b') {
            Some(data) => base64_packet(data)?,
            None => text_packet(packet)?,
        };
        if !on(packet) {
            break;
        }
    }
    Ok(())
}

/// Decodes a protocol 3 body (`binary`: its content type is `application/octet-stream`) and calls `on` for each
/// packet until it returns false. Packets before an invalid one are passed on.
///
/// # Errors
/// See [`PayloadError`].
pub fn decode_v3(
    body: &[u8],
    binary: bool,
    on: &mut dyn FnMut(Packet<'_>) -> bool,
) -> Result<(), PayloadError> {
    if binary { decode_v3_binary(body, on) } else { decode_v3_text(body, on) }
}

fn decode_v3_text(body: &[u8], on: &mut dyn FnMut(Packet<'_>) -> bool) -> Result<(), PayloadError> {
    let mut rest = utf8(body)?;
    if rest.is_empty() {
        return Err(PayloadError::Length);
    }
    while !rest.is_empty() {
        let (len, after) = rest.split_once(':').ok_or(PayloadError::Length)?;
        let len = decimal(len.bytes().map(|b| b.wrapping_sub(b'0')))?;
        let (packet, after) = split_utf16(after, len).ok_or(PayloadError::Length)?;
        rest = after;
        if packet.is_empty() {
            continue;
        }
        if !on(v3_packet(packet)?) {
            break;
        }
    }
    Ok(())
}

/// The binary form of a packet: `00` for text or `01` for binary, the length with one byte per digit, `ff`, content.
fn decode_v3_binary(body: &[u8], on: &mut dyn FnMut(Packet<'_>) -> bool) -> Result<(), PayloadError> {
    let mut rest = body;
    while let [kind, after @ ..] = rest {
        let end = memchr::memchr(0xff, after).ok_or(PayloadError::Length)?;
        let len = decimal(after[..end].iter().copied())?;
        let (packet, after) = after[end + 1..].split_at_checked(len).ok_or(PayloadError::Length)?;
        rest = after;
        let packet = match (kind, packet) {
            (0, text) => v3_packet(utf8(text)?)?,
            (1, [4, data @ ..]) => Packet::Binary(Cow::Borrowed(data)),
            (1, _) => return Err(PayloadError::PacketType),
            _ => return Err(PayloadError::Length),
        };
        if !on(packet) {
            break;
        }
    }
    Ok(())
}

/// Decodes a protocol 3 text packet. With base64 the type follows the `b`: `b4AQID`.
fn v3_packet(packet: &str) -> Result<Packet<'_>, PayloadError> {
    match packet.strip_prefix('b') {
        Some(data) => base64_packet(data.strip_prefix('4').ok_or(PayloadError::PacketType)?),
        None => text_packet(packet),
    }
}

/// Decodes binary data in a WebSocket text message, which clients without binary support send: `bAQID`, or `b4AQID`
/// with protocol 3.
///
/// # Errors
/// See [`PayloadError`].
pub fn base64_text(message: &str, protocol: u8) -> Result<Vec<u8>, PayloadError> {
    let data =
        message.strip_prefix(if protocol == 3 { "b4" } else { "b" }).ok_or(PayloadError::PacketType)?;
    BASE64.decode(data).map_err(|_| PayloadError::Base64)
}

/// Appends data in the form that [`base64_text`] decodes.
pub fn put_base64_text(data: &[u8], protocol: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(if protocol == 3 { b"b4" } else { b"b" });
    put_base64(data, out);
}

fn base64_packet(data: &str) -> Result<Packet<'_>, PayloadError> {
    let data = BASE64.decode(data).map_err(|_| PayloadError::Base64)?;
    Ok(Packet::Binary(Cow::Owned(data)))
}

fn text_packet(packet: &str) -> Result<Packet<'_>, PayloadError> {
    match packet.as_bytes() {
        [b'0'..=b'6', ..] => Ok(Packet::Text(packet)),
        _ => Err(PayloadError::PacketType),
    }
}

/// engine.io decodes invalid UTF-8 to replacement characters. No client sends it, so it is refused here, as on
/// WebSocket.
fn utf8(bytes: &[u8]) -> Result<&str, PayloadError> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| PayloadError::Utf8)
}

fn decimal(digits: impl Iterator<Item = u8>) -> Result<usize, PayloadError> {
    let mut value = None;
    for digit in digits {
        if digit > 9 {
            return Err(PayloadError::Length);
        }
        let so_far: usize = value.unwrap_or(0);
        let next = so_far.checked_mul(10).and_then(|v| v.checked_add(usize::from(digit)));
        value = Some(next.ok_or(PayloadError::Length)?);
    }
    value.ok_or(PayloadError::Length)
}

/// Splits after `units` UTF-16 code units; `None` if the text is shorter or a character straddles that position.
fn split_utf16(text: &str, units: usize) -> Option<(&str, &str)> {
    // The usual case is ASCII: one unit per byte.
    if let Some((head, tail)) = text.split_at_checked(units)
        && head.is_ascii()
    {
        return Some((head, tail));
    }
    let mut seen = 0;
    let mut end = 0;
    for c in text.chars() {
        if seen >= units {
            break;
        }
        seen += c.len_utf16();
        end += c.len_utf8();
    }
    (seen == units).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests;
