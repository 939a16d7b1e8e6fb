//! A message that is framed once, for every kind of connection.
//!
//! The base form is that of an Engine.IO 4 WebSocket: header and payload in one buffer, one frame per part. The forms
//! that few connections need (compressed, Engine.IO 3) are created when the first such connection needs them, and
//! shared by all others.

use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;
use kraken_ws_codec::payload::{self, Part};
use kraken_ws_codec::{deflate, ws};

use crate::engine::budget::{Charge, Outboxes};

const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// The form of a frame for a WebSocket connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// Engine.IO 3: binary parts carry a leading packet type byte.
    pub v3: bool,
    /// Binary parts are sent as base64 text.
    pub base64: bool,
    /// permessage-deflate was negotiated; the threshold is the server's option.
    pub deflate: Option<usize>,
}

/// One message with its encoded forms.
#[derive(Debug)]
pub(crate) struct Frame {
    wire: Bytes,
    /// Range of the first part's payload in `wire`, and whether it is binary.
    first: (Range<u32>, bool),
    rest: Box<[Range<u32>]>,
    compress: bool,
    v3: OnceLock<Bytes>,
    deflated: OnceLock<Bytes>,
    /// Its share of the total budget, set when it is queued for the first time.
    charge: OnceLock<Charge>,
    /// The base64 forms, for Engine.IO 4 and 3.
    texts: OnceLock<Box<[OnceLock<Bytes>; 2]>>,
}

/// Approximate size of a frame without its bytes.
const FLAT: usize = 256;
/// Length of a heartbeat frame.
const HEARTBEAT: usize = 3;

impl Frame {
    /// An Engine.IO message packet (`4…`), followed by its binary parts.
    pub(crate) fn message(prefix: &[u8], data: &str, attachments: &[Bytes], compress: bool) -> Self {
        let len = 1 + prefix.len() + data.len();
        let extra: usize = attachments.iter().map(|a| a.len() + ws::header_len(a.len())).sum();
        let mut wire = Vec::with_capacity(ws::header_len(len) + len + extra);
        ws::put_header(&mut wire, TEXT, false, len);
        let start = wire.len() as u32;
        wire.push(b'4');
        wire.extend_from_slice(prefix);
        wire.extend_from_slice(data.as_bytes());
        let first = (start..wire.len() as u32, false);
        let rest = attachments.iter().map(|a| put_binary(&mut wire, a)).collect();
        Self::of(wire, first, rest, compress)
    }

    /// A binary message, as the msgpack parser encodes it.
    pub(crate) fn binary(payload: &[u8], compress: bool) -> Self {
        let mut wire = Vec::with_capacity(ws::header_len(payload.len()) + payload.len());
        let range = put_binary(&mut wire, payload);
        Self::of(wire, (range, true), Box::default(), compress)
    }

    /// A packet of the engine: `2` ping, `6` noop, `0{…}` open.
    pub(crate) fn engine(text: &str) -> Self {
        let mut wire = Vec::with_capacity(text.len() + ws::header_len(text.len()));
        ws::put_header(&mut wire, TEXT, false, text.len());
        let start = wire.len() as u32;
        wire.extend_from_slice(text.as_bytes());
        let first = (start..wire.len() as u32, false);
        Self::of(wire, first, Box::default(), true)
    }

    /// An encoded WebSocket control frame (pong, close), for WebSocket connections only.
    pub(crate) fn control(wire: Bytes) -> Self {
        Self::of_bytes(wire, (0..0, false), Box::default(), false)
    }

    fn of(wire: Vec<u8>, first: (Range<u32>, bool), rest: Box<[Range<u32>]>, compress: bool) -> Self {
        Self::of_bytes(wire.into(), first, rest, compress)
    }

    fn of_bytes(wire: Bytes, first: (Range<u32>, bool), rest: Box<[Range<u32>]>, compress: bool) -> Self {
        Self {
            wire,
            first,
            rest,
            compress,
            v3: OnceLock::new(),
            deflated: OnceLock::new(),
            charge: OnceLock::new(),
            texts: OnceLock::new(),
        }
    }

    /// Size in bytes that counts in an outbox.
    pub(crate) fn len(&self) -> usize {
        self.wire.len()
    }

    /// Counts the frame against the total budget from now on until it is dropped.
    pub(crate) fn wait(&self, outboxes: &Outboxes) {
        // Heartbeat frames are shared by all connections and never dropped.
        if self.len() > HEARTBEAT {
            self.charge.get_or_init(|| outboxes.charge(FLAT + self.len()));
        }
    }

    /// Whether the sender allows compression.
    pub(crate) fn may_compress(&self) -> bool {
        self.compress
    }

    /// The bytes for a WebSocket connection of this form.
    pub(crate) fn wire(&self, form: Form) -> &[u8] {
        if self.is_control() {
            return &self.wire;
        }
        if form.base64 && self.has_binary() {
            // Never compressed: few clients use base64, and most of them are behind a proxy that breaks binary
            // frames.
            return self.texts.get_or_init(Box::default)[usize::from(form.v3)]
                .get_or_init(|| self.texts_of(form.v3));
        }
        match form.deflate {
            Some(threshold) if self.compress && self.parts().any(|(p, _)| p.len() >= threshold) => {
                // The compressed forms share one slot only if they are equal. With binary parts, Engine.IO 3 frames
                // differ and are compressed separately.
                if form.v3 && self.has_binary() {
                    return self.v3.get_or_init(|| self.build(true, None));
                }
                self.deflated.get_or_init(|| self.build(false, Some(threshold)))
            }
            _ if form.v3 && self.has_binary() => self.v3.get_or_init(|| self.build(true, None)),
            _ => &self.wire,
        }
    }

