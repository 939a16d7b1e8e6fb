//! The few Engine.IO 4 and Socket.IO 5 text packets that the bench's servers send.

/// What a text frame means to a bench client.
#[derive(Debug, PartialEq)]
pub enum Packet {
    /// Engine.IO open: the session exists.
    Open,
    /// Engine.IO ping: wants a pong.
    Ping,
    /// Socket.IO CONNECT to `/`: the handler has been or is being called.
    Connected,
    /// An event, with the `t` of its payload.
    Event { sent_ns: u64 },
    /// An acknowledgement: its id, and the `t` of the payload that came back.
    Ack { id: u32, sent_ns: u64 },
}

/// Reads a packet by its prefix; the payload is never parsed as JSON.
pub fn parse(text: &[u8]) -> Result<Packet, String> {
    let packet = match text {
        [b'4', b'2', b'[', ..] => Packet::Event { sent_ns: timestamp(text)? },
        [b'4', b'3', rest @ ..] => {
            let (id, after) = number(rest);
            Packet::Ack { id: id as u32, sent_ns: timestamp(after)? }
        }
        [b'2'] => Packet::Ping,
        [b'0', b'{', ..] => Packet::Open,
        [b'4', b'0', ..] => Packet::Connected,
        other => {
            return Err(format!("unexpected packet {}", String::from_utf8_lossy(other)));
        }
    };
    Ok(packet)
}

/// The number after the first `"t":`, which is near the front of every bench message.
fn timestamp(text: &[u8]) -> Result<u64, String> {
    const KEY: &[u8] = b"\"t\":";
    match text.windows(KEY.len()).position(|window| window == KEY) {
        Some(at) => Ok(number(&text[at + KEY.len()..]).0),
        None => Err(format!("no timestamp in {}", String::from_utf8_lossy(text))),
    }
}

fn number(text: &[u8]) -> (u64, &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..digits]
        .iter()
        .fold(0u64, |sum, digit| sum.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
    (value, &text[digits..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart_by_their_prefix() {
        assert_eq!(parse(br#"0{"sid":"a"}"#), Ok(Packet::Open));
        assert_eq!(parse(b"2"), Ok(Packet::Ping));
        assert_eq!(parse(br#"40{"sid":"b"}"#), Ok(Packet::Connected));
        let sent_ns = 1_234_567_890_123;
        assert_eq!(parse(br#"42["m",{"t":1234567890123,"p":"x"}]"#), Ok(Packet::Event { sent_ns }));
        assert_eq!(parse(br#"437[{"t":1234567890123}]"#), Ok(Packet::Ack { id: 7, sent_ns }));
    }

    #[test]
    fn anything_else_is_an_error_that_shows_the_packet() {
        assert!(parse(b"41").unwrap_err().contains("41"));
        assert!(parse(br#"44{"message":"no"}"#).is_err());
        assert!(parse(br#"42["m",{}]"#).is_err());
    }
}
