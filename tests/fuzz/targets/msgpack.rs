//! MessagePack of any bytes: what is read is JSON, and written again it reads the same.

use kraken_ws_codec::{msgpack, packet};
use serde_json::value::RawValue;

pub fn run(bytes: &[u8]) {
    if let Ok(decoded) = msgpack::decode(bytes) {
        let data = Some(decoded.data.as_str());
        let again =
            msgpack::encode(decoded.kind, &decoded.nsp, decoded.id, data, &decoded.attachments).unwrap();
        let back = msgpack::decode(&again).unwrap();
        assert_eq!((back.kind, &back.nsp, back.id), (decoded.kind, &decoded.nsp, decoded.id));
    }
    let Ok((json, attachments)) = msgpack::msgpack_to_json(bytes) else { return };
    assert!(serde_json::from_str::<&RawValue>(&json).is_ok());
    if packet::validate_placeholders(&json, attachments.len()) {
        let mut once = Vec::new();
        msgpack::json_to_msgpack(&json, &attachments, &mut once).unwrap();
        let (json, attachments) = msgpack::msgpack_to_json(&once).unwrap();
        let mut twice = Vec::new();
        msgpack::json_to_msgpack(&json, &attachments, &mut twice).unwrap();
        assert_eq!(once, twice);
    }
}
