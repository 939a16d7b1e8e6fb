//! Sections 12 and 13: permessage-deflate, by what is compressed and by what is negotiated. Every answer of the
//! host is compressed.

use super::Cases;
use super::peer::{BINARY, Got, Peer, TEXT, deflate, fragmented};

/// Payload of a message, and of a frame; 0 is one frame for all.
const SIZES: [(usize, usize); 18] = [
    (16, 0),
    (64, 0),
    (256, 0),
    (1024, 0),
    (4096, 0),
    (8192, 0),
    (16_384, 0),
    (32_768, 0),
    (65_536, 0),
    (131_072, 0),
    (8192, 256),
    (16_384, 256),
    (32_768, 256),
    (65_536, 256),
    (131_072, 256),
    (131_072, 1024),
    (131_072, 4096),
    (131_072, 32_768),
];

/// Messages of a case. Autobahn sends 1000, which test its own patience: no state passes from one to the next.
const MESSAGES: usize = 10;

const NO_TAKEOVER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
const WINDOW_15: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15";

/// A piece of data, by its number.
type Piece = fn(usize) -> String;

pub fn cases(cases: &mut Cases) {
    // In the place of Autobahn's files: JSON, a picture, a text, HTML and what is compressed already.
    let data: [(&str, bool, Piece); 5] = [
        ("JSON", false, |i| {
            format!("{{\"id\":{i},\"name\":\"Zoë {}\",\"tags\":[true,null,{}.5]}},", i % 97, i * 31)
        }),
        ("picture", true, |i| char::from((i / 7 % 128) as u8).to_string()),
        ("text as binary", true, |i| {
            format!("Habe nun, ach! Philosophie, {} Juristerei und Medizin, {i}\n", i % 5)
        }),
        ("HTML", false, |i| format!("<tr class=\"r{}\"><td>{i}</td><td>ä &amp; €</td></tr>\n", i % 2)),
        ("noise", true, |_| String::new()),
    ];
    for (section, (what, binary, make)) in (1..).zip(data) {
        for (i, size) in (1..).zip(SIZES) {
            cases.offering(
                format!("12.{section}.{i}"),
                &name(what, size),
                Some("permessage-deflate"),
                move |peer| {
                    assert_eq!(peer.extensions.as_deref(), Some(NO_TAKEOVER));
                    round_trips(peer, binary, make, size);
                },
            );
        }
    }
    let (_, binary, make) = data[0];
    let offers = [
        ("permessage-deflate", Some(NO_TAKEOVER)),
        ("permessage-deflate; server_no_context_takeover", Some(NO_TAKEOVER)),
        // Declined: the frames of a broadcast are shared, and use the full window.
        ("permessage-deflate; server_max_window_bits=9", None),
        ("permessage-deflate; server_max_window_bits=15", Some(WINDOW_15)),
        ("permessage-deflate; server_no_context_takeover; server_max_window_bits=9", None),
        ("permessage-deflate; server_no_context_takeover; server_max_window_bits=15", Some(WINDOW_15)),
        (
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=9, \
             permessage-deflate; server_no_context_takeover, permessage-deflate",
            Some(NO_TAKEOVER),
        ),
    ];
    for (section, (offer, answer)) in (1..).zip(offers) {
        for (i, size) in (1..).zip(SIZES) {
            cases.offering(format!("13.{section}.{i}"), &name("JSON", size), Some(offer), move |peer| {
                assert_eq!(peer.extensions.as_deref(), answer);
                round_trips(peer, binary, make, size);
            });
        }
    }
}

fn name(what: &str, (len, frames): (usize, usize)) -> String {
    match frames {
        0 => format!("{what} of {len}"),
        frames => format!("{what} of {len} in frames of {frames}"),
    }
}

/// Sends messages, each another part of the data, compressed if that was negotiated, and wants them back.
fn round_trips(peer: &mut Peer, binary: bool, make: fn(usize) -> String, (len, frames): (usize, usize)) {
    let mut line = 0;
    for _ in 0..MESSAGES {
        let mut payload = Vec::with_capacity(len + 200);
        while payload.len() < len {
            let more = make(line);
            line += 1;
            if more.is_empty() {
                // Noise: a multiplicative hash of the count.
                payload
                    .extend_from_slice(&(line as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[..4]);
            }
            payload.extend_from_slice(more.as_bytes());
        }
        // Text ends between characters.
        let mut end = len;
        while !binary && std::str::from_utf8(&payload[..end]).is_err() {
            end -= 1;
        }
        payload.truncate(end);
        let (opcode, sent) = match binary {
            true => (BINARY, payload.clone()),
            false => (TEXT, [b"4", &payload[..]].concat()),
        };
        let (rsv, sent) = if peer.extensions.is_some() { (4, deflate(&sent)) } else { (0, sent) };
        peer.send(&fragmented(opcode, rsv, &sent, if frames == 0 { usize::MAX / 2 } else { frames }));
        let echo = if binary { Got::Binary(payload) } else { Got::Text(payload) };
        assert!(peer.next() == echo, "the message did not come back as it was");
    }
    peer.leaves();
}
