//! The expected bodies are the output of engine.io-parser 5 and 2.

use super::*;

fn v4(body: &[u8]) -> (Vec<Packet<'static>>, Result<(), PayloadError>) {
    let mut seen = Vec::new();
    let result = decode_v4(body, &mut collect(&mut seen));
    (seen, result)
}

fn v3(body: &[u8], binary: bool) -> (Vec<Packet<'static>>, Result<(), PayloadError>) {
    let mut seen = Vec::new();
    let result = decode_v3(body, binary, &mut collect(&mut seen));
    (seen, result)
}

fn collect(seen: &mut Vec<Packet<'static>>) -> impl FnMut(Packet<'_>) -> bool {
    |packet| {
        seen.push(match packet {
            Packet::Text(text) => Packet::Text(text.to_owned().leak()),
            Packet::Binary(data) => Packet::Binary(Cow::Owned(data.into_owned())),
        });
        true
    }
}

fn binary(data: &[u8]) -> Packet<'static> {
    Packet::Binary(Cow::Owned(data.to_vec()))
}

const PARTS: [Part<'_>; 3] = [Part::Text("4héllo 𝄞"), Part::Binary(&[1, 2, 255]), Part::Text("6")];

#[test]
fn v4_packets_are_joined_with_a_record_separator() {
    let mut out = Vec::new();
    encode_v4(PARTS.into_iter(), &mut out);
    assert_eq!(out, "4héllo 𝄞\x1ebAQL/\x1e6".as_bytes());
    let (seen, result) = v4(&out);
    assert_eq!(seen, [Packet::Text("4héllo 𝄞"), binary(&[1, 2, 255]), Packet::Text("6")]);
    assert!(result.is_ok());
}

#[test]
fn v4_hands_over_what_comes_before_the_error() {
    assert_eq!(v4(b""), (vec![], Err(PayloadError::PacketType)));
    assert_eq!(v4(b"4a\x1e"), (vec![Packet::Text("4a")], Err(PayloadError::PacketType)));
    assert_eq!(v4(b"4a\x1e7\x1e4b"), (vec![Packet::Text("4a")], Err(PayloadError::PacketType)));
    assert_eq!(v4(b"b!!"), (vec![], Err(PayloadError::Base64)));
    assert_eq!(v4(b"4\xff"), (vec![], Err(PayloadError::Utf8)));
}

#[test]
fn base64_may_lack_its_padding() {
    for body in ["bAQI=", "bAQI"] {
        assert_eq!(v4(body.as_bytes()).0, [binary(&[1, 2])]);
    }
    assert_eq!(v4(b"b").0, [binary(&[])]);
}

#[test]
fn decoding_stops_when_told() {
    let mut count = 0;
    let mut once = |_: Packet<'_>| {
        count += 1;
        false
    };
    assert!(decode_v4(b"4a\x1e4b\x1egarbage", &mut once).is_ok());
    assert!(decode_v3(b"2:4a2:4bgarbage", false, &mut once).is_ok());
    assert!(decode_v3(b"\x00\x02\xff4a\x07", true, &mut once).is_ok());
    assert_eq!(count, 3);
}

#[test]
fn v3_text_form_counts_utf16_units() {
    let mut out = Vec::new();
    assert!(!encode_v3(PARTS.into_iter(), false, &mut out));
    assert_eq!(out, "9:4héllo 𝄞6:b4AQL/1:6".as_bytes());
    let (seen, result) = v3(&out, false);
    assert_eq!(seen, [Packet::Text("4héllo 𝄞"), binary(&[1, 2, 255]), Packet::Text("6")]);
    assert!(result.is_ok());
}

#[test]
fn v3_binary_form_is_taken_for_binary_packets_only() {
    let mut out = Vec::new();
    assert!(encode_v3(PARTS.into_iter(), true, &mut out));
    let mut expected = b"\x00\x01\x02\xff".to_vec();
    expected.extend("4héllo 𝄞".as_bytes());
    expected.extend(b"\x01\x04\xff\x04\x01\x02\xff\x00\x01\xff6");
    assert_eq!(out, expected);
    let (seen, result) = v3(&out, true);
    assert_eq!(seen, [Packet::Text("4héllo 𝄞"), binary(&[1, 2, 255]), Packet::Text("6")]);
    assert!(result.is_ok());

    let mut out = Vec::new();
    assert!(!encode_v3([Part::Text("2")].into_iter(), true, &mut out));
    assert_eq!(out, b"1:2");
    let mut out = Vec::new();
    assert!(!encode_v3(std::iter::empty(), true, &mut out));
    assert_eq!(out, b"0:");
    assert_eq!(v3(b"0:", false), (vec![], Ok(())));
}

#[test]
fn v3_text_lengths_have_to_be_right() {
    for body in [
        "",
        ":4a",
        "2",
        "2:4",
        "1:4a",
        "x:4",
        "-1:4",
        "1e0:4",
        "99999999999999999999999999:4",
        // The packet ends inside a surrogate pair.
        "2:4𝄞",
    ] {
        assert_eq!(v3(body.as_bytes(), false).1, Err(PayloadError::Length), "{body:?}");
    }
    assert_eq!(v3(b"2:b3", false).1, Err(PayloadError::PacketType));
    assert_eq!(v3(b"1:9", false).1, Err(PayloadError::PacketType));
}

#[test]
fn v3_binary_lengths_have_to_be_right() {
    for body in [
        &b"\x00"[..],
        b"\x00\xff4",
        b"\x00\x02\xff4",
        b"\x00\x0a\xff4a",
        b"\x02\x01\xff4",
        b"\x00\x01\x01\x01",
    ] {
        assert_eq!(v3(body, true).1, Err(PayloadError::Length), "{body:?}");
    }
    let long = [&[0][..], &[9; 400], &[0xff]].concat();
    assert_eq!(v3(&long, true).1, Err(PayloadError::Length));
    assert_eq!(v3(b"\x01\x02\xff\x034", true).1, Err(PayloadError::PacketType));
    assert_eq!(v3(b"", true), (vec![], Ok(())));
}
