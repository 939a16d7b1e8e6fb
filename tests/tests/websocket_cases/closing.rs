//! Section 7: the closing handshake.

use super::Cases;
use super::peer::{CLOSE, Got, PING, close, more, text, whole};

const NORMAL: u16 = 1000;
const PROTOCOL_ERROR: u16 = 1002;
const INVALID: u16 = 1007;
/// An empty close frame in the list of what may come.
const NONE: u16 = 0;

pub fn cases(cases: &mut Cases) {
    cases.add("7.1.1", "text and then close", |peer| {
        peer.send(&text(true, "Hello World!"));
        peer.expects_text("Hello World!");
        peer.leaves();
    });
    for (number, what, after) in [
        ("7.1.2", "two close frames", whole(CLOSE, "")),
        ("7.1.3", "ping after close", whole(PING, "")),
        ("7.1.4", "text after close", text(true, "Hello World!")),
    ] {
        cases.add(number, what, move |peer| {
            peer.send(&[close(NORMAL, ""), after].concat());
            peer.ends_with(&[NORMAL]);
        });
    }
    cases.add("7.1.5", "close between fragments", |peer| {
        peer.send(&[text(false, "fragment1"), close(NORMAL, ""), more(true, "fragment2")].concat());
        peer.ends_with(&[NORMAL]);
    });
    cases.add("7.1.6", "256 KiB and text and close and ping", |peer| {
        let long = text(true, "BAsd7&jh23".repeat(26_215));
        peer.send(&[long, text(true, "Hello World!"), close(NORMAL, ""), whole(PING, "")].concat());
        // What the host echoes may come too late, all of it or in part; then comes the close.
        loop {
            match peer.next() {
                Got::Text(_) => {}
                Got::Close(code) => return assert_eq!(code, Some(NORMAL)),
                other => panic!("{other:?}"),
            }
        }
    });
    for (number, what, frame, codes) in [
        ("7.3.1", "empty close", whole(CLOSE, ""), &[NORMAL, NONE][..]),
        ("7.3.2", "close of one byte", whole(CLOSE, "a"), &[PROTOCOL_ERROR]),
        ("7.3.3", "close with a code", close(NORMAL, ""), &[NORMAL]),
        ("7.3.4", "close with a reason", close(NORMAL, "Hello World!"), &[NORMAL]),
        ("7.3.5", "close with the longest reason", close(NORMAL, "*".repeat(123)), &[NORMAL]),
        ("7.3.6", "close with a reason that is too long", close(NORMAL, "*".repeat(124)), &[PROTOCOL_ERROR]),
        (
            "7.5.1",
            "close with a reason that is no UTF-8",
            close(NORMAL, ["κόσμε".as_bytes(), b"\xed\xa0\x80edited"].concat()),
            &[PROTOCOL_ERROR, INVALID],
        ),
        ("7.13.1", "close code 5000", close(5000, ""), &[PROTOCOL_ERROR]),
        ("7.13.2", "close code 65535", close(65_535, ""), &[PROTOCOL_ERROR]),
    ] {
        cases.add(number, what, move |peer| {
            peer.send(&frame);
            peer.ends_with(codes);
        });
    }
    let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    for (i, code) in (1..).zip(valid) {
        cases.add(format!("7.7.{i}"), &format!("close code {code}"), move |peer| {
            peer.send(&close(code, ""));
            peer.ends_with(&[code]);
        });
    }
    for (i, code) in (1..).zip([0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]) {
        cases.add(format!("7.9.{i}"), &format!("close code {code}"), move |peer| {
            peer.send(&close(code, ""));
            peer.ends_with(&[PROTOCOL_ERROR]);
        });
    }
}
