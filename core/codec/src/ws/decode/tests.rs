use super::*;

const LIMITS: Limits = Limits { max_message: 1000, deflate: false };
const DEFLATE: Limits = Limits { max_message: 1000, deflate: true };
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// A client's frame; `first` is its first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        len @ 0..=125 => out.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

fn show(incoming: Incoming<'_>) -> String {
    format!("{incoming:?}")
}

/// Feeds the input in one piece.
fn read(limits: &Limits, mut input: Vec<u8>) -> (Vec<String>, Result<usize, WsError>) {
    let mut seen = Vec::new();
    let result = Decoder::new().feed(&mut input, limits, &mut |incoming| {
        seen.push(show(incoming));
        true
    });
    (seen, result)
}

fn error(limits: &Limits, input: Vec<u8>) -> WsError {
    // The error must not depend on how the bytes are split.
    let mut decoder = Decoder::new();
    let mut split = Ok(0);
    for byte in &input {
        split = split.and(decoder.feed(&mut [*byte], limits, &mut |_| true));
    }
    let whole = read(limits, input).1;
    assert_eq!(split.err(), whole.err());
    whole.unwrap_err()
}

#[test]
fn idle_decoder_is_small_and_owns_nothing() {
    assert!(size_of::<Decoder>() <= 48);
    let mut decoder = Decoder::new();
    let mut input = frame(0x81, b"4hello");
    input.extend(frame(0x01, b"he"));
    let on = &mut |_: Incoming<'_>| true;
    decoder.feed(&mut input, &LIMITS, on).unwrap();
    assert!(decoder.buffered() > 0, "an open fragmented message is held");
    decoder.feed(&mut frame(0x80, b"llo"), &LIMITS, on).unwrap();
    assert_eq!(decoder.buffered(), 0);
    decoder.feed(&mut [0x89], &LIMITS, on).unwrap();
    assert!(decoder.buffered() > 0, "half a header is held");
    decoder.feed(&mut [0x80, 0, 0, 0, 0], &LIMITS, on).unwrap();
    assert_eq!(decoder.buffered(), 0);
}

#[test]
fn announced_length_reserves_nothing() {
    let limits = Limits { max_message: 1 << 30, deflate: false };
    let mut decoder = Decoder::new();
    let mut head = vec![0x82, 0x80 | 127];
    head.extend_from_slice(&(1u64 << 30).to_be_bytes());
    head.extend_from_slice(&MASK);
    decoder.feed(&mut head, &limits, &mut |_| true).unwrap();
    assert!(decoder.buffered() < 1024);
}

