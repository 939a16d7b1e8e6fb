//! The recipients of a publish do not depend on the number of shards.

use kraken_ws_core::{Disconnect, Reach, Target};
use kraken_ws_tests::{Host, process};
use serde_json::json;

/// Publishes to rooms and exceptions, to eight clients: client `i` is in `all`, in `even` or `odd`, and in `third` if
/// 3 divides `i`. Each publish has to reach exactly its recipients, once.
fn reaches_each_member_once(shards: usize) {
    let mut host = Host::start(&json!({ "shards": shards }));
    let addr = host.listen();
    let mut clients: Vec<_> = (0..8).map(|_| host.client(addr)).collect();
    for (i, (_, socket)) in clients.iter().enumerate() {
        host.server.join(*socket, &["all", if i % 2 == 0 { "even" } else { "odd" }]);
        if i % 3 == 0 {
            host.server.join(*socket, &["third"]);
        }
    }
    let own = |i: usize| clients[i].0.id.clone().into_boxed_str();
    let to = |rooms: &[&str], except: &[&str]| Target {
        rooms: rooms.iter().map(|r| Box::from(*r)).collect(),
        except: except.iter().map(|r| Box::from(*r)).collect(),
    };
    let cases: Vec<(Target, &[usize])> = vec![
        (Target::all(), &[0, 1, 2, 3, 4, 5, 6, 7]),
        (to(&["even"], &[]), &[0, 2, 4, 6]),
        (to(&["even", "third", "all"], &[]), &[0, 1, 2, 3, 4, 5, 6, 7]),
        (to(&["even", "third"], &["third"]), &[2, 4]),
        (to(&[], &["even", "nobody's"]), &[1, 3, 5, 7]),
        (to(&["nobody's"], &[]), &[]),
        (Target::room(own(5)), &[5]),
        (Target::room("odd").except(own(3)), &[1, 5, 7]),
        (Target { rooms: vec![own(0), own(1), "third".into()], except: vec![own(6)] }, &[0, 1, 3]),
    ];
    for (number, (target, _)) in cases.iter().enumerate() {
        host.publish(target.clone(), &json!(["n", number]).to_string());
    }
    host.publish(Target::all(), r#"["n","end"]"#);
    for (i, (client, _)) in clients.iter_mut().enumerate() {
        for (number, _) in cases.iter().enumerate().filter(|(_, (_, who))| who.contains(&i)) {
            assert_eq!(client.event(), json!(["n", number]), "client {i}");
        }
        assert_eq!(client.event(), json!(["n", "end"]), "client {i}");
    }
    host.close();
}

#[test]
fn a_publish_reaches_each_member_once_with_1_shard() {
    reaches_each_member_once(1);
}

#[test]
fn a_publish_reaches_each_member_once_with_2_shards() {
    reaches_each_member_once(2);
}

#[test]
fn a_publish_reaches_each_member_once_with_3_shards() {
    reaches_each_member_once(3);
}

#[test]
fn a_publish_reaches_each_member_once_with_4_shards() {
    reaches_each_member_once(4);
}

#[test]
fn rooms_and_figures_are_those_of_all_shards() {
    let mut host = Host::start(&json!({ "shards": 3 }));
    let addr = host.listen();
    let clients: Vec<_> = (0..6).map(|_| host.client(addr)).collect();
    for (i, (_, socket)) in clients.iter().enumerate() {
        host.server.join(*socket, &["common", if i < 3 { "low" } else { "high" }]);
    }
    host.settle();
    let mut rooms = host.server.rooms(&host.main);
    rooms.sort();
    assert_eq!(rooms, ["common", "high", "low"].map(Box::<str>::from));
    assert!(host.server.has_room(&host.main, "low") && !host.server.has_room(&host.main, "none"));
    assert!(!host.server.has_room(&host.main, &clients[0].0.id), "an own-id room is none");

    let other = host.server.namespace("/other").unwrap();
    assert!(!host.server.has_room(&other, "low") && host.server.rooms(&other).is_empty());

    let before = host.server.stats();
    assert_eq!((before.connections, before.sockets, before.rooms), (6, 6, 3));
    host.publish(Target::room("low"), r#"["x"]"#);
    host.settle();
    assert_eq!(host.server.stats().messages_out - before.messages_out, 3);

    host.server.sockets_leave(&host.main, Target::all(), &["low"], Reach::Fleet);
    host.settle();
    assert!(!host.server.has_room(&host.main, "low"));
    host.server.disconnect_sockets(&host.main, Target::all(), Disconnect::Connection, Reach::Fleet);
    host.settle();
    let after = host.server.stats();
    assert_eq!((after.connections, after.sockets, after.rooms), (0, 0, 0));
    host.close();
}

#[test]
fn a_publish_wakes_one_shard_and_that_the_others() {
    let mut host = Host::start(&json!({ "shards": 4 }));
    let addr = host.listen();
    let mut clients: Vec<_> = (0..8).map(|_| host.client(addr)).collect();
    let mut few = 0;
    for round in 0..50 {
        // Nothing happens for a while, so that the shards are asleep.
        host.settle();
        std::thread::sleep(std::time::Duration::from_millis(5));
        let before = process::own_writes();
        host.publish(Target::all(), &json!(["n", round]).to_string());
        let writes = process::own_writes() - before;
        for (client, _) in &mut clients {
            assert_eq!(client.event(), json!(["n", round]));
        }
        few += usize::from(writes <= 2);
    }
    // A shard that happens to be awake gets the command without a wake-up; waking all four for each publish would
    // cost one call each.
    assert!(few >= 35, "{few} of 50 publishes woke one shard or two");
    host.close();
}
