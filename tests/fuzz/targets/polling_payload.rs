//! A polling body of any bytes: what is read can be written and read again.

use kraken_ws_codec::payload::{self, Packet, Part, PayloadError};

#[derive(Debug, PartialEq)]
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

type Read = (Vec<Owned>, Result<(), PayloadError>);

fn read(decode: impl FnOnce(&mut dyn FnMut(Packet<'_>) -> bool) -> Result<(), PayloadError>) -> Read {
    let mut seen = Vec::new();
    let result = decode(&mut |packet| {
        seen.push(match packet {
            Packet::Text(text) => Owned::Text(text.to_owned()),
            Packet::Binary(data) => Owned::Binary(data.into_owned()),
        });
        true
    });
    (seen, result)
}

pub fn run(body: &[u8]) {
    let (packets, result) = read(|on| payload::decode_v4(body, on));
    if result.is_ok() {
        let mut again = Vec::new();
        payload::encode_v4(packets.iter().map(Owned::part), &mut again);
        assert_eq!(read(|on| payload::decode_v4(&again, on)), (packets, Ok(())));
    }
    for binary in [false, true] {
        let (packets, result) = read(|on| payload::decode_v3(body, binary, on));
        if result.is_err() {
            continue;
        }
        for binary_supported in [false, true] {
            let mut again = Vec::new();
            let binary = payload::encode_v3(packets.iter().map(Owned::part), binary_supported, &mut again);
            let (back, result) = read(|on| payload::decode_v3(&again, binary, on));
            assert_eq!((&back, result), (&packets, Ok(())));
        }
    }
}
