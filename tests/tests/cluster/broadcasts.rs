//! Broadcasts to the clients of other nodes, with and without acks.

use std::time::Duration;

use bytes::Bytes;
use kraken_ws_core::{EmitFlags, Event, Target};
use kraken_ws_tests::{Host, PATIENCE, Redis, TcpClient, eventually};
use serde_json::{Value, json};

use crate::{MODES, count, heard, in_each_mode, node, options, pair};

#[test]
fn broadcasts_reach_the_clients_of_all_nodes_once_and_in_order() {
    in_each_mode(|cluster, mode| {
        let [mut a, mut b] = pair(cluster);
        let (at_a, at_b) = (a.listen(), b.listen());
        let (mut near, near_socket) = a.client(at_a);
        let (mut far, far_socket) = b.client(at_b);
        let (mut other, other_socket) = b.client(at_b);
        a.server.join(near_socket, &["room", "räume 🙂"]);
        b.server.join(far_socket, &["room", "räume 🙂"]);
        b.server.join(other_socket, &["other"]);
        for room in ["room", "räume 🙂"] {
            heard(&a, room, &mut far);
            while near.event() != json!(["heard"]) {}
        }
        heard(&a, "other", &mut other);
        let here = EmitFlags::new().local(true);
        for n in 0..50 {
            a.publish(Target::room("room"), &json!(["room", n]).to_string());
        }
        a.publish(Target::room("räume 🙂"), r#"["unicode","…\u2028\ud83d\ude00"]"#);
        a.publish(
            Target { rooms: vec!["room".into(), "other".into(), "room".into()], except: vec![] },
            r#"["two"]"#,
        );
        a.publish(Target::room("room").except(far.id.as_str()), r#"["not far"]"#);
        a.publish(Target::room(other.id.as_str()), r#"["private"]"#);
        a.server.publish(&a.main, Target::all(), r#"["near"]"#, vec![], here).unwrap();
        a.publish(Target::all(), r#"["all",[1,-5,1.5,4294967296,null,{"a":[]}]]"#);

        let room = (0..50).map(|n| json!(["room", n]));
        let tail = json!(["all", [1, -5, 1.5, 4_294_967_296_u64, null, { "a": [] }]]);
        let unicode = json!(["unicode", "…\u{2028}😀"]);
        let expected = |own: Vec<Value>| room.clone().chain(own).chain([tail.clone()]).collect::<Vec<_>>();
        // In sharded mode Redis keeps no order between channels.
        let sorted = |mut list: Vec<Value>| {
            list.sort_by_key(ToString::to_string);
            list
        };
        let take = |client: &mut TcpClient, n: usize| (0..n).map(|_| client.event()).collect::<Vec<_>>();
        let got = take(&mut near, 55);
        assert_eq!(
            got,
            expected(vec![unicode.clone(), json!(["two"]), json!(["not far"]), json!(["near"])]),
            "{mode}"
        );
        let got = take(&mut far, 53);
        assert_eq!(got[..50], expected(vec![])[..50], "{mode}");
        assert_eq!(sorted(got), sorted(expected(vec![unicode, json!(["two"])])), "{mode}");
        let got = take(&mut other, 3);
        assert_eq!(sorted(got), sorted(vec![json!(["two"]), json!(["private"]), tail]), "{mode}");
        // No message came twice: the next one is from the node itself.
        for client in [&mut far, &mut other] {
            b.server.publish(&b.main, Target::room(client.id.as_str()), r#"["end"]"#, vec![], here).unwrap();
            assert_eq!(client.event(), json!(["end"]), "{mode}");
        }
    });
}

#[test]
fn binary_data_crosses() {
    in_each_mode(|cluster, mode| {
        let [a, mut b] = pair(cluster);
        let addr = b.listen();
        let (mut far, _) = b.client(addr);
        let big: Bytes = (0..1_000_000_u32).map(|n| n as u8).collect::<Vec<_>>().into();
        let data = r#"["b",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}]"#;
        let attachments = vec![Bytes::from_static(b"\x00\xff"), big.clone()];
        a.server.publish(&a.main, Target::all(), data, attachments, EmitFlags::default()).unwrap();
        assert_eq!(far.packet(), format!("52-{data}"), "{mode}");
        assert_eq!(far.binary(), b"\x00\xff", "{mode}");
        assert_eq!(far.binary(), big, "{mode}");
    });
}

#[test]
fn acks_of_all_clients_of_all_nodes_come_back() {
    in_each_mode(|cluster, mode| {
        let [mut a, mut b] = pair(cluster);
        let (at_a, at_b) = (a.listen(), b.listen());
        let mut clients = [a.client(at_a).0, b.client(at_b).0, b.client(at_b).0];
        let ask = |a: &Host, timeout| {
            a.server
                .publish_with_ack(&a.main, Target::all(), r#"["q"]"#, vec![], EmitFlags::default(), timeout)
                .unwrap()
        };
        let outcome = |a: &mut Host, of: u64| {
            a.find(|event| match event {
                Event::BroadcastAck { id, timed_out, expected, missing, responses, .. } => {
                    assert_eq!(*id, of);
                    let mut answers: Vec<_> = responses.iter().map(|(json, _)| json.to_string()).collect();
                    answers.sort();
                    Some((*timed_out, *expected, *missing, answers))
                }
                _ => None,
            })
        };
        let id = ask(&a, PATIENCE);
        for (n, client) in clients.iter_mut().enumerate() {
            let asked = client.asked();
            client.ack(asked, &format!("[{n},\"more\"]"));
            client.ack(asked, "[\"again\"]");
        }
        let all = ["0", "1", "2"].map(String::from).to_vec();
        assert_eq!(outcome(&mut a, id), (false, 3, 0, all), "{mode}");
        // One client does not answer.
        let id = ask(&a, Duration::from_millis(300));
        for client in &mut clients[..2] {
            let asked = client.asked();
            client.ack(asked, "[]");
        }
        let answers = vec!["null".to_owned(); 2];
        assert_eq!(outcome(&mut a, id), (true, 3, 0, answers), "{mode}");
        clients[2].asked();
        // A request is sent in order with the messages before and after it.
        for n in 0..20 {
            a.publish(Target::all(), &json!(["before", n]).to_string());
            let id = ask(&a, PATIENCE);
            a.publish(Target::all(), &json!(["after", n]).to_string());
            for client in &mut clients {
                assert_eq!(client.event(), json!(["before", n]), "{mode}");
                let asked = client.asked();
                assert_eq!(client.event(), json!(["after", n]), "{mode}");
                client.ack(asked, "[]");
            }
            assert_eq!(outcome(&mut a, id).1, 3, "{mode}");
        }
        // No client is left.
        drop(clients);
        eventually("the clients have left", || a.settle().is_empty() && b.settle().is_empty());
        let id = ask(&a, PATIENCE);
        assert_eq!(outcome(&mut a, id), (false, 0, 0, vec![]), "{mode}");
    });
}

#[test]
fn what_other_nodes_send_is_kept_for_clients_that_may_come_back() {
    let Some(redis) = Redis::start() else { return };
    let cluster = options(&redis, MODES[0]);
    let a = node(&cluster, 1);
    let mut b = Host::start(&json!({ "shards": 1, "cluster": cluster, "connectionStateRecovery": true }));
    eventually("both nodes are counted", || count(&a) == 2);
    let addr = b.listen();
    let (mut far, _) = b.client(addr);
    a.publish(Target::all(), r#"["kept"]"#);
    let event = far.event();
    // The offset with which the client will ask for the messages it missed.
    assert!(event[0] == "kept" && event[1].is_string(), "{event}");
    assert!(b.server.stats().recovery_bytes > 0);
}
