//! Sections 1 to 5: framing, pings and pongs, reserved bits, opcodes, fragmentation. Section 10: fragments
//! made by the sender.

use super::Cases;
use super::peer::{
    BINARY, CLOSE, CONTINUATION, Got, PING, PONG, Peer, TEXT, fragmented, frame, more, text, whole,
};

const PROTOCOL_ERROR: u16 = 1002;
const HELLO: &str = "Hello, world!";
const NO_TEXT: &[u8] = &[0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff];

pub fn cases(cases: &mut Cases) {
    messages(cases);
    pings(cases);
    reserved_bits(cases);
    opcodes(cases);
    fragments(cases);
    cases.add("10.1.1", "text of 65536 bytes in frames of 1300", |peer| {
        let payload = "*".repeat(65_536);
        peer.send(&fragmented(TEXT, 0, format!("4{payload}").as_bytes(), 1300));
        peer.expects_text(&payload);
        peer.leaves();
    });
}

fn messages(cases: &mut Cases) {
    // The last one is sent in chops of 997 bytes.
    let lengths = [(0, 0), (125, 0), (126, 0), (127, 0), (128, 0), (65_535, 0), (65_536, 0), (65_536, 997)];
    for (i, (len, chop)) in lengths.into_iter().enumerate() {
        let chopped = if chop > 0 { format!(" in chops of {chop}") } else { String::new() };
        cases.add(format!("1.1.{}", i + 1), &format!("text of {len} bytes{chopped}"), move |peer| {
            let payload = "*".repeat(len);
            send(peer, &text(true, &payload), chop);
            peer.expects_text(&payload);
            peer.leaves();
        });
        cases.add(format!("1.2.{}", i + 1), &format!("binary of {len} bytes{chopped}"), move |peer| {
            let payload = vec![0xfe; len];
            send(peer, &whole(BINARY, &payload), chop);
            assert_eq!(peer.next(), Got::Binary(payload));
            peer.leaves();
        });
    }
}

/// In chops, or in one piece if `chop` is 0.
fn send(peer: &mut Peer, bytes: &[u8], chop: usize) {
    if chop == 0 { peer.send(bytes) } else { peer.send_chopped(bytes, chop) }
}

fn pings(cases: &mut Cases) {
    for (number, what, payload, chop) in [
        ("2.1", "ping without payload", &b""[..], 0),
        ("2.2", "ping with text", HELLO.as_bytes(), 0),
        ("2.3", "ping with bytes that are no text", NO_TEXT, 0),
        ("2.4", "ping of 125 bytes", &[0xfe; 125], 0),
        ("2.6", "ping of 125 bytes in single bytes", &[0xfe; 125], 1),
    ] {
        cases.add(number, what, move |peer| {
            send(peer, &whole(PING, payload), chop);
            peer.expects_pong(payload);
            peer.leaves();
        });
    }
    fails(cases, "2.5", "ping of 126 bytes", vec![whole(PING, [0xfe; 126])], 0);
    for (number, what, payload) in [
        ("2.7", "pong that nobody asked for", &b""[..]),
        ("2.8", "pong with payload that nobody asked for", b"unsolicited pong payload"),
    ] {
        cases.add(number, what, move |peer| {
            peer.send(&whole(PONG, payload));
            peer.leaves();
        });
    }
    cases.add("2.9", "pong that nobody asked for and a ping", |peer| {
        peer.send(&whole(PONG, "unsolicited pong payload"));
        peer.send(&whole(PING, "ping payload"));
        peer.expects_pong("ping payload");
        peer.leaves();
    });
    for (number, what, chop) in [("2.10", "ten pings", 0), ("2.11", "ten pings in single bytes", 1)] {
        cases.add(number, what, move |peer| {
            for i in 0..10 {
                send(peer, &whole(PING, format!("payload-{i}")), chop);
            }
            for i in 0..10 {
                peer.expects_pong(format!("payload-{i}"));
            }
            peer.leaves();
        });
    }
}

/// These frames end the connection with a protocol error and are answered by nothing else.
fn fails(cases: &mut Cases, number: &str, what: &str, frames: Vec<Vec<u8>>, chop: usize) {
    cases.add(number, what, move |peer| {
        send(peer, &frames.concat(), chop);
        peer.ends_with(&[PROTOCOL_ERROR]);
    });
}

/// A good message, whose echo may come, and then these frames, which end the connection; the ping behind them is
/// not answered.
fn fails_after_hello(cases: &mut Cases, number: &str, what: &str, bad: Vec<u8>, chop: usize) {
    cases.add(number, what, move |peer| {
        send(peer, &[text(true, HELLO), bad, whole(PING, "")].concat(), chop);
        peer.fails_maybe_after(HELLO, PROTOCOL_ERROR);
    });
}

