//! Tests against the output of the JavaScript packages (`core/tools/cluster-fixtures.mjs`), and property tests.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kraken_ws_codec::msgpack::msgpack_to_json;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::cluster::message::{NodeQuestion, SocketChange};
use crate::options::cluster::Subscriptions;
use crate::shared::fleet_reply::RemoteSocket;
use crate::types::change::{Disconnect, Move};
use crate::types::flags::EmitFlags;
use crate::types::target::Target;

/// A message that a JavaScript package published.
struct Fixture {
    name: String,
    channel: String,
    payload: Vec<u8>,
}

fn fixtures() -> Vec<Fixture> {
    let file: Value = serde_json::from_str(include_str!("fixtures.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let unhex = |hex: &str| {
        let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    };
    let read = |fixture: &Value| Fixture {
        name: text(&fixture["name"]),
        channel: text(&fixture["channel"]),
        payload: unhex(fixture["hex"].as_str().unwrap()),
    };
    file["fixtures"].as_array().unwrap().iter().map(read).collect()
}

fn wire(mode: Mode) -> Wire {
    Wire::new(Arc::new(Names::new(mode, "socket.io", Subscriptions::Dynamic)), false, None)
}

/// Decodes a payload as a node does that subscribes to the channel.
fn read(wire: &Wire, channel: &str, payload: &[u8]) -> Result<Option<Incoming>, Malformed> {
    let nsp = if channel.contains("/chat") { "/chat" } else { "/" };
    if wire.names.mode == Mode::Sharded {
        return Ok(wire.read(&nsp.into(), channel.as_bytes(), payload, Kind::Sharded)?.map(
            |(of, incoming)| {
                assert_eq!(&*of, nsp);
                incoming
            },
        ));
    }
    let kind = match () {
        () if channel.starts_with("socket.io-request#") => Kind::Request,
        () if channel.starts_with("socket.io-response#") => Kind::Answer,
        () => {
            let read = wire.read_broadcast(nsp, channel.as_bytes(), payload)?;
            return Ok(read.map(|(uid, broadcast)| Incoming::Message {
                uid: Some(uid),
                message: FleetMessage::Broadcast(broadcast),
            }));
        }
    };
    Ok(wire.read(&nsp.into(), channel.as_bytes(), payload, kind)?.map(|(_, incoming)| incoming))
}

fn target(rooms: &[&str], except: &[&str]) -> Target {
    let names = |list: &[&str]| list.iter().map(|name| Box::from(*name)).collect();
    Target { rooms: names(rooms), except: names(except) }
}

fn broadcast(target: Target, data: &str) -> Broadcast {
    let flags = EmitFlags { local: true, ..EmitFlags::default() };
    Broadcast { target, data: data.into(), attachments: Vec::new(), flags, ack: None }
}

/// The message that the fixture of this name encodes, if it is a message. Ids are those of the fixture.
fn meaning(name: &str, id: Option<Box<str>>) -> Option<FleetMessage> {
    let (kind, name) = name.split_once(' ').unwrap();
    let rooms = vec!["x".into(), "y".into()];
    let data = r#"["event","text \"…\" 🙂",1,-7,1.5,1099511627776,true,null,[],{"a":{"b":[1]}}]"#;
    let binary = r#"["bytes",{"_placeholder":true,"num":0},{"deep":{"_placeholder":true,"num":1}}]"#;
    let dates =
        r#"["dates","1970-01-01T00:00:01.500Z","2020-09-13T12:26:40.000Z","1969-12-31T23:59:59.999Z"]"#;
    let of = |target, data| Some(FleetMessage::Broadcast(broadcast(target, data)));
    match (kind, name) {
        (_, "all") => of(Target::all(), data),
        ("emitter", "room") => {
            let data = r#"["room",{"_placeholder":true,"num":0}]"#;
            let attachments = vec![Bytes::from_static(b"b")];
            Some(FleetMessage::Broadcast(Broadcast { attachments, ..broadcast(target(&["a"], &[]), data) }))
        }
        (_, "room") => of(target(&["a"], &[]), r#"["room"]"#),
        (_, "rooms") => {
            let mut broadcast = broadcast(target(&["a", "b"], &["c"]), r#"["rooms"]"#);
            broadcast.flags.volatile = true;
            broadcast.flags.compress = kind == "emitter";
            Some(FleetMessage::Broadcast(broadcast))
        }
        (_, "private") => of(target(&["abcdefghijklmnopqrst"], &[]), r#"["private"]"#),
        (_, "binary") => {
            let attachments = vec![Bytes::from_static(&[0, 1, 255]), Bytes::from_static(&[7])];
            Some(FleetMessage::Broadcast(Broadcast { attachments, ..broadcast(Target::all(), binary) }))
        }
        (_, "dates") => of(Target::all(), dates),
        (_, "namespace") => of(Target::all(), r#"["namespace"]"#),
        (_, "with ack") => Some(FleetMessage::Broadcast(Broadcast {
            ack: Some((id?, Some(Duration::from_secs(2)))),
            ..broadcast(target(&["nobody"], &[]), r#"["ack",1]"#)
        })),
        ("emitter", "join") => {
            Some(FleetMessage::Move { way: Move::Join, target: target(&["a"], &[]), rooms })
        }
        (_, "join") => {
            Some(FleetMessage::Move { way: Move::Join, target: target(&["a", "b"], &["c"]), rooms })
        }
        (_, "leave") => {
            Some(FleetMessage::Move { way: Move::Leave, target: Target::all(), rooms: vec!["x".into()] })
        }
        ("emitter", "disconnect") => {
            Some(FleetMessage::Disconnect { target: Target::all(), what: Disconnect::Connection })
        }
        (_, "disconnect") => {
            Some(FleetMessage::Disconnect { target: target(&["nobody"], &[]), what: Disconnect::Connection })
        }
        (_, "server side") => Some(FleetMessage::ServerSide {
            data: r#"["hello",{"n":1}]"#.into(),
            attachments: Vec::new(),
            id: None,
        }),
        (_, "server side with ack") => Some(FleetMessage::ServerSide {
            data: r#"["hello"]"#.into(),
            attachments: Vec::new(),
            id: Some(id?),
        }),
        (_, "fetch") => {
            Some(FleetMessage::Ask { id: id?, question: NodeQuestion::Sockets(target(&["nobody"], &[])) })
        }
        (_, "rooms request") => Some(FleetMessage::Ask { id: id?, question: NodeQuestion::Rooms }),
        _ => None,
    }
}

fn id_of(message: &FleetMessage) -> Option<Box<str>> {
    match message {
        FleetMessage::Broadcast(Broadcast { ack, .. }) => ack.as_ref().map(|(id, _)| id.clone()),
        FleetMessage::ServerSide { id, .. } => id.clone(),
        FleetMessage::Ask { id, .. } => Some(id.clone()),
        _ => None,
    }
}

#[test]
fn what_javascript_nodes_write_is_read() {
    let mut messages = 0;
    for Fixture { name, channel, payload } in fixtures() {
        let mode = if name.starts_with("sharded") { Mode::Sharded } else { Mode::Classic };
        let Some(incoming) = read(&wire(mode), &channel, &payload).unwrap() else {
            panic!("{name}: ignored")
        };
        match incoming {
            Incoming::Message { uid, message } => {
                let expected = meaning(&name, id_of(&message));
                assert_eq!(Some(message), expected, "{name}");
                let named =
                    !name.starts_with("emitter ") || matches!(expected, Some(FleetMessage::Broadcast(_)));
                assert!(uid.is_some() || !named || name.ends_with("server side"), "{name}");
                messages += 1;
            }
            Incoming::Answer { uid, id, answer } => {
                assert_eq!((&*id, uid.is_some()), ("r", mode == Mode::Sharded), "{name}");
                match answer {
                    NodeAnswer::Sockets(sockets) => {
                        let RemoteSocket { id, handshake, rooms, data } = &sockets[0];
                        let handshake: Value = serde_json::from_str(handshake).unwrap();
                        assert_eq!(handshake["auth"], json!({ "user": "ada" }), "{name}");
                        assert_eq!(
                            (rooms, &**data),
                            (&vec![id.clone(), "room".into()], r#"{"since":1}"#),
                            "{name}"
                        );
                    }
                    NodeAnswer::Rooms(rooms) => {
                        assert!(rooms.contains(&"room".into()) && rooms.len() == 2, "{name}")
                    }
                    NodeAnswer::Ids(ids) => assert_eq!((ids.len(), ids[0].len()), (1, 20), "{name}"),
                    NodeAnswer::ServerSide { data, attachments } if attachments.is_empty() => {
                        assert_eq!(&*data, r#"{"yes":[1]}"#, "{name}");
                    }
                    NodeAnswer::ServerSide { attachments, .. } => assert_eq!(attachments, ["c"], "{name}"),
                    NodeAnswer::Clients(count) => assert_eq!(count, 1, "{name}"),
                    NodeAnswer::Ack { data, attachments } if attachments.is_empty() => {
                        assert_eq!(&*data, r#""answer""#, "{name}");
                    }
                    NodeAnswer::Ack { attachments, .. } => assert_eq!(attachments, ["b"], "{name}"),
                    NodeAnswer::Done => panic!("{name}: nothing in it"),
                }
            }
        }
    }
    assert!(messages >= 30, "{messages}");
}

/// The JSON of a payload in either encoding, for comparison without order.
fn value(payload: &[u8]) -> Value {
    match payload.first() {
        Some(b'{') => serde_json::from_slice(payload).unwrap(),
        _ => serde_json::from_str(&msgpack_to_json(payload).unwrap().0).unwrap(),
    }
}

#[test]
fn what_is_written_is_what_javascript_nodes_write() {
    let mut compared = 0;
    for Fixture { name, channel, payload } in fixtures() {
        // A date that went through JSON is a string.
        if name.contains("answer to") || name.ends_with("dates") {
            continue;
        }
        let mode = if name.starts_with("sharded") { Mode::Sharded } else { Mode::Classic };
        let mut names = Names::new(mode, "socket.io", Subscriptions::Dynamic);
        let (uid, message) = match read(&wire(mode), &channel, &payload).unwrap() {
            Some(Incoming::Message { uid, message }) => (uid, message),
            other => panic!("{name}: {other:?}"),
        };
        names.uid = uid.unwrap_or_else(|| "emitter".into());
        let nsp = if channel.contains("/chat") { "/chat" } else { "/" };
        let (to, written) = Wire::new(names.into(), false, None).message(nsp, &message, |_| false).unwrap();
        assert_eq!(std::str::from_utf8(&to).unwrap(), channel, "{name}");
        // The emitter writes its options in another order.
        if payload.first() != Some(&b'{') && mode == Mode::Classic && !name.starts_with("emitter") {
            assert_eq!(written, payload, "{name}: not the same bytes");
        }
        assert_eq!(value(&written), value(&payload), "{name}");
        assert_eq!(
            written.first() == Some(&b'{'),
            payload.first() == Some(&b'{'),
            "{name}: JSON or MessagePack"
        );
        compared += 1;
    }
    assert!(compared >= 30, "{compared}");
}

#[test]
fn old_nodes_are_understood() {
    let wire = wire(Mode::Classic);
    let of = |json: Value| match read(&wire, "socket.io-request#/#", json.to_string().as_bytes()) {
        Ok(Some(Incoming::Message { uid: None, message })) => message,
        other => panic!("{other:?}"),
    };
    let one = |change| FleetMessage::OneSocket { id: Some("r".into()), sid: "s".into(), change };
    assert_eq!(
        of(json!({ "requestId": "r", "type": 2, "sid": "s", "room": 5 })),
        one(SocketChange::Move(Move::Join, "5".into()))
    );
    assert_eq!(
        of(json!({ "requestId": "r", "type": 3, "sid": "s", "room": "x" })),
        one(SocketChange::Move(Move::Leave, "x".into()))
    );
    assert_eq!(
        of(json!({ "requestId": "r", "type": 4, "sid": "s", "close": true })),
        one(SocketChange::Disconnect(Disconnect::Connection))
    );
}

#[test]
fn binary_data_of_a_socket_is_shown_as_json_stringify_does() {
    let json = r#"{"type":8,"data":{"requestId":"r","sockets":[{"id":"s","data":{"key":{"_placeholder":true,"num":0}}}]},"uid":"u","nsp":"/"}"#;
    let mut payload = Vec::new();
    kraken_ws_codec::msgpack::json_to_msgpack(json, &[Bytes::from_static(&[1, 2])], &mut payload).unwrap();
    match read(&wire(Mode::Sharded), "socket.io#/#x#", &payload).unwrap() {
        Some(Incoming::Answer { answer: NodeAnswer::Sockets(sockets), .. }) => {
            let data: Value = serde_json::from_str(&sockets[0].data).unwrap();
            assert_eq!(data, json!({ "key": { "type": "Buffer", "data": [1, 2] } }));
            assert_eq!((&*sockets[0].handshake, sockets[0].rooms.len()), ("{}", 0));
        }
        other => panic!("{other:?}"),
    }
}

fn names() -> impl Strategy<Value = Vec<Box<str>>> {
    proptest::collection::btree_set(".{0,24}", 0..4)
        .prop_map(|set| set.into_iter().map(String::into_boxed_str).collect())
}

fn targets() -> impl Strategy<Value = Target> {
    (names(), names()).prop_map(|(rooms, except)| Target { rooms, except })
}

fn leaves() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        // Only characters that have a single escaped form.
        "[ -~à-ÿ🙂]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{0,4}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// Event data with one placeholder for each attachment.
fn events() -> impl Strategy<Value = (Box<str>, Vec<Bytes>)> {
    let bytes = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..3);
    (leaves(), bytes).prop_map(|(leaf, bytes)| {
        let mut args = vec![json!("event"), leaf];
        args.extend((0..bytes.len()).map(|num| json!({ "_placeholder": true, "num": num })));
        (Value::from(args).to_string().into(), bytes.into_iter().map(Bytes::from).collect())
    })
}

fn messages() -> impl Strategy<Value = FleetMessage> {
    let id = || "[a-z0-9]{6}".prop_map(String::into_boxed_str);
    let ack =
        proptest::option::of((id(), proptest::option::of((1u64..100_000).prop_map(Duration::from_millis))));
    let flags = (any::<bool>(), any::<bool>()).prop_map(|(volatile, compress)| EmitFlags {
        volatile,
        compress,
        local: true,
    });
    let broadcast =
        (targets(), events(), flags, ack).prop_map(|(target, (data, attachments), flags, ack)| {
            FleetMessage::Broadcast(Broadcast { target, data, attachments, flags, ack })
        });
    prop_oneof![
        4 => broadcast,
        1 => (targets(), names()).prop_map(|(target, rooms)| FleetMessage::Move { way: Move::Join, target, rooms }),
        1 => (targets(), names()).prop_map(|(target, rooms)| FleetMessage::Move { way: Move::Leave, target, rooms }),
        1 => (targets(), any::<bool>()).prop_map(|(target, close)| FleetMessage::Disconnect { target, what: Disconnect::from_close(close) }),
        1 => (events(), proptest::option::of(id()))
            .prop_map(|((data, attachments), id)| FleetMessage::ServerSide { data, attachments, id }),
        1 => (id(), targets())
            .prop_map(|(id, target)| FleetMessage::Ask { id, question: NodeQuestion::Sockets(target) }),
        1 => id().prop_map(|id| FleetMessage::Ask { id, question: NodeQuestion::Rooms }),
        1 => Just(FleetMessage::Hello),
    ]
}

fn modes() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Classic), Just(Mode::Sharded)]
}

proptest! {
    #[test]
    fn another_node_reads_what_was_meant_and_the_node_itself_ignores_it(mode in modes(), message in messages()) {
        let (ours, theirs) = (wire(mode), wire(mode));
        let (channel, payload) = ours.message("/", &message, |_| false).unwrap();
        let channel = std::str::from_utf8(&channel).unwrap();
        prop_assert_eq!(read(&ours, channel, &payload), Ok(None));
        match read(&theirs, channel, &payload) {
            Ok(Some(Incoming::Message { uid, message: found })) => {
                prop_assert_eq!(uid, Some(ours.names.uid.clone()));
                prop_assert_eq!(found, message);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn answers_are_read_as_they_were_meant(
        mode in modes(),
        (data, attachments) in events(),
        rooms in names(),
        count in 0usize..1_000_000,
        which in 0..5,
    ) {
        let answer = match which {
            0 => NodeAnswer::Rooms(rooms),
            1 => NodeAnswer::Sockets(vec![RemoteSocket {
                id: "id".into(),
                handshake: r#"{"auth":{}}"#.into(),
                rooms,
                data: if attachments.is_empty() { data } else { "{}".into() },
            }]),
            2 => NodeAnswer::ServerSide { data, attachments },
            3 => NodeAnswer::Clients(count),
            _ => NodeAnswer::Ack { data, attachments },
        };
        let (ours, theirs) = (wire(mode), wire(mode));
        let (channel, payload) = ours.answer("/", Some(&theirs.names.uid), "request", &answer).unwrap();
        let found = read(&theirs, std::str::from_utf8(&channel).unwrap(), &payload);
        let expected = Incoming::Answer { uid: Some(ours.names.uid.clone()), id: "request".into(), answer };
        prop_assert_eq!(found, Ok(Some(expected)));
    }

    #[test]
    fn anything_may_come(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_everywhere(&bytes);
    }

    #[test]
    fn what_is_almost_right_may_come(
        which in 0usize..1000,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
    ) {
        let mut fixtures = fixtures();
        let at = which % fixtures.len();
        let mut payload = fixtures.swap_remove(at).payload;
        for (index, byte) in changes {
            let at = index.index(payload.len());
            payload[at] = byte;
        }
        read_everywhere(&payload);
        payload.truncate(end.index(payload.len()));
        read_everywhere(&payload);
    }
}

fn read_everywhere(payload: &[u8]) {
    for mode in [Mode::Classic, Mode::Sharded] {
        let wire = wire(mode);
        let _ = wire.read_broadcast("/", b"socket.io#/#", payload);
        for kind in [Kind::Request, Kind::Answer, Kind::Sharded] {
            let _ = wire.read(&"/".into(), b"socket.io#/#", payload, kind);
        }
        let names = Names::new(mode, "socket.io", Subscriptions::Dynamic);
        let sealed = Wire::new(names.into(), false, Some(b"secret"));
        assert_eq!(sealed.read_broadcast("/", b"socket.io#/#", payload), Err(Malformed("signature")));
    }
}