    /// The engine packets for a polling payload. A text part includes its type character.
    pub(crate) fn payload_parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.parts().filter(|_| !self.is_control()).map(|(bytes, binary)| {
            if binary {
                Part::Binary(bytes)
            } else {
                Part::Text(std::str::from_utf8(bytes).unwrap_or_default())
            }
        })
    }

    /// Text is never empty, because it starts with its packet type.
    fn is_control(&self) -> bool {
        self.first.0.is_empty() && !self.first.1
    }

    fn has_binary(&self) -> bool {
        self.first.1 || !self.rest.is_empty()
    }

    fn parts(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let slice = |r: &Range<u32>| &self.wire[r.start as usize..r.end as usize];
        std::iter::once((slice(&self.first.0), self.first.1))
            .chain(self.rest.iter().map(move |r| (slice(r), true)))
    }

    fn texts_of(&self, v3: bool) -> Bytes {
        let mut out = Vec::with_capacity(self.wire.len() * 4 / 3 + 16);
        for (payload, binary) in self.parts() {
            if binary {
                let mut text = Vec::new();
                payload::put_base64_text(payload, if v3 { 3 } else { 4 }, &mut text);
                ws::put_header(&mut out, TEXT, false, text.len());
                out.extend_from_slice(&text);
            } else {
                ws::put_header(&mut out, TEXT, false, payload.len());
                out.extend_from_slice(payload);
            }
        }
        out.into()
    }

    fn build(&self, v3: bool, threshold: Option<usize>) -> Bytes {
        let mut out = Vec::with_capacity(self.wire.len() + 8);
        for (payload, binary) in self.parts() {
            let opcode = if binary { BINARY } else { TEXT };
            let typed: Vec<u8>;
            let payload = if v3 && binary {
                // Engine.IO 3: the first byte of a binary frame is the type 4 (message).
                typed = [&[4][..], payload].concat();
                &typed[..]
            } else {
                payload
            };
            if threshold.is_some_and(|t| payload.len() >= t) {
                let small = deflate::compress(payload);
                ws::put_header(&mut out, opcode, true, small.len());
                out.extend_from_slice(&small);
            } else {
                ws::put_header(&mut out, opcode, false, payload.len());
                out.extend_from_slice(payload);
            }
        }
        out.into()
    }
}

fn put_binary(wire: &mut Vec<u8>, payload: &[u8]) -> Range<u32> {
    ws::put_header(wire, BINARY, false, payload.len());
    let start = wire.len() as u32;
    wire.extend_from_slice(payload);
    start..wire.len() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Form = Form { v3: false, base64: false, deflate: None };

    #[test]
    fn a_message_is_framed_once_with_its_attachments() {
        let frame = Frame::message(
            b"51-",
            "[\"e\",{\"_placeholder\":true,\"num\":0}]",
            &[Bytes::from_static(b"\x01\x02")],
            true,
        );
        let wire = frame.wire(PLAIN);
        assert_eq!(wire[0], 0x81);
        assert_eq!(&wire[2..6], b"451-");
        assert_eq!(&wire[wire.len() - 4..], b"\x82\x02\x01\x02");
        let v3 = frame.wire(Form { v3: true, base64: false, deflate: None });
        assert_eq!(&v3[v3.len() - 5..], b"\x82\x03\x04\x01\x02");
    }

    #[test]
    fn clients_that_keep_to_text_get_base64() {
        let frame = Frame::message(b"51-", "[\"e\"]", &[Bytes::from_static(b"\x01\x02\x03")], true);
        let wire = frame.wire(Form { v3: false, base64: true, deflate: None });
        assert!(wire.ends_with(b"\x81\x05bAQID"));
        let wire = frame.wire(Form { v3: true, base64: true, deflate: Some(0) });
        assert!(wire.ends_with(b"\x81\x06b4AQID"));
    }

    #[test]
    fn an_empty_binary_message_is_a_message() {
        let frame = Frame::binary(b"", true);
        assert_eq!(frame.wire(PLAIN), b"\x82\x00");
        assert_eq!(frame.wire(Form { v3: true, base64: false, deflate: None }), b"\x82\x01\x04");
        assert!(matches!(frame.payload_parts().collect::<Vec<_>>()[..], [Part::Binary(b"")]));
        let control = Frame::control(Bytes::from_static(b"\x8a\x00"));
        assert_eq!(control.payload_parts().count(), 0);
    }

    #[test]
    fn small_payloads_are_not_compressed() {
        let frame = Frame::message(b"2", "[\"e\"]", &[], true);
        assert_eq!(frame.wire(Form { v3: false, base64: false, deflate: Some(1024) })[0], 0x81);
        let long = format!("[\"{}\"]", "e".repeat(4096));
        let frame = Frame::message(b"2", &long, &[], true);
        let wire = frame.wire(Form { v3: false, base64: false, deflate: Some(1024) });
        assert_eq!(wire[0], 0xc1);
        assert!(wire.len() < 100);
    }
}