fn reserved_bits(cases: &mut Cases) {
    let hello = format!("4{HELLO}");
    let hello = |rsv| frame(TEXT, true, rsv, hello.as_bytes());
    fails(cases, "3.1", "text with RSV 1", vec![hello(1)], 0);
    fails_after_hello(cases, "3.2", "text with RSV 2 after text", hello(2), 0);
    fails_after_hello(cases, "3.3", "text with RSV 3 after text frame by frame", hello(3), 25);
    fails_after_hello(cases, "3.4", "text with RSV 4 after text in single bytes", hello(4), 1);
    fails(cases, "3.5", "binary with RSV 5", vec![frame(BINARY, true, 5, NO_TEXT)], 0);
    fails(cases, "3.6", "ping with RSV 6", vec![frame(PING, true, 6, HELLO.as_bytes())], 0);
    fails(cases, "3.7", "close with RSV 7", vec![frame(CLOSE, true, 7, b"")], 0);
}

fn opcodes(cases: &mut Cases) {
    for (section, first) in [("4.1", 3), ("4.2", 11)] {
        let named = |i: u8| (format!("{section}.{}", i + 1), format!("opcode {}", first + i));
        let (number, what) = named(0);
        fails(cases, &number, &what, vec![whole(first, "")], 0);
        let (number, what) = named(1);
        fails(cases, &number, &what, vec![whole(first + 1, "reserved opcode payload")], 0);
        for (i, payload, chop) in [(2, "", 0), (3, HELLO, 0), (4, HELLO, 1)] {
            let (number, what) = named(i);
            fails_after_hello(cases, &number, &format!("{what} after text"), whole(first + i, payload), chop);
        }
    }
}

fn fragments(cases: &mut Cases) {
    for (number, what, opcode) in
        [("5.1", "ping in two fragments", PING), ("5.2", "pong in two fragments", PONG)]
    {
        let frames = vec![frame(opcode, false, 0, b"fragment1"), more(true, "fragment2")];
        fails(cases, number, what, frames, 0);
    }
    // What "frame by frame" comes to is up to the kernel: a frame has 15 or 16 bytes here.
    for (i, how, chop) in [(3, "", 0), (4, " frame by frame", 16), (5, " in single bytes", 1)] {
        cases.add(format!("5.{i}"), &format!("text in two fragments{how}"), move |peer| {
            send(peer, &[text(false, "fragment1"), more(true, "fragment2")].concat(), chop);
            peer.expects_text("fragment1fragment2");
            peer.leaves();
        });
        cases.add(format!("5.{}", i + 3), &format!("ping between two fragments{how}"), move |peer| {
            let frames = [text(false, "fragment1"), whole(PING, "ping payload"), more(true, "fragment2")];
            send(peer, &frames.concat(), chop);
            peer.expects_pong("ping payload");
            peer.expects_text("fragment1fragment2");
            peer.leaves();
        });
        for (at, fin) in [(9, true), (12, false)] {
            let frames = vec![more(fin, "non-continuation payload"), text(true, HELLO)];
            let what = format!("continuation of nothing with FIN {fin}{how}");
            fails(cases, &format!("5.{}", at + i - 3), &what, frames, chop);
        }
    }
    cases.add("5.15", "continuation of nothing after a message in fragments", |peer| {
        let message = [text(false, "fragment1"), more(true, "fragment2")];
        let after = [more(false, "fragment3"), text(true, "fragment4")];
        peer.send(&[message.concat(), after.concat()].concat());
        peer.fails_maybe_after("fragment1fragment2", PROTOCOL_ERROR);
    });
    for (number, fin) in [("5.16", false), ("5.17", true)] {
        let one = [more(fin, "fragment1"), text(false, "fragment2"), more(true, "fragment3")].concat();
        let what = format!("twice a continuation of nothing with FIN {fin} and a message");
        fails(cases, number, &what, vec![one.clone(), one], 0);
    }
    let both_text = vec![text(false, "fragment1"), text(true, "fragment2")];
    fails(cases, "5.18", "second fragment as text", both_text, 0);
    for (number, what, chop) in
        [("5.19", "pings between fragments", 0), ("5.20", "pings between fragments frame by frame", 16)]
    {
        cases.add(number, what, move |peer| {
            let first = [text(false, "fragment1"), more(false, "fragment2"), whole(PING, "pongme 1!")];
            send(peer, &first.concat(), chop);
            // The answer comes while the message is still incomplete.
            peer.expects_pong("pongme 1!");
            let second = [
                frame(CONTINUATION, false, 0, b"fragment3"),
                more(false, "fragment4"),
                whole(PING, "pongme 2!"),
                more(true, "fragment5"),
            ];
            send(peer, &second.concat(), chop);
            peer.expects_pong("pongme 2!");
            peer.expects_text("fragment1fragment2fragment3fragment4fragment5");
            peer.leaves();
        });
    }
}
