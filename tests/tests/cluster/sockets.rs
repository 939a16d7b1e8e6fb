//! Sockets and hosts of other nodes: fetching, moving, disconnecting, server-side emits.

use std::time::Duration;

use bytes::Bytes;
use kraken_ws_core::{Disconnect, Event, FleetReply, Hooks, Reach, Target};
use kraken_ws_tests::{Redis, eventually};
use serde_json::{Value, json};

use crate::{MODES, in_each_mode, options, pair, server_side, wait};

#[test]
fn sockets_of_other_nodes_are_fetched_moved_and_disconnected() {
    in_each_mode(|cluster, mode| {
        let [mut a, mut b] = pair(cluster);
        let (at_a, at_b) = (a.listen(), b.listen());
        let (_near, near_socket) = a.client(at_a);
        let (mut far, far_socket) = b.client(at_b);
        let (mut other, _) = b.client(at_b);
        b.server.set_data(far_socket, r#"{"user":"ada"}"#);
        b.server.join(far_socket, &["x"]);
        b.settle();
        let fetch = |target| wait(a.server.fetch_remote(&a.main, target, None));
        let found = fetch(Target::room("x"));
        assert_eq!((found.expected, found.missing, found.answers.len()), (1, 0, 1), "{mode}");
        let socket = &found.answers[0];
        assert_eq!((&*socket.id, &*socket.data), (&*far.id, r#"{"user":"ada"}"#), "{mode}");
        assert_eq!(socket.rooms, [far.id.as_str(), "x"].map(Box::<str>::from), "{mode}");
        let handshake: Value = serde_json::from_str(&socket.handshake).unwrap();
        assert_eq!(handshake["query"]["transport"], "websocket", "{mode}");
        assert_eq!(fetch(Target::all()).answers.len(), 2, "{mode}");
        assert_eq!(fetch(Target::all().except(far.id.as_str())).answers.len(), 1, "{mode}");

        let rooms = wait(a.server.fleet_rooms(&a.main));
        for room in ["x", &far.id, &other.id] {
            assert!(rooms.answers.iter().any(|found| &**found == room), "{mode}: {room} in {rooms:?}");
        }
        assert_eq!((rooms.answers.len(), rooms.missing), (4, 0), "{mode}");

        // All sockets join; with `local` only those of this node.
        a.server.sockets_join(&a.main, Target::all(), &["all", "gone"], Reach::Fleet);
        eventually("the sockets have joined", || fetch(Target::room("all")).answers.len() == 2);
        a.server.sockets_leave(&a.main, Target::room("x"), &["gone"], Reach::Fleet);
        eventually("one has left", || fetch(Target::room("gone")).answers.len() == 1);
        a.server.sockets_join(&a.main, Target::all(), &["ours"], Reach::Node);
        a.server.sockets_join(&a.main, Target::all(), &["marker"], Reach::Fleet);
        eventually("the marker is there", || fetch(Target::room("marker")).answers.len() == 2);
        assert_eq!(fetch(Target::room("ours")).answers.len(), 0, "{mode}");
        assert!(a.settle().iter().any(|s| s.socket == near_socket && s.rooms.contains(&"ours".into())));

        a.server.disconnect_sockets(&a.main, Target::room("x"), Disconnect::Socket, Reach::Fleet);
        assert_eq!(far.packet(), "1", "{mode}");
        a.server.disconnect_sockets(
            &a.main,
            Target::room(other.id.as_str()),
            Disconnect::Connection,
            Reach::Fleet,
        );
        assert_eq!(other.ended(), Some(1005), "{mode}");
    });
}

#[test]
fn the_host_is_asked_for_the_data_of_sockets_where_it_keeps_it() {
    let Some(redis) = Redis::start() else { return };
    let cluster = options(&redis, MODES[0]);
    let [a, mut b] = pair(&cluster);
    let mut hooks = b.server.hooks();
    hooks.set(Hooks::SOCKET_DATA, true);
    b.server.set_hooks(hooks);
    let addr = b.listen();
    let (_far, socket) = b.client(addr);
    let answering = std::thread::spawn(move || {
        loop {
            if let Event::SocketData { sockets, reply, .. } = b.event() {
                assert_eq!(sockets, [socket]);
                reply.send(vec![r#"{"kept":"by the host"}"#.into()]).unwrap();
                return b;
            }
        }
    });
    let found = wait(a.server.fetch_remote(&a.main, Target::all(), None));
    assert_eq!(&*found.answers[0].data, r#"{"kept":"by the host"}"#);
    // An emit without an answer, with its attachments.
    let b = answering.join().unwrap();
    b.server.set_data(socket, r#"{"attached":true}"#);
    let mut hooks = b.server.hooks();
    hooks.set(Hooks::SOCKET_DATA, false);
    b.server.set_hooks(hooks);
    let found = wait(a.server.fetch_remote(&a.main, Target::all(), None));
    assert_eq!(&*found.answers[0].data, r#"{"attached":true}"#);
}

#[test]
fn hosts_talk_to_each_other() {
    in_each_mode(|cluster, mode| {
        let [a, mut b] = pair(cluster);
        a.server.server_side_emit(&a.main, r#"["hello",{"n":1}]"#, vec![]).unwrap();
        let (data, _, reply) = server_side(&mut b);
        assert!(data == json!(["hello", { "n": 1 }]) && reply.is_none(), "{mode}");
        let binary = r#"["bytes",{"_placeholder":true,"num":0}]"#;
        a.server.server_side_emit(&a.main, binary, vec![Bytes::from_static(b"\x01")]).unwrap();
        let (data, attachments, _) = server_side(&mut b);
        assert_eq!(
            (data.to_string(), attachments),
            (binary.to_owned(), vec![Bytes::from_static(b"\x01")]),
            "{mode}"
        );

        let answering = std::thread::spawn(move || {
            let (_, _, reply) = server_side(&mut b);
            reply.expect("an answer is wanted").send((r#"{"load":0.5}"#.into(), vec![])).unwrap();
            b
        });
        let ask = |timeout| {
            wait(a.server.server_side_emit_with_ack(&a.main, r#"["load?"]"#, vec![], timeout)).unwrap()
        };
        let FleetReply { answers, expected, missing, .. } = ask(None);
        assert_eq!((answers, expected, missing), (vec![(r#"{"load":0.5}"#.into(), vec![])], 1, 0), "{mode}");
        // A host that does not answer: the answers that came, and the missing node.
        let b = answering.join().unwrap();
        let fleet = ask(Some(Duration::from_millis(100)));
        assert_eq!((fleet.answers.len(), fleet.expected, fleet.missing), (0, 1, 1), "{mode}");
        assert_eq!(fleet.missing_nodes.len(), 1, "{mode}");
        drop(b);
    });
}
