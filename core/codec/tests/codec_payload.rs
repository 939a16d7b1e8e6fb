//! Polling bodies: what is written is read back, and no body can do harm.

use kraken_ws_codec::payload::{self, Packet, Part};
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq)]
enum Owned {
    Text(String),
    Binary(Vec<u8>),
}

impl Owned {
    fn part(&self) -> Part<'_> {
        match self {
            Self::Text(text) => Part::Text(text),
            Self::Binary(data) => Part::Binary(data),
        }
    }
}

impl From<Packet<'_>> for Owned {
    fn from(packet: Packet<'_>) -> Self {
        match packet {
            Packet::Text(text) => Self::Text(text.to_owned()),
            Packet::Binary(data) => Self::Binary(data.into_owned()),
        }
    }
}

fn packets() -> impl Strategy<Value = Vec<Owned>> {
    let packet = prop_oneof![
        // JSON, which is what packets carry, has the separator of protocol 4 only as an escape.
        3 => "[0-6][^\u{1e}]{0,30}".prop_map(Owned::Text),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Owned::Binary),
    ];
    prop::collection::vec(packet, 1..8)
}

fn read_v4(body: &[u8]) -> (Vec<Owned>, bool) {
    let mut seen = Vec::new();
    let ok = payload::decode_v4(body, &mut |packet| {
        seen.push(packet.into());
        true
    });
    (seen, ok.is_ok())
}

fn read_v3(body: &[u8], binary: bool) -> (Vec<Owned>, bool) {
    let mut seen = Vec::new();
    let ok = payload::decode_v3(body, binary, &mut |packet| {
        seen.push(packet.into());
        true
    });
    (seen, ok.is_ok())
}

proptest! {
    #[test]
    fn protocol_4_round_trips(packets in packets()) {
        let mut body = Vec::new();
        payload::encode_v4(packets.iter().map(Owned::part), &mut body);
        prop_assert_eq!(read_v4(&body), (packets, true));
    }

    #[test]
    fn protocol_3_round_trips(packets in packets(), binary_supported in any::<bool>()) {
        let mut body = Vec::new();
        let binary = payload::encode_v3(packets.iter().map(Owned::part), binary_supported, &mut body);
        let has_binary = packets.iter().any(|packet| matches!(packet, Owned::Binary(_)));
        prop_assert_eq!(binary, binary_supported && has_binary);
        prop_assert_eq!(read_v3(&body, binary), (packets, true));
    }

    #[test]
    fn no_body_gives_more_than_it_holds(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[0-9b:4a\u{1e}é]{0,60}".prop_map(String::into_bytes),
            prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, 3, 4, 0x34, 0xff]), 0..60),
        ],
    ) {
        for (packets, _) in [read_v4(&body), read_v3(&body, false), read_v3(&body, true)] {
            let held: usize = packets
                .iter()
                .map(|packet| match packet {
                    Owned::Text(text) => text.len(),
                    Owned::Binary(data) => data.len(),
                })
                .sum();
            prop_assert!(held <= body.len());
        }
    }
}
