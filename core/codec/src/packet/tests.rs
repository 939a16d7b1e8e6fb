use super::*;

fn ok(text: &str) -> (PacketType, usize, &str, Option<u64>, &str) {
    let header = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    (header.kind, header.attachments, header.nsp, header.id, header.data)
}

#[test]
fn packets_of_every_type_are_read() {
    use PacketType::*;
    assert_eq!(ok("0"), (Connect, 0, "/", None, ""));
    assert_eq!(ok(r#"0/admin,{"token":1}"#), (Connect, 0, "/admin", None, r#"{"token":1}"#));
    assert_eq!(ok("1/admin"), (Disconnect, 0, "/admin", None, ""));
    assert_eq!(ok("1/admin,"), (Disconnect, 0, "/admin", None, ""));
    assert_eq!(ok(r#"2["hi",1]"#), (Event, 0, "/", None, r#"["hi",1]"#));
    assert_eq!(ok(r#"2/a,12["hi"]"#), (Event, 0, "/a", Some(12), r#"["hi"]"#));
    assert_eq!(ok("3/a,012[]"), (Ack, 0, "/a", Some(12), "[]"));
    assert_eq!(ok(r#"4"no""#), (ConnectError, 0, "/", None, r#""no""#));
    let upload = r#"51-/a,3["up",{"_placeholder":true,"num":0}]"#;
    assert_eq!(ok(upload), (BinaryEvent, 1, "/a", Some(3), &upload[7..]));
    assert_eq!(ok("610-[]"), (BinaryAck, 10, "/", None, "[]"));
    assert_eq!(ok("2[4]").4, "[4]", "a number may be an event's name");
}

#[test]
fn query_is_set_apart_from_the_namespace() {
    let header = parse("0/admin?token=a?b,").unwrap();
    assert_eq!((header.nsp, header.query), ("/admin", Some("token=a?b")));
    assert_eq!(header.full_nsp, "/admin?token=a?b");
    assert_eq!(parse("0/admin,").unwrap().query, None);
}

#[test]
fn garbage_is_refused() {
    use PacketError::*;
    for (text, error) in [
        ("", UnknownType),
        ("7", UnknownType),
        ("x", UnknownType),
        ("é", UnknownType),
        ("5", IllegalAttachments),
        ("5[]", IllegalAttachments),
        ("5-[\"a\"]", IllegalAttachments),
        ("50-[\"a\"]", IllegalAttachments),
        ("5+1-[\"a\"]", IllegalAttachments),
        ("5a-[\"a\"]", IllegalAttachments),
        ("511-[\"a\"]", TooManyAttachments),
        ("599999999999999999999999-[\"a\"]", TooManyAttachments),
        ("2[]", InvalidPayload),
        ("2[null]", InvalidPayload),
        ("2[[\"a\"]]", InvalidPayload),
        ("2{}", InvalidPayload),
        ("2\"a\"", InvalidPayload),
        ("2[\"a\"", InvalidPayload),
        ("2[\"a\"] x", InvalidPayload),
        ("2[\"a\n\"]", InvalidPayload),
        ("2[\"a\",01]", InvalidPayload),
        ("0[]", InvalidPayload),
        ("0null", InvalidPayload),
        ("1{}", InvalidPayload),
        ("3{}", InvalidPayload),
        ("4[]", InvalidPayload),
    ] {
        assert_eq!(parse(text), Err(error), "{text}");
    }
}

#[test]
fn reserved_event_names_are_refused_however_they_are_written() {
    for name in RESERVED_EVENTS {
        assert_eq!(parse(&format!("2[\"{name}\"]")), Err(PacketError::InvalidPayload));
    }
    assert_eq!(parse(r#"2[ "\u0063onnect" ]"#), Err(PacketError::InvalidPayload));
    assert!(parse(r#"2["Connect"]"#).is_ok());
}

#[test]
fn event_name_is_unescaped() {
    let name = |data| event_name(data).map(Cow::into_owned);
    assert_eq!(name(r#"["chat message",1]"#).as_deref(), Some("chat message"));
    assert_eq!(name(r#" [ "a\"\\\/\b\f\n\r\té" ]"#).as_deref(), Some("a\"\\/\u{8}\u{c}\n\r\té"));
    assert_eq!(name(r#"["\ud834\udd1e"]"#).as_deref(), Some("𝄞"));
    assert_eq!(name(r#"["\ud834x\udd1e\ud834\u0041"]"#).as_deref(), Some("\u{fffd}x\u{fffd}\u{fffd}A"));
    assert_eq!(name("[42]").as_deref(), Some("42"));
    assert_eq!(name("[]"), None);
    assert_eq!(name(""), None);
    assert!(matches!(event_name(r#"["plain"]"#), Some(Cow::Borrowed("plain"))));
}

#[test]
fn deep_nesting_costs_no_stack() {
    let depth = 100_000;
    let deep = format!("2[\"a\",{}{}]", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(parse(&deep), Err(PacketError::TooDeep));
    let objects = format!(
        "51-[\"a\",{}{{\"_placeholder\":true,\"num\":0}}{}]",
        "{\"a\":".repeat(depth),
        "}".repeat(depth)
    );
    assert_eq!(parse(&objects), Err(PacketError::TooDeep));
    assert!(validate_placeholders(&objects[4..], 1));
    assert!(!validate_placeholders(&objects[4..], 0));
}

#[test]
fn placeholders_are_found_wherever_they_are() {
    let one = r#"["a",{"x":[{"num":1,"_placeholder":true}]}]"#;
    assert_eq!(count_placeholders(one), 1);
    assert!(validate_placeholders(one, 2));
    assert!(!validate_placeholders(one, 1));
    let escaped = r#"["a",{"\u005fplaceholder":true,"n\u0075m":3}]"#;
    assert!(!validate_placeholders(escaped, 3));
    assert!(validate_placeholders(escaped, 4));
    for illegal in [r#""0""#, "-1", "0.5", "null", "{}", "[0]", "1e999", "99999999999999999999"] {
        let data = format!(r#"[{{"_placeholder":true,"num":{illegal}}}]"#);
        assert!(!validate_placeholders(&data, 10), "{illegal}");
    }
    assert!(!validate_placeholders(r#"[{"_placeholder":true}]"#, 10));
    // Of two equal keys the last counts.
    assert!(validate_placeholders(r#"[{"_placeholder":true,"num":9,"num":0}]"#, 1));
    for no_placeholder in [
        r#"[{"_placeholder":1,"num":9}]"#,
        r#"[{"_placeholder":"true","num":9}]"#,
        r#"[{"a":{"_placeholder":false,"num":9}}]"#,
        r#"["_placeholder",true,"num",9]"#,
        r#"[{"x":"_placeholder","y":true,"num":9}]"#,
        r#"[{"_placeholder":{"_placeholder":[true]},"num":9}]"#,
    ] {
        assert_eq!(count_placeholders(no_placeholder), 0, "{no_placeholder}");
    }
}

#[test]
fn packets_are_written_as_socket_io_writes_them() {
    assert_eq!(connect("/", "abc", None), r#"0{"sid":"abc"}"#);
    assert_eq!(connect("/x", "abc", Some("p")), r#"0/x,{"sid":"abc","pid":"p"}"#);
    assert_eq!(connect_v4("/"), "0");
    assert_eq!(connect_v4("/x"), "0/x,");
    assert_eq!(connect_error("/", "no \"entry\"\n", None), r#"4{"message":"no \"entry\"\n"}"#);
    assert_eq!(connect_error("/x", "no", Some("[1]")), r#"4/x,{"message":"no","data":[1]}"#);
    assert_eq!(connect_error_v4("/", "no", None), r#"4"no""#);
    assert_eq!(connect_error_v4("/", "no", Some("[1]")), "4[1]");
    assert_eq!(disconnect("/"), "1");
    assert_eq!(disconnect("/x"), "1/x,");

    let prefix = |kind, attachments, nsp, id| {
        let mut out = Vec::new();
        write_event_prefix(&mut out, kind, attachments, nsp, id);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(prefix(PacketType::Event, 0, "/", None), "2");
    assert_eq!(prefix(PacketType::Ack, 0, "/", Some(0)), "30");
    assert_eq!(prefix(PacketType::BinaryEvent, 1, "/admin", Some(12)), "51-/admin,12");
}

#[test]
fn arguments_and_depth_are_bounded() {
    let many = |kind: &str, count: usize| format!("{kind}[\"e\"{}]", ",1".repeat(count - 1));
    let deep = |depth: usize| format!("2[\"e\",{}{}]", "[".repeat(depth - 1), "]".repeat(depth - 1));
    for kind in ["2", "3", "3/a,7"] {
        assert!(parse(&many(kind, MAX_ARGUMENTS)).is_ok());
        assert!(!is_beyond_limits(&many(kind, MAX_ARGUMENTS)));
        assert_eq!(parse(&many(kind, MAX_ARGUMENTS + 1)), Err(PacketError::TooManyArguments));
        assert!(is_beyond_limits(&many(kind, MAX_ARGUMENTS + 1)));
    }
    assert!(parse(&deep(MAX_DEPTH)).is_ok());
    assert_eq!(parse(&deep(MAX_DEPTH + 1)), Err(PacketError::TooDeep));
    assert!(is_beyond_limits(&deep(MAX_DEPTH + 1)));
    let auth = format!("0{}1{}", "{\"a\":".repeat(MAX_DEPTH + 1), "}".repeat(MAX_DEPTH + 1));
    assert_eq!(parse(&auth), Err(PacketError::TooDeep));
    assert_eq!(check_arguments(&many("", MAX_ARGUMENTS + 1)), Err(PacketError::TooManyArguments));

    // Long or wide data is accepted; brackets inside strings are not depth.
    let one = format!("2[\"e\",[1{}],\"{}\"]", ",1".repeat(200_000), "[{".repeat(MAX_DEPTH));
    assert!(parse(&one).is_ok() && !is_beyond_limits(&one));
    let flat = format!("2[\"e\",[{}[]]]", "{\"a\":[]},".repeat(10_000));
    assert!(parse(&flat).is_ok() && !is_beyond_limits(&flat));
    // Texts that are not packets pass, whatever they are.
    assert!(!is_beyond_limits(&many("hello", 10_000)) && !is_beyond_limits(&"[".repeat(10_000)));
}

#[test]
fn placeholders_are_replaced_at_any_depth_and_the_rest_stays_as_it_is() {
    let place = |json: &str| json::replace_placeholders(json, |num, out| out.push_str(&format!("<{num}>")));
    assert_eq!(
        place(r#"[ 1e400, {"b":{"num":2 ,"_placeholder":true},"a":-0}, {"_placeholder":false,"num":1} ]"#),
        r#"[ 1e400, {"b":<2>,"a":-0}, {"_placeholder":false,"num":1} ]"#,
    );
    assert_eq!(
        place(r#"[{"\u005fplaceholder":true,"num":0},{"_placeholder":true}]"#),
        r#"[<0>,{"_placeholder":true}]"#
    );
    assert_eq!(place(r#"{"_placeholder":true,"x":{"_placeholder":true,"num":3},"num":4}"#), "<4>");
    for depth in [1, 127, 128, 129, 100_000] {
        let nest = |inner: &str| format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(place(&nest(r#"{"_placeholder":true,"num":7}"#)), nest("<7>"), "{depth}");
    }
}
