//! Compares our RESP parser with that of the `redis` crate on the same bytes.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use redis::Value as Theirs;

use crate::resp::{Value, take};

/// An encoded reply. Errors inside arrays are left out, because the crate represents them differently.
fn reply() -> impl Strategy<Value = Vec<u8>> {
    let line = "[a-zA-Z0-9 ]{0,20}";
    let leaf = prop_oneof![
        line.prop_map(|text| format!("+x{text}\r\n").into_bytes()),
        any::<i64>().prop_map(|int| format!(":{int}\r\n").into_bytes()),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| [
            format!("${}\r\n", bytes.len()).as_bytes(),
            &bytes,
            b"\r\n"
        ]
        .concat()),
        Just(b"$-1\r\n".to_vec()),
        Just(b"_\r\n".to_vec()),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        (prop_oneof![Just('*'), Just('~')], prop::collection::vec(inner, 0..6)).prop_map(|(kind, items)| {
            [format!("{kind}{}\r\n", items.len()).as_bytes(), &items.concat()].concat()
        })
    })
}

fn same(ours: &Value, theirs: &Theirs) -> bool {
    match (ours, theirs) {
        (Value::Simple(text), Theirs::SimpleString(other)) => *text == other.as_bytes(),
        (Value::Simple(text), Theirs::Okay) => *text == "OK",
        (Value::Int(int), Theirs::Int(other)) => int == other,
        (Value::Bulk(bytes), Theirs::BulkString(other)) => bytes == other,
        (Value::Null, Theirs::Nil) => true,
        (Value::Array(items), Theirs::Array(others) | Theirs::Set(others)) => {
            items.len() == others.len() && items.iter().zip(others).all(|(a, b)| same(a, b))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn both_read_the_same(wire in reply(), behind in prop::collection::vec(any::<u8>(), 0..20)) {
        let theirs = redis::parse_redis_value(&wire).unwrap();
        let mut buffer = BytesMut::from(&[&wire[..], &behind].concat()[..]);
        let ours = take(&mut buffer, 1 << 20).unwrap().unwrap();
        prop_assert!(same(&ours, &theirs), "{ours:?} and {theirs:?}");
        prop_assert_eq!(buffer.freeze(), Bytes::from(behind));
    }
}
