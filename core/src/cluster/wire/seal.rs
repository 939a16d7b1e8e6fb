//! The option `secret`. Messages carry an HMAC-SHA256 of channel and message in a place that JavaScript nodes ignore:
//! a fourth element of a broadcast, a last member `hmac` of everything else. It proves that the sender has the
//! secret; it does not prevent replays.

use ring::hmac;
use subtle::ConstantTimeEq;

/// Precedes the tag in a broadcast: the MessagePack head of a text of 64 characters. The tag is text everywhere,
/// because binary values of a message become attachments.
const IN_ARRAY: &[u8] = &[0xd9, 64];
/// Precedes the tag in a MessagePack map; includes the key.
const IN_MAP: &[u8] = b"\xa4hmac\xd9\x40";
/// Precedes the tag in JSON.
const IN_JSON: &[u8] = b",\"hmac\":\"";
const END_OF_JSON: &[u8] = b"\"}";
/// Number of hexadecimal digits of a tag.
const TAG: usize = 64;

/// Signs and verifies the messages of one node.
pub(super) struct Seal(hmac::Key);

impl Seal {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The HMAC of a message without its tag, given as its first byte and the rest.
    fn signed(&self, channel: &[u8], first: u8, rest: &[u8], end: &[u8]) -> hmac::Context {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(channel.len() as u64).to_be_bytes());
        context.update(channel);
        context.update(&[first]);
        context.update(rest);
        context.update(end);
        context
    }

    /// Inserts the tag. The payload is an array or map whose first byte has room for one more element, or a JSON
    /// object; the wire formats produce no others.
    pub(super) fn put(&self, channel: &[u8], mut payload: Vec<u8>) -> Vec<u8> {
        let Some((&first, rest)) = payload.split_first() else { return payload };
        let tag = hex(self.signed(channel, first, rest, b""));
        if first == b'{' {
            payload.pop();
            payload.extend_from_slice(IN_JSON);
            payload.extend_from_slice(&tag);
            payload.extend_from_slice(END_OF_JSON);
        } else {
            payload.extend_from_slice(if is_array(first) { IN_ARRAY } else { IN_MAP });
            payload.extend_from_slice(&tag);
            payload[0] += 1;
        }
        payload
    }

    /// Whether the tag of a message is valid.
    pub(super) fn verifies(&self, channel: &[u8], payload: &[u8]) -> bool {
        self.verify(channel, payload).is_some()
    }

    fn verify(&self, channel: &[u8], payload: &[u8]) -> Option<()> {
        let (&first, rest) = payload.split_first()?;
        let (mark, first, end): (_, _, &[u8]) = match first {
            b'{' => (IN_JSON, first, b"}"),
            _ if is_array(first) => (IN_ARRAY, first.checked_sub(1)?, b""),
            _ => (IN_MAP, first.checked_sub(1)?, b""),
        };
        let rest = if end.is_empty() { rest } else { rest.strip_suffix(END_OF_JSON)? };
        let (body, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
        let found = hex(self.signed(channel, first, body.strip_suffix(mark)?, end));
        // The comparison takes constant time.
        bool::from(found.ct_eq(tag)).then_some(())
    }
}

fn hex(signed: hmac::Context) -> Vec<u8> {
    let tag = signed.sign();
    let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
    tag.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Whether this is the head of a short MessagePack array.
fn is_array(first: u8) -> bool {
    first & 0xf0 == 0x90
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_belongs_to_its_message_channel_and_secret() {
        let (ours, theirs) = (Seal::new(b"secret"), Seal::new(b"another"));
        let payloads: [&[u8]; 3] = [b"\x93\x01\x02\x03", b"\x81\xa1a\x05", br#"{"a":1}"#];
        for payload in payloads {
            let sealed = ours.put(b"channel", payload.to_vec());
            assert!(ours.verifies(b"channel", &sealed));
            assert!(!ours.verifies(b"another", &sealed) && !theirs.verifies(b"channel", &sealed));
            assert!(!ours.verifies(b"channel", payload));
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert!(!ours.verifies(b"channel", &changed), "byte {at} of {payload:?}");
                assert!(!ours.verifies(b"channel", &sealed[..at]));
            }
        }
    }

    #[test]
    fn who_does_not_know_of_tags_reads_the_message_all_the_same() {
        let seal = Seal::new(b"secret");
        let sealed = seal.put(b"c", br#"{"a":1}"#.to_vec());
        let json: serde_json::Value = serde_json::from_slice(&sealed).unwrap();
        assert_eq!((&json["a"], json["hmac"].as_str().unwrap().len()), (&1.into(), 64));
        let sealed = seal.put(b"c", b"\x93\x01\x02\x03".to_vec());
        let (json, attachments) = kraken_ws_codec::msgpack::msgpack_to_json(&sealed).unwrap();
        assert!(json.starts_with("[1,2,3,\"") && attachments.is_empty());
        let sealed = seal.put(b"c", b"\x81\xa1a\x05".to_vec());
        let (json, _) = kraken_ws_codec::msgpack::msgpack_to_json(&sealed).unwrap();
        assert!(json.starts_with(r#"{"a":5,"hmac":"#));
    }
}
