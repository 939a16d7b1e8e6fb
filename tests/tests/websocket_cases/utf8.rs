//! Section 6: text is UTF-8. 6.5 to 6.23 are Markus Kuhn's stress test for decoders.

use super::Cases;
use super::peer::{TEXT, fragmented, frame, more, text};

const INVALID: u16 = 1007;
/// "κόσμε" with the accent of Autobahn's file, U+1F79.
const KOSME: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";

pub fn cases(cases: &mut Cases) {
    for (number, what, parts) in [
        ("6.1.1", "empty text", &[""][..]),
        ("6.1.2", "three empty fragments", &["", "", ""]),
        ("6.1.3", "text between two empty fragments", &["", "middle frame payload", ""]),
        ("6.2.1", "text that is not ASCII", &["Hello-µ@ßöäüàá-UTF-8!!"]),
        ("6.2.2", "fragments between characters", &["Hello-µ@ßöä", "üàá-UTF-8!!"]),
    ] {
        cases.add(number, what, move |peer| {
            let last = parts.len() - 1;
            peer.send(&text(last == 0, parts[0]));
            for (i, part) in parts.iter().enumerate().skip(1) {
                peer.send(&more(i == last, part));
            }
            peer.expects_text(parts.concat());
            peer.leaves();
        });
    }
    for (number, message) in [("6.2.3", "Hello-µ@ßöäüàá-UTF-8!!"), ("6.2.4", "κ\u{1f79}σμε")] {
        cases.add(number, "fragments of one byte", move |peer| {
            peer.send(&fragmented(TEXT, 0, format!("4{message}").as_bytes(), 1));
            peer.expects_text(message);
            peer.leaves();
        });
    }
    let surrogate = || [b"4", KOSME, b"\xed\xa0\x80edited"].concat();
    cases.add("6.3.1", "surrogate", move |peer| {
        peer.send(&frame(TEXT, true, 0, &surrogate()));
        peer.ends_with(&[INVALID]);
    });
    cases.add("6.3.2", "surrogate in fragments of one byte", move |peer| {
        peer.send(&fragmented(TEXT, 0, &surrogate(), 1));
        peer.ends_with(&[INVALID]);
    });
    fail_fast(cases);
    for (section, (what, sequences)) in (5..).zip(sequences()) {
        for (i, (valid, bytes)) in sequences.into_iter().enumerate() {
            cases.add(format!("6.{section}.{}", i + 1), what, move |peer| {
                peer.send(&text(true, &bytes));
                if valid {
                    peer.expects_text(&bytes);
                    peer.leaves();
                } else {
                    peer.ends_with(&[INVALID]);
                }
            });
        }
    }
}

/// Text that can't become valid any more is refused before the rest of it has come.
fn fail_fast(cases: &mut Cases) {
    // U+110000, past the last character: its second byte says so.
    let whole = [KOSME, b"\xf4\x90\x80\x80"].concat();
    let (start, bad) = (KOSME.len(), KOSME.len() + 1);
    for (number, what, good, end) in [
        ("6.4.1", "bad character in the second of three fragments", start, whole.len()),
        ("6.4.2", "bad byte in the second of three fragments", bad, bad + 1),
    ] {
        let whole = whole.clone();
        cases.add(number, what, move |peer| {
            peer.send(&text(false, &whole[..good]));
            peer.send(&more(false, &whole[good..end]));
            peer.ends_with(&[INVALID]);
        });
    }
    for (number, what, good, end) in [
        ("6.4.3", "bad character in the second of three chops", start, whole.len()),
        ("6.4.4", "bad byte in the second of three chops", bad, bad + 1),
    ] {
        let message = text(true, [&whole, &b"edited"[..]].concat());
        // The header of 6 bytes and the engine's packet type.
        let (good, end) = (good + 7, end + 7);
        cases.add(number, what, move |peer| {
            peer.send(&message[..good]);
            peer.send(&message[good..end]);
            peer.ends_with(&[INVALID]);
        });
    }
}

