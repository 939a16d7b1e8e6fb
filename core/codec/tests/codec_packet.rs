//! Socket.IO packets, default and msgpack: round trips through random values, and garbage.

use bytes::Bytes;
use kraken_ws_codec::msgpack;
use kraken_ws_codec::packet::{self, PacketType};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// JSON values with whole and fractional numbers that survive a double.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        any::<i32>().prop_map(|half| Value::from(f64::from(half) + 0.5)),
        any::<String>().prop_map(Value::from),
        "[a-z_]{0,12}".prop_map(Value::from),
        (30usize..300).prop_map(|len| Value::from("x".repeat(len))),
    ];
    leaf.prop_recursive(6, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::hash_map("[a-zé\"]{0,8}", inner, 0..20).prop_map(Value::from_iter),
        ]
    })
}

fn nsp() -> impl Strategy<Value = &'static str> {
    select(vec!["/", "/admin", "/a/b-c", "/ж"])
}

/// `value` with each of its `null`s replaced by a placeholder, and the attachments for these.
fn with_attachments(value: &mut Value, attachments: &mut Vec<Bytes>) {
    match value {
        Value::Null => {
            let num = attachments.len();
            attachments.push(Bytes::from(vec![num as u8; num % 300]));
            *value = json!({ "_placeholder": true, "num": num });
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| with_attachments(item, attachments));
        }
        Value::Object(map) => {
            map.values_mut().for_each(|item| with_attachments(item, attachments));
        }
        _ => {}
    }
}

/// Something like a packet, to be torn up a little.
fn near_packet() -> impl Strategy<Value = String> {
    let damage = (
        any::<prop::sample::Index>(),
        select(vec!["", "-", ",", "/", "\"", "{", "]", "\\u", "\\", "9", "é"]),
    );
    let head = "[0-7]([0-9]{1,2}-)?(/[a-z?=]{0,5},)?[0-9]{0,3}";
    (head, value(), prop::option::of(damage)).prop_map(|(head, value, damage)| {
        let mut text = format!("{head}{}", json!(["event", value]));
        if let Some((at, what)) = damage {
            let mut at = at.index(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            text.insert_str(at, what);
        }
        text
    })
}

proptest! {
    #[test]
    fn default_packets_round_trip(
        value in value(),
        name in "[a-z \"\\\\é]{1,12}",
        nsp in nsp(),
        id in any::<Option<u64>>(),
        attachments in 0usize..=10,
    ) {
        let data = json!([format!("{name}!"), value]).to_string();
        let kind = if attachments > 0 { PacketType::BinaryEvent } else { PacketType::Event };
        let mut wire = Vec::new();
        packet::write_event_prefix(&mut wire, kind, attachments, nsp, id);
        wire.extend_from_slice(data.as_bytes());
        let wire = String::from_utf8(wire).unwrap();
        let header = packet::parse(&wire).unwrap();
        prop_assert_eq!(header.kind, kind);
        prop_assert_eq!((header.nsp, header.id), (nsp, id));
        prop_assert_eq!((header.attachments, header.data), (attachments, data.as_str()));
        prop_assert_eq!(packet::event_name(header.data).unwrap(), format!("{name}!"));
    }

    #[test]
    fn what_is_accepted_is_json(text in near_packet()) {
        if let Ok(header) = packet::parse(&text) {
            prop_assert!(text.ends_with(header.data));
            if !header.data.is_empty() {
                prop_assert!(serde_json::from_str::<&serde_json::value::RawValue>(header.data).is_ok());
            }
        }
    }

    #[test]
    fn placeholders_are_counted_as_a_tree_walk_counts_them(mut value in value()) {
        let mut attachments = Vec::new();
        with_attachments(&mut value, &mut attachments);
        let json = value.to_string();
        let count = attachments.len();
        prop_assert_eq!(packet::count_placeholders(&json), count);
        prop_assert!(packet::validate_placeholders(&json, count));
        prop_assert_eq!(packet::validate_placeholders(&json, count.saturating_sub(1)), count == 0);
    }

    #[test]
    fn msgpack_keeps_every_value(mut value in value(), binary in any::<bool>()) {
        let mut attachments = Vec::new();
        if binary {
            with_attachments(&mut value, &mut attachments);
        }
        let mut wire = Vec::new();
        msgpack::json_to_msgpack(&value.to_string(), &attachments, &mut wire).unwrap();
        let (json, back) = msgpack::msgpack_to_json(&wire).unwrap();
        // A map's entries may come in another order, and with them the attachments: compare by content.
        let fill = |json: &str, attachments: &[Bytes]| {
            let mut value: Value = serde_json::from_str(json).unwrap();
            resolve(&mut value, attachments);
            value
        };
        prop_assert_eq!(fill(&json, &back), fill(&value.to_string(), &attachments));
    }

    #[test]
    fn msgpack_packets_round_trip(
        mut value in value(),
        nsp in nsp(),
        id in any::<Option<u64>>(),
    ) {
        let mut attachments = Vec::new();
        with_attachments(&mut value, &mut attachments);
        let data = json!(["event", value]).to_string();
        let kind = if attachments.is_empty() { PacketType::Event } else { PacketType::BinaryEvent };
        let wire = msgpack::encode(kind, nsp, id, Some(&data), &attachments).unwrap();
        let decoded = msgpack::decode(&wire).unwrap();
        prop_assert_eq!(decoded.kind, PacketType::Event);
        prop_assert_eq!((decoded.nsp.as_str(), decoded.id), (nsp, id));
        prop_assert_eq!(decoded.attachments.len(), attachments.len());
        let again =
            msgpack::encode(kind, nsp, id, Some(&decoded.data), &decoded.attachments).unwrap();
        prop_assert_eq!(again, wire);
    }

    #[test]
    fn msgpack_garbage_gives_json_or_an_error(
        value in value(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        garbage in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut wire = Vec::new();
        msgpack::json_to_msgpack(&value.to_string(), &[], &mut wire).unwrap();
        for (at, byte) in damage {
            let at = at.index(wire.len());
            wire[at] = byte;
        }
        for bytes in [&wire, &garbage] {
            if let Ok((json, attachments)) = msgpack::msgpack_to_json(bytes) {
                prop_assert!(serde_json::from_str::<Value>(&json).is_ok(), "{}", json);
                let held: usize = attachments.iter().map(Bytes::len).sum();
                prop_assert!(held <= bytes.len());
            }
            let _ = msgpack::decode(bytes);
        }
    }
}

/// Puts each attachment's bytes in the place of its placeholder.
fn resolve(value: &mut Value, attachments: &[Bytes]) {
    match value {
        Value::Object(map) if map.get("_placeholder") == Some(&Value::Bool(true)) => {
            let num = map["num"].as_u64().unwrap() as usize;
            *value = json!({ "bytes": attachments[num].to_vec() });
        }
        Value::Object(map) => map.values_mut().for_each(|item| resolve(item, attachments)),
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(item, attachments)),
        _ => {}
    }
}
