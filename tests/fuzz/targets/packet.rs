//! A packet of any text: what is accepted is JSON, and written again it reads the same.

use kraken_ws_codec::{msgpack, packet};
use serde_json::value::RawValue;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(header) = packet::parse(text) else { return };
    let mut again = Vec::new();
    packet::write_event_prefix(&mut again, header.kind, header.attachments, header.full_nsp, header.id);
    again.extend_from_slice(header.data.as_bytes());
    let again = String::from_utf8(again).unwrap();
    assert_eq!(packet::parse(&again), Ok(header));

    if header.data.is_empty() {
        return;
    }
    assert!(serde_json::from_str::<&RawValue>(header.data).is_ok());
    let _ = packet::event_name(header.data);
    let count = packet::count_placeholders(header.data);
    assert!(count > 0 || packet::validate_placeholders(header.data, 0));
    let mut out = Vec::new();
    if msgpack::json_to_msgpack(header.data, &[], &mut out).is_ok() {
        assert!(msgpack::msgpack_to_json(&out).is_ok());
    }
}