type Sequences = Vec<(&'static str, Vec<(bool, Vec<u8>)>)>;

/// What Autobahn makes of <http://www.cl.cam.ac.uk/~mgk25/ucs/examples/UTF-8-test.txt>, in its order, and
/// whether it is valid.
#[expect(clippy::too_many_lines, reason = "a list")]
fn sequences() -> Sequences {
    let good = |list: &[&[u8]]| list.iter().map(|bytes| (true, bytes.to_vec())).collect::<Vec<_>>();
    let bad = |list: &[&[u8]]| list.iter().map(|bytes| (false, bytes.to_vec())).collect::<Vec<_>>();
    let prefixes = (1..=KOSME.len()).map(|end| {
        let prefix = &KOSME[..end];
        (std::str::from_utf8(prefix).is_ok(), prefix.to_vec())
    });
    let continuations: Vec<u8> = (0x80..0xbf).collect();
    let starts = [(0xc0, 0xdf), (0xe0, 0xef), (0xf0, 0xf7), (0xf8, 0xfb), (0xfc, 0xfd)];
    let lonely = starts.map(|(from, to)| (false, (from..to).flat_map(|byte| [byte, b' ']).collect()));
    let unfinished: [&[u8]; 10] = [
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xf8\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xfb\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf",
    ];
    let mut non_characters = good(&[b"\xef\xbf\xbe", b"\xef\xbf\xbf"]);
    for first in 0xf0..=0xf4u8 {
        for second in [0x8f, 0x9f, 0xaf, 0xbf] {
            for last in [0xbe, 0xbf] {
                let bytes = vec![first, second, 0xbf, last];
                // Not what is overlong or past U+10FFFF.
                if std::str::from_utf8(&bytes).is_ok() {
                    non_characters.push((true, bytes));
                }
            }
        }
    }
    let mut others = good(&[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"]);
    others.extend(bad(&[b"\xf4\x90\x80\x80"]));
    vec![
        (
            "valid text",
            good(&[
                b"hello\x24world",
                b"hello\xc2\xa2world",
                b"hello\xe2\x82\xacworld",
                b"hello\xf0\xa4\xad\xa2world",
                KOSME,
            ]),
        ),
        ("prefix of valid text", prefixes.collect()),
        ("first of a length", good(&[b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"])),
        ("first of a length that is none", bad(&[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"])),
        ("last of a length", good(&[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"])),
        (
            "last of a length that is none",
            bad(&[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"]),
        ),
        ("other boundaries", others),
        (
            "unexpected continuation bytes",
            bad(&[
                b"\x80",
                b"\xbf",
                b"\x80\xbf",
                b"\x80\xbf\x80",
                b"\x80\xbf\x80\xbf",
                b"\x80\xbf\x80\xbf\x80",
                b"\x80\xbf\x80\xbf\x80\xbf",
                &continuations,
            ]),
        ),
        ("lonely start bytes", lonely.to_vec()),
        ("last byte missing", bad(&unfinished)),
        ("unfinished sequences one after the other", bad(&[&unfinished.concat()])),
        ("impossible bytes", bad(&[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"])),
        (
            "overlong slash",
            bad(&[
                b"\xc0\xaf",
                b"\xe0\x80\xaf",
                b"\xf0\x80\x80\xaf",
                b"\xf8\x80\x80\x80\xaf",
                b"\xfc\x80\x80\x80\x80\xaf",
            ]),
        ),
        (
            "last overlong of a length",
            bad(&[
                b"\xc1\xbf",
                b"\xe0\x9f\xbf",
                b"\xf0\x8f\xbf\xbf",
                b"\xf8\x87\xbf\xbf\xbf",
                b"\xfc\x83\xbf\xbf\xbf\xbf",
            ]),
        ),
        (
            "overlong NUL",
            bad(&[
                b"\xc0\x80",
                b"\xe0\x80\x80",
                b"\xf0\x80\x80\x80",
                b"\xf8\x80\x80\x80\x80",
                b"\xfc\x80\x80\x80\x80\x80",
            ]),
        ),
        (
            "single surrogate",
            bad(&[
                b"\xed\xa0\x80",
                b"\xed\xad\xbf",
                b"\xed\xae\x80",
                b"\xed\xaf\xbf",
                b"\xed\xb0\x80",
                b"\xed\xbe\x80",
                b"\xed\xbf\xbf",
            ]),
        ),
        (
            "pair of surrogates",
            bad(&[
                b"\xed\xa0\x80\xed\xb0\x80",
                b"\xed\xa0\x80\xed\xbf\xbf",
                b"\xed\xad\xbf\xed\xb0\x80",
                b"\xed\xad\xbf\xed\xbf\xbf",
                b"\xed\xae\x80\xed\xb0\x80",
                b"\xed\xae\x80\xed\xbf\xbf",
                b"\xed\xaf\xbf\xed\xb0\x80",
                b"\xed\xaf\xbf\xed\xbf\xbf",
            ]),
        ),
        ("no character but valid", non_characters),
        (
            "specials",
            good(&[
                b"\xef\xbf\xb9",
                b"\xef\xbf\xba",
                b"\xef\xbf\xbb",
                b"\xef\xbf\xbc",
                b"\xef\xbf\xbd",
                b"\xef\xbf\xbe",
                b"\xef\xbf\xbf",
            ]),
        ),
    ]
}