#[test]
fn whole_frame_is_borrowed_from_the_input() {
    let mut input = frame(0x82, &[7; 500]);
    let place = input.as_ptr_range();
    let (start, end) = (place.start as usize, place.end as usize);
    let mut seen = 0;
    Decoder::new()
        .feed(&mut input, &LIMITS, &mut |incoming| {
            let Incoming::Binary(data) = incoming else { panic!("{incoming:?}") };
            let at = data.as_ptr() as usize;
            assert!(start < at && at + data.len() == end);
            seen += 1;
            true
        })
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn every_split_gives_the_same_messages() {
    let mut input = frame(0x81, "4π hello".as_bytes());
    input.extend(frame(0x01, "ü".as_bytes().split_at(1).0));
    input.extend(frame(0x89, b"ping in between"));
    input.extend(frame(0x00, &[]));
    input.extend(frame(0x80, &"üx".as_bytes()[1..]));
    input.extend(frame(0x82, &[9; 300]));
    input.extend(frame(0x81, b""));
    input.extend(frame(0x8a, b""));
    input.extend(frame(0x88, &[0x03, 0xe8, b'b', b'y', b'e']));
    let (whole, result) = read(&LIMITS, input.clone());
    assert_eq!(result, Ok(input.len()));
    assert_eq!(whole.len(), 7);
    assert_eq!(whole[2], r#"Text("üx")"#);
    assert_eq!(whole[6], r#"Close { code: Some(1000), reason: "bye" }"#);
    for first in 0..=input.len() {
        for second in [first, (first + 1).min(input.len()), (first + 7).min(input.len())] {
            let mut decoder = Decoder::new();
            let mut seen = Vec::new();
            for range in [0..first, first..second, second..input.len()] {
                let mut part = input[range].to_vec();
                let used = decoder.feed(&mut part, &LIMITS, &mut |incoming| {
                    seen.push(show(incoming));
                    true
                });
                assert_eq!(used, Ok(part.len()));
            }
            assert_eq!(seen, whole, "split at {first} and {second}");
        }
    }
}

#[test]
fn stops_behind_the_frame_that_was_refused_and_goes_on_from_there() {
    let mut input = frame(0x81, b"a");
    let first = input.len();
    input.extend(frame(0x01, b"b"));
    input.extend(frame(0x80, b"c"));
    let second = input.len();
    input.extend(frame(0x81, b"d"));
    let mut decoder = Decoder::new();
    let mut seen = Vec::new();
    let mut stop = |incoming: Incoming<'_>| {
        seen.push(show(incoming));
        false
    };
    assert_eq!(decoder.feed(&mut input, &LIMITS, &mut stop), Ok(first));
    assert_eq!(decoder.feed(&mut input[first..], &LIMITS, &mut stop), Ok(second - first));
    let rest = input.len() - second;
    assert_eq!(decoder.feed(&mut input[second..], &LIMITS, &mut stop), Ok(rest));
    assert_eq!(seen, [r#"Text("a")"#, r#"Text("bc")"#, r#"Text("d")"#]);
}

#[test]
fn framing_violations_close_with_1002() {
    let unmasked = vec![0x81, 0x01, b'a'];
    let mut late_text = frame(0x01, b"a");
    late_text.extend(frame(0x81, b"b"));
    let cases = [
        unmasked,
        frame(0xc1, b"rsv1 without deflate"),
        frame(0xa1, b"rsv2"),
        frame(0x91, b"rsv3"),
        frame(0x83, b"opcode 3"),
        frame(0x8b, b"opcode 11"),
        frame(0x80, b"nothing to continue"),
        frame(0x09, b"fragmented ping"),
        frame(0x89, &[0; 126]),
        frame(0x88, &[3]),
        late_text,
    ];
    for case in cases {
        let error = error(&LIMITS, case);
        assert!(matches!(error, WsError::Protocol(_)), "{error}");
        assert_eq!(error.close_code(), 1002);
    }
    for control in [0xc8, 0xc9, 0xca, 0xc0] {
        let mut input = frame(0x01, b"a");
        input.extend(frame(control, b""));
        assert_eq!(error(&DEFLATE, input).close_code(), 1002, "RSV1 on {control:x}");
    }
}

#[test]
fn bad_close_frames_are_told_apart_from_good_ones() {
    for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        assert_eq!(error(&LIMITS, frame(0x88, &code.to_be_bytes())).close_code(), 1002, "{code}");
    }
    for code in [1000u16, 1003, 1007, 1014, 3000, 4999] {
        let (seen, result) = read(&LIMITS, frame(0x88, &code.to_be_bytes()));
        assert!(result.is_ok());
        assert_eq!(seen, [format!("Close {{ code: Some({code}), reason: \"\" }}")]);
    }
    let (seen, _) = read(&LIMITS, frame(0x88, b""));
    assert_eq!(seen, [r#"Close { code: None, reason: "" }"#]);
    assert_eq!(error(&LIMITS, frame(0x88, &[3, 0xe8, 0xff])).close_code(), 1007);
}

#[test]
fn text_that_is_not_utf8_closes_with_1007() {
    assert_eq!(error(&LIMITS, frame(0x81, &[0xc0, 0x80])), WsError::InvalidUtf8);
    // A surrogate, and a character cut off by the end of the message.
    assert_eq!(error(&LIMITS, frame(0x81, &[0xed, 0xa0, 0x80])).close_code(), 1007);
    let mut input = frame(0x01, &[0xe2, 0x82]);
    input.extend(frame(0x80, b""));
    assert_eq!(error(&LIMITS, input).close_code(), 1007);
    assert!(read(&LIMITS, frame(0x82, &[0xc0, 0x80])).1.is_ok(), "binary may be anything");
}

#[test]
fn too_big_a_message_closes_with_1009() {
    assert!(read(&LIMITS, frame(0x82, &[0; 1000])).1.is_ok());
    // Refused after the header, before the payload has arrived.
    assert_eq!(error(&LIMITS, frame(0x82, &[0; 1001])[..8].to_vec()), WsError::TooBig);
    let mut fragments = frame(0x02, &[0; 600]);
    fragments.extend(frame(0x80, &[0; 401]));
    assert_eq!(error(&LIMITS, fragments).close_code(), 1009);
    let mut huge = vec![0x82, 0x80 | 127];
    huge.extend_from_slice(&u64::MAX.to_be_bytes());
    assert_eq!(error(&LIMITS, huge), WsError::TooBig);
}

#[test]
fn compressed_messages_are_inflated_whole_and_in_fragments() {
    let text = "4[\"chat\",\"hello hello hello\"]".repeat(10);
    let small = deflate::compress(text.as_bytes());
    let expected = [format!("Text({text:?})")];
    assert_eq!(read(&DEFLATE, frame(0xc1, &small)).0, expected);
    let (head, tail) = small.split_at(small.len() / 2);
    let mut input = frame(0x41, head);
    input.extend(frame(0x80, tail));
    assert_eq!(read(&DEFLATE, input).0, expected);
    assert_eq!(read(&DEFLATE, frame(0x81, b"plain")).0, [r#"Text("plain")"#]);
}

#[test]
fn bad_and_oversized_deflate_streams_are_refused() {
    let error_of = |payload: &[u8]| error(&DEFLATE, frame(0xc2, payload)).close_code();
    assert_eq!(error_of(&[0xff; 40]), 1007);
    assert_eq!(error_of(&deflate::compress(&[0; 1001])), 1009);
    assert!(read(&DEFLATE, frame(0xc2, &deflate::compress(&[0; 1000]))).1.is_ok());
}

#[test]
fn nothing_is_read_after_a_close_or_an_error() {
    let mut input = frame(0x88, b"");
    input.extend(frame(0x81, b"late"));
    let (seen, result) = read(&LIMITS, input.clone());
    assert_eq!((seen.len(), result), (1, Ok(input.len())));

    let mut decoder = Decoder::new();
    let mut calls = 0;
    let mut on = |_: Incoming<'_>| {
        calls += 1;
        true
    };
    assert!(decoder.feed(&mut frame(0x83, b""), &LIMITS, &mut on).is_err());
    assert_eq!(decoder.feed(&mut frame(0x81, b"late"), &LIMITS, &mut on), Ok(10));
    assert_eq!((calls, decoder.buffered()), (0, 0));
}

#[test]
fn text_that_can_not_become_valid_is_refused_before_the_rest_of_it_comes() {
    let on = &mut |_: Incoming<'_>| true;
    // The first two bytes of U+110000, which is above the last code point; then a surrogate.
    for bad in [&[0xf4, 0x90][..], &[0xed, 0xa0], &[0xc0], &[0xff]] {
        let mut fragments = Decoder::new();
        fragments.feed(&mut frame(0x01, "4κόσμε".as_bytes()), &LIMITS, on).unwrap();
        assert_eq!(fragments.feed(&mut frame(0x00, bad), &LIMITS, on), Err(WsError::InvalidUtf8));
        let mut pieces = frame(0x81, &[b"4ab", bad, b"more"].concat());
        let end = pieces.len() - 4;
        assert_eq!(Decoder::new().feed(&mut pieces[..end], &LIMITS, on), Err(WsError::InvalidUtf8));
    }
    // A character that is cut by a fragment or by a read is completed later.
    let mut decoder = Decoder::new();
    for part in [frame(0x01, &[0xe2]), frame(0x00, &[0x82]), frame(0x80, &[0xac])] {
        for byte in part {
            decoder.feed(&mut [byte], &LIMITS, on).unwrap();
        }
    }
    // Binary and compressed payloads are not checked as UTF-8 before they are complete.
    let mut decoder = Decoder::new();
    decoder.feed(&mut frame(0x02, &[0xff]), &LIMITS, on).unwrap();
    decoder.feed(&mut frame(0x80, &[0xff]), &LIMITS, on).unwrap();
    decoder.feed(&mut frame(0x41, &[0xff]), &DEFLATE, on).unwrap();
}
