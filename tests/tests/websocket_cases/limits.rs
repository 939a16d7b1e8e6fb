//! Section 9: large messages, small pieces, many round trips.

use super::Cases;
use super::peer::{BINARY, Got, Peer, TEXT, fragmented, frame};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// A message of a case and how it is echoed.
fn message(binary: bool, pattern: &[u8], len: usize) -> (u8, Vec<u8>, Got) {
    let payload: Vec<u8> = pattern.iter().copied().cycle().take(len).collect();
    if binary {
        return (BINARY, payload.clone(), Got::Binary(payload));
    }
    (TEXT, [b"4", &payload[..]].concat(), Got::Text(payload))
}

fn comes_back(peer: &mut Peer, expected: &Got) {
    // Not by `assert_eq!`: a failure would print megabytes.
    assert!(peer.next() == *expected, "the message did not come back as it was");
}

pub fn cases(cases: &mut Cases) {
    for (binary, kind, pattern) in
        [(false, "text", &b"BAsd7&jh23"[..]), (true, "binary", b"\x00\xfe\x23\xfa\xf0")]
    {
        let section = |text: usize| if binary { text + 1 } else { text };
        let sizes = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];
        for (i, len) in (1..).zip(sizes) {
            cases.add(
                format!("9.{}.{i}", section(1)),
                &format!("{kind} of {} KiB", len / KIB),
                move |peer| {
                    let (opcode, payload, echo) = message(binary, pattern, len);
                    peer.send(&frame(opcode, true, 0, &payload));
                    comes_back(peer, &echo);
                    peer.leaves();
                },
            );
        }
        let sizes = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
        for (i, size) in (1..).zip(sizes) {
            let what = format!("{kind} of 4 MiB in frames of {size}");
            cases.add(format!("9.{}.{i}", section(3)), &what, move |peer| {
                let (opcode, payload, echo) = message(binary, b"*", 4 * MIB);
                peer.send(&fragmented(opcode, 0, &payload, size));
                comes_back(peer, &echo);
                peer.leaves();
            });
        }
        for (i, chop) in (1..).zip([64, 128, 256, 512, KIB, 2 * KIB]) {
            let what = format!("{kind} of 1 MiB in chops of {chop}");
            cases.add(format!("9.{}.{i}", section(5)), &what, move |peer| {
                let (opcode, payload, echo) = message(binary, pattern, MIB);
                peer.send_chopped(&frame(opcode, true, 0, &payload), chop);
                comes_back(peer, &echo);
                peer.leaves();
            });
        }
        for (i, len) in (1..).zip([0, 16, 64, 256, KIB, 4 * KIB]) {
            let what = format!("1000 round trips of {kind} of {len}");
            cases.add(format!("9.{}.{i}", section(7)), &what, move |peer| {
                let (opcode, payload, echo) = message(binary, if binary { b"\xfe" } else { b"*" }, len);
                let frame = frame(opcode, true, 0, &payload);
                for _ in 0..1000 {
                    peer.send(&frame);
                    comes_back(peer, &echo);
                }
                peer.leaves();
            });
        }
    }
}
