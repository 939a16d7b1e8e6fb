//! The hex side of each comparison is the output of notepack.io 3.0.1 in Node.js 20.

use super::*;

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

fn to_json(hex: &str) -> Result<String, PacketError> {
    msgpack_to_json(&unhex(hex)).map(|(json, _)| json)
}

fn to_hex(json: &str) -> String {
    let mut out = Vec::new();
    json_to_msgpack(json, &[], &mut out).unwrap();
    out.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn event_with_binary_parts_is_read() {
    let hex = "84a47479706502a46461746193a675706c6f616482a46e616d65a2c3a9a466696c65c403010203c4\
               00a36e7370a62f61646d696ea2696407";
    let decoded = decode(&unhex(hex)).unwrap();
    assert_eq!(decoded.kind, PacketType::Event);
    assert_eq!((decoded.nsp.as_str(), decoded.id), ("/admin", Some(7)));
    assert_eq!(
        decoded.data,
        r#"["upload",{"name":"é","file":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]"#
    );
    assert_eq!(decoded.attachments, [Bytes::from_static(&[1, 2, 3]), Bytes::new()]);
}

#[test]
fn connect_and_disconnect_are_read() {
    let connect = decode(&unhex("83a47479706500a46461746181a5746f6b656ea174a36e7370a12f")).unwrap();
    assert_eq!((connect.kind, connect.data.as_str()), (PacketType::Connect, r#"{"token":"t"}"#));
    let bare = decode(&unhex("82a47479706500a36e7370a12f")).unwrap();
    assert_eq!((bare.kind, bare.data.as_str()), (PacketType::Connect, ""));
    let disconnect = decode(&unhex("82a47479706501a36e7370a52f63686174")).unwrap();
    assert_eq!((disconnect.kind, disconnect.nsp.as_str()), (PacketType::Disconnect, "/chat"));
}

#[test]
fn event_is_written_as_notepack_writes_it() {
    let data = r#"["a",{"x":1.0,"b":{"_placeholder":true,"num":0}}]"#;
    let file = [Bytes::from_static(&[9])];
    let out = encode(PacketType::BinaryEvent, "/", Some(300), Some(data), &file).unwrap();
    let hex = "84a47479706502a46461746192a16182a17801a162c40109a36e7370a12fa26964cd012c";
    assert_eq!(out, unhex(hex));
}

#[test]
fn numbers_take_the_same_forms_both_ways() {
    let json = "[0,127,128,255,256,65535,65536,4294967295,4294967296,-1,-32,-33,-128,-129,-32768,\
                -32769,-2147483648,-2147483649,1.5]";
    let hex = "dc0013007fcc80ccffcd0100cdffffce00010000ceffffffffcf0000000100000000ffe0d0dfd080d1\
               ff7fd18000d2ffff7fffd280000000d3ffffffff7fffffffcb3ff8000000000000";
    assert_eq!(to_hex(json), hex);
    assert_eq!(to_json(hex).unwrap(), json);
    assert_eq!(to_hex("[-0,1e3,-2.0]"), to_hex("[0,1000,-2]"));
    assert_eq!(to_hex("1e300"), "cb7e37e43c8800759c");
}

#[test]
fn values_that_json_lacks_are_replaced() {
    assert_eq!(
        to_json(
            "94d6ff00000000d7ff1d5353003b9aca00c70cff3b8b87c0ffffffffffffffffc70cff0000000000000\
                 00400000000"
        )
        .unwrap(),
        r#"["1970-01-01T00:00:00.000Z","2001-09-09T01:46:40.123Z","1969-12-31T23:59:59.999Z","2514-05-30T01:53:04.000Z"]"#
    );
    let odd = "95cb7ff8000000000000cb7ff0000000000000c0c3c2";
    assert_eq!(to_json(odd).unwrap(), "[null,null,null,true,false]");
    // `undefined`, a date and an ArrayBuffer of old notepack versions, and an unknown extension.
    let old = "94d40000d70000000000000003e8c70200abcdd40501";
    let (json, attachments) = msgpack_to_json(&unhex(old)).unwrap();
    assert_eq!(
        json,
        r#"[null,"1970-01-01T00:00:01.000Z",{"_placeholder":true,"num":0},[5,{"_placeholder":true,"num":1}]]"#
    );
    assert_eq!(attachments, [Bytes::from_static(&[0xab, 0xcd]), Bytes::from_static(&[1])]);
}

#[test]
fn strings_are_escaped_and_unescaped() {
    // a " \ newline U+0001, and a byte that is not UTF-8.
    let json = to_json("a661225c0a01ff").unwrap();
    assert_eq!(json, "\"a\\\"\\\\\\n\\u0001\u{fffd}\"");
    assert_eq!(to_hex(r#""a\"\\\n\u0001""#), "a561225c0a01");
}

#[test]
fn packets_that_no_client_may_send_are_refused() {
    use PacketError::*;
    let packet = |json: &str| {
        let mut out = Vec::new();
        json_to_msgpack(json, &[], &mut out).unwrap();
        decode(&out).unwrap_err()
    };
    assert_eq!(packet(r#"{"type":5,"data":["a"],"nsp":"/"}"#), UnknownType);
    assert_eq!(packet(r#"{"type":"2","data":["a"],"nsp":"/"}"#), UnknownType);
    assert_eq!(packet(r#"{"type":-1,"data":["a"],"nsp":"/"}"#), UnknownType);
    assert_eq!(packet(r#"{"data":["a"],"nsp":"/"}"#), UnknownType);
    assert_eq!(packet(r#"{"type":2,"data":["a"]}"#), InvalidNamespace);
    assert_eq!(packet(r#"{"type":2,"data":["a"],"nsp":{"a":[1]}}"#), InvalidNamespace);
    assert_eq!(packet(r#"{"type":2,"data":["a"],"nsp":"/","id":null}"#), InvalidId);
    assert_eq!(packet(r#"{"type":2,"data":["a"],"nsp":"/","id":1.5}"#), InvalidId);
    assert_eq!(packet(r#"{"type":2,"nsp":"/"}"#), InvalidPayload);
    assert_eq!(packet(r#"{"type":2,"data":["disconnect"],"nsp":"/"}"#), InvalidPayload);
    assert_eq!(packet(r#"{"type":0,"data":[],"nsp":"/"}"#), InvalidPayload);
    assert_eq!(packet(r#"{"type":1,"data":{},"nsp":"/"}"#), InvalidPayload);
    assert_eq!(packet("[2]"), InvalidPayload);
}

#[test]
fn forged_placeholder_can_not_point_past_the_attachments() {
    // A real binary value beside a map that only looks like a placeholder.
    let mut event = unhex("83a47479706502a36e7370a12fa46461746193a161c40109");
    json_to_msgpack(r#"{"_placeholder":true,"num":1}"#, &[], &mut event).unwrap();
    assert_eq!(decode(&event), Err(PacketError::IllegalAttachments));
    let last = event.len() - 1;
    event[last] = 0;
    assert_eq!(decode(&event).unwrap().attachments.len(), 1);
}

#[test]
fn placeholder_has_to_point_at_an_attachment() {
    let file = [Bytes::from_static(b"x")];
    let write = |json: &str, attachments: &[Bytes]| {
        let mut out = Vec::new();
        json_to_msgpack(json, attachments, &mut out).map(|()| out)
    };
    let forged = r#"[{"_placeholder":true,"num":1}]"#;
    assert_eq!(write(forged, &file), Err(PacketError::IllegalAttachments));
    assert_eq!(write(forged, &[]), Ok(unhex("9182ac5f706c616365686f6c646572c3a36e756d01")));
    let nested = r#"[{"_placeholder":true,"x":[[{}],{}],"num":0},[1]]"#;
    assert_eq!(write(nested, &file), Ok(unhex("92c401789101")));
}

#[test]
fn truncated_and_trailing_bytes_are_refused() {
    let whole = unhex("84a47479706502a46461746192a16182a17801a162c40109a36e7370a12fa26964cd012c");
    for end in 0..whole.len() {
        assert!(decode(&whole[..end]).is_err(), "{end}");
    }
    let mut trailing = whole.clone();
    trailing.push(0xc0);
    assert!(decode(&trailing).is_err());
    assert!(decode(&whole).is_ok());
}

#[test]
fn depth_and_count_are_limited() {
    let nested = |depth: usize| {
        let mut bytes = vec![0x91; depth];
        bytes.push(0xc0);
        msgpack_to_json(&bytes).map(|(json, _)| json)
    };
    let deep = nested(MAX_DEPTH).unwrap();
    assert!(nested(MAX_DEPTH + 1).is_err());
    assert!(nested(1_000_000).is_err());
    assert!(json_to_msgpack(&deep, &[], &mut Vec::new()).is_ok());
    assert!(json_to_msgpack(&format!("[{deep}]"), &[], &mut Vec::new()).is_err());

    // A binary value at the maximal depth; its placeholder in JSON is one level deeper.
    let mut binary = vec![0x91; MAX_DEPTH];
    binary.extend([0xc4, 0x00]);
    let (json, attachments) = msgpack_to_json(&binary).unwrap();
    let mut again = Vec::new();
    json_to_msgpack(&json, &attachments, &mut again).unwrap();
    assert_eq!(again, binary);

    let empties = |count: u16| {
        let mut bytes = vec![0xdc];
        bytes.extend_from_slice(&count.to_be_bytes());
        bytes.extend([0xc4, 0x00].repeat(usize::from(count)));
        msgpack_to_json(&bytes).map(|(_, attachments)| attachments.len())
    };
    assert_eq!(empties(4096), Ok(MAX_ATTACHMENTS));
    assert_eq!(empties(4097), Err(PacketError::TooManyAttachments));
    // A length that exceeds the input is refused before anything is allocated.
    assert!(to_json("ddffffffff").is_err());
    assert!(decode(&unhex("dfffffffff")).is_err());
}

#[test]
fn unknown_entries_are_skipped_whatever_they_hold() {
    let json = r#"{"options":{"compress":true,"x":[1,[2,{"y":"z"}]]},"type":2,"data":["a"],"nsp":"/"}"#;
    let mut out = Vec::new();
    json_to_msgpack(json, &[], &mut out).unwrap();
    assert_eq!(decode(&out).unwrap().data, r#"["a"]"#);
}

#[test]
fn arguments_are_bounded() {
    let packet = |count: usize| {
        let data = format!("[\"e\"{}]", ",1".repeat(count - 1));
        encode(PacketType::Event, "/", None, Some(&data), &[]).unwrap()
    };
    let (most, more) = (packet(MAX_ARGUMENTS), packet(MAX_ARGUMENTS + 1));
    assert!(decode(&most).is_ok() && !has_too_many_arguments(&most));
    assert_eq!(decode(&more), Err(PacketError::TooManyArguments));
    assert!(has_too_many_arguments(&more));
    assert!(!has_too_many_arguments(&[0x81; 10_000]));
}
