//! Connection state recovery, on raw connections.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kraken_ws_core::{Disconnect, EmitFlags, Event, Reach, Reason, SessionEnd, SocketHandle, Target};
use kraken_ws_tests::{Client, Host, TcpClient, dial};
use serde_json::{Value, json};

/// A client with the values that it needs to recover its session.
struct Returning {
    client: TcpClient,
    pid: String,
    offset: String,
}

/// The first packet is CONNECT; the missed messages follow it.
fn join(addr: std::net::SocketAddr, auth: &str) -> (TcpClient, Value) {
    let mut client = Client::open(dial(addr));
    client.send(&format!("0{auth}"));
    let packet = client.packet();
    let json = packet.strip_prefix('0').unwrap_or_else(|| panic!("{packet} before CONNECT"));
    (client, serde_json::from_str(json).expect("an object"))
}

fn auth(pid: &str, offset: &str) -> String {
    json!({ "pid": pid, "offset": offset }).to_string()
}

fn connected(host: &mut Host) -> (SocketHandle, Option<Vec<Box<str>>>) {
    host.find(|event| match event {
        Event::Connect { socket, recovered, .. } => {
            Some((*socket, recovered.as_ref().map(|back| back.rooms.clone())))
        }
        _ => None,
    })
}

fn first(host: &mut Host, addr: std::net::SocketAddr) -> (Returning, SocketHandle) {
    let (mut client, answer) = join(addr, "");
    let (socket, recovered) = connected(host);
    assert_eq!(recovered, None);
    host.emit(socket, r#"["first"]"#);
    let event = client.event();
    let pid = answer["pid"].as_str().expect("a pid").to_owned();
    let offset = event[1].as_str().expect("an offset").to_owned();
    client.id = answer["sid"].as_str().expect("an id").to_owned();
    (Returning { client, pid, offset }, socket)
}

fn disconnected(host: &mut Host) -> (SocketHandle, Reason) {
    host.find(|event| match event {
        Event::Disconnect { socket, reason, .. } => Some((*socket, *reason)),
        _ => None,
    })
}

#[test]
fn a_socket_comes_back_with_rooms_data_and_what_was_emitted_meanwhile() {
    let mut host = Host::start(&json!({ "shards": 2, "connectionStateRecovery": {} }));
    let addr = host.listen();
    let (was, old) = first(&mut host, addr);
    let id = was.client.id.clone();
    host.server.join(old, &["r"]);
    host.server.set_data(old, r#"{"name":"ann"}"#);
    host.settle();
    drop(was.client);
    assert_eq!(disconnected(&mut host), (old, Reason::TransportClose));
    // The host still uses the earlier handle.
    host.emit(old, r#"["by handle"]"#);
    host.publish(Target::room("r"), r#"["by room"]"#);
    host.publish(Target::all().except("r"), r#"["not for it"]"#);
    host.server.join(old, &["s"]);
    host.settle();
    host.publish(Target::room("s"), r#"["by the late room"]"#);
    let (mut client, _) = join(addr, &auth(&was.pid, &was.offset));
    for missed in ["by handle", "by room", "by the late room"] {
        assert_eq!(client.event()[0], missed);
    }
    let (new, rooms) = connected(&mut host);
    let mut rooms = rooms.expect("recovered");
    rooms.sort();
    let mut expected = vec![Box::from("r"), Box::from("s"), Box::from(id.as_str())];
    expected.sort();
    assert_eq!(rooms, expected);
    let found = host.settle();
    assert_eq!((found[0].socket, &*found[0].data), (new, r#"{"name":"ann"}"#));
    host.emit(old, r#"["old handle, new connection"]"#);
    assert_eq!(client.event()[0], "old handle, new connection");
    host.close();
}

#[test]
fn what_comes_while_the_host_decides_is_delivered_once() {
    let rules = json!({ "skipMiddlewares": false });
    let mut host = Host::start(&json!({ "shards": 2, "connectionStateRecovery": rules }));
    let addr = host.listen();
    let (was, old) = first(&mut host, addr);
    host.main.set_decide(true);
    drop(was.client);
    disconnected(&mut host);
    host.emit(old, r#"[1]"#);
    // A connection that ends before the host has decided leaves the session unchanged.
    let mut lost = Client::open(dial(addr));
    lost.send(&format!("0{}", auth(&was.pid, &was.offset)));
    let (waiting, _) = connected(&mut host);
    host.publish(Target::all(), r#"[2]"#);
    drop(lost);
    assert_eq!(disconnected(&mut host).0, waiting);
    let mut client = Client::open(dial(addr));
    client.send(&format!("0{}", auth(&was.pid, &was.offset)));
    let (new, recovered) = connected(&mut host);
    assert!(recovered.is_some());
    host.emit(new, r#"[3]"#);
    host.publish(Target::all(), r#"[4]"#);
    host.emit(old, r#"[5]"#);
    host.server.accept(new);
    host.publish(Target::all(), r#"[6]"#);
    let mut seen = Vec::new();
    let mut connects = 0;
    while seen.len() < 6 || connects == 0 {
        let packet = client.packet();
        match packet.strip_prefix('2') {
            Some(json) => {
                seen.push(
                    serde_json::from_str::<Value>(json).expect("an array")[0].as_u64().expect("a number"),
                );
            }
            None => connects += 1,
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
    host.publish(Target::all(), r#"["last"]"#);
    assert_eq!(client.event()[0], "last");
    host.close();
}

#[test]
fn what_was_sent_to_a_room_is_replayed_for_the_time_in_it_and_no_other() {
    let mut host = Host::start(&json!({ "shards": 2, "connectionStateRecovery": {} }));
    let addr = host.listen();
    let (was, socket) = first(&mut host, addr);
    let id = was.client.id.clone();
    host.publish(Target::room("late"), r#"["before the join"]"#);
    host.publish(Target::room("left"), r#"["before the join"]"#);
    host.server.join(socket, &["late", "left"]);
    host.settle();
    host.publish(Target::room("late"), r#"["in the room"]"#);
    host.publish(Target::room("left"), r#"["in the room that is left"]"#);
    host.server.leave(socket, &["left"]);
    host.settle();
    host.publish(Target::room("left"), r#"["after the leave"]"#);
    host.publish(Target::all().except("late"), r#"["excluded"]"#);
    host.publish(Target::all().except("left"), r#"["not excluded any more"]"#);
    host.settle();
    // Everything was sent, and the client has read none of it.
    drop(was.client);
    disconnected(&mut host);
    // With a target, like `socketsJoin` in an application that does not know which clients are away.
    let own = || Target::room(id.as_str());
    host.publish(Target::room("away"), r#"["before the join"]"#);
    host.server.sockets_join(&host.main, own(), &["away"], Reach::Fleet);
    host.server.sockets_leave(&host.main, own(), &["late"], Reach::Fleet);
    host.settle();
    host.publish(Target::room("away"), r#"["in the room while away"]"#);
    host.publish(Target::room("late"), r#"["after the leave while away"]"#);
    let (mut client, answer) = join(addr, &auth(&was.pid, &was.offset));
    assert_eq!(answer["pid"], json!(was.pid));
    for missed in
        ["in the room", "in the room that is left", "not excluded any more", "in the room while away"]
    {
        assert_eq!(client.event()[0], missed);
    }
    let (new, rooms) = connected(&mut host);
    let mut rooms = rooms.expect("recovered");
    rooms.sort();
    let mut expected = vec![Box::from("away"), Box::from(id.as_str())];
    expected.sort();
    assert_eq!(rooms, expected);
    host.emit(new, r#"["last"]"#);
    assert_eq!(client.event()[0], "last");
    host.close();
}

#[test]
fn who_is_disconnected_by_expression_while_away_does_not_come_back() {
    let mut host = Host::start(&json!({ "shards": 2, "connectionStateRecovery": {} }));
    let addr = host.listen();
    let (was, socket) = first(&mut host, addr);
    host.server.join(socket, &["banned"]);
    host.settle();
    drop(was.client);
    disconnected(&mut host);
    host.server.disconnect_sockets(&host.main, Target::room("banned"), Disconnect::Connection, Reach::Fleet);
    host.settle();
    let (_client, answer) = join(addr, &auth(&was.pid, &was.offset));
    assert_ne!(answer["pid"], json!(was.pid));
    host.close();
}

#[test]
fn a_client_without_offset_has_nothing_of_its_session_and_an_old_one_is_no_more() {
    let mut host = Host::start(&json!({ "shards": 2, "connectionStateRecovery": {} }));
    let addr = host.listen();
    let (old, _) = first(&mut host, addr);
    host.publish(Target::all(), r#"["older than the session"]"#);
    for offset in [None, Some(old.offset.as_str()), Some("of another server")] {
        let (client, answer) = join(addr, "");
        let (socket, _) = connected(&mut host);
        drop(client);
        while disconnected(&mut host).0 != socket {}
        host.publish(Target::all(), r#"["missed"]"#);
        let mut credentials = json!({ "pid": answer["pid"] });
        if let Some(offset) = offset {
            credentials["offset"] = json!(offset);
        }
        let (mut client, again) = join(addr, &credentials.to_string());
        assert_eq!(again, answer, "{offset:?}");
        assert!(connected(&mut host).1.is_some());
        assert_eq!(client.event()[0], "missed");
    }
    host.close();
}

#[test]
fn a_text_at_the_end_of_a_volatile_event_gets_an_offset_behind_it() {
    let mut host = Host::start(&json!({ "shards": 2, "connectionStateRecovery": {} }));
    let addr = host.listen();
    let (mut was, socket) = first(&mut host, addr);
    let flags = EmitFlags::new().volatile(true);
    let mut volatile = |data: &str, room: bool| {
        match room {
            true => host.server.publish(&host.main, Target::all(), data, vec![], flags).expect("publish"),
            false => host.server.emit(&host.main, socket, data, vec![], flags).expect("emit"),
        }
        was.client.event()
    };
    assert_eq!(volatile(r#"["typing", 1]"#, true), json!(["typing", 1]));
    for room in [false, true] {
        let event = volatile(r#"["typing", "ada" ]"#, room);
        assert_eq!(event, json!(["typing", "ada", was.offset]));
        assert_eq!(volatile(r#"["tick"]"#, room), json!(["tick", was.offset]));
    }
    drop(was.client);
    disconnected(&mut host);
    host.publish(Target::all(), r#"["missed"]"#);
    let (mut client, answer) = join(addr, &auth(&was.pid, &was.offset));
    assert_eq!(answer["pid"], json!(was.pid));
    assert_eq!(client.event()[0], "missed");
    host.close();
}

#[test]
fn the_end_of_a_session_is_told_where_it_is_asked_for() {
    for asked in [true, false] {
        let mut host = Host::start(&json!({
            "shards": 2, "hooks": { "sessions": asked }, "connectionStateRecovery": { "maxDisconnectionDuration": 50 },
        }));
        let addr = host.listen();
        let (was, socket) = first(&mut host, addr);
        let id = was.client.id.clone();
        host.server.join(socket, &["r"]);
        host.server.set_data(socket, r#"{"name":"ann"}"#);
        host.settle();
        drop(was.client);
        disconnected(&mut host);
        if asked {
            let (ended, at, rooms, data, end) = host.find(|event| match event {
                Event::SessionEnd { socket, id, rooms, data, end, .. } => {
                    Some((*socket, id.clone(), rooms.len(), data.clone(), *end))
                }
                _ => None,
            });
            assert_eq!((ended, &*at, rooms, &*data), (socket, id.as_str(), 2, r#"{"name":"ann"}"#));
            assert_eq!(end, SessionEnd::TimedOut);
        }
        host.close();
    }
}

#[test]
fn a_slow_consumer_does_not_come_back() {
    let mut host = Host::start(&json!({
        "connectionStateRecovery": {}, "maxOutboxBytes": 1_000_000, "hardOutboxBytes": 1_000_000, "maxRecoveryBytes": 1 << 30, "shards": 1,
    }));
    let addr = host.listen();
    let (was, old) = first(&mut host, addr);
    let text = json!(["n", "x".repeat(100_000)]).to_string();
    for _ in 0..400 {
        host.publish(Target::all(), &text);
    }
    assert_eq!(disconnected(&mut host), (old, Reason::SlowConsumer));
    let (_client, answer) = join(addr, &auth(&was.pid, &was.offset));
    assert_ne!(answer["pid"], json!(was.pid));
    host.close();
}

/// Two host threads send over three shards while clients come and go.
#[test]
fn two_threads_that_send_reach_clients_that_come_and_go_once_and_in_order() {
    const MESSAGES: u64 = 1500;
    const CLIENTS: usize = 4;
    let mut host = Host::start(&json!({ "shards": 3, "connectionStateRecovery": {} }));
    let addr = host.listen();
    let done = AtomicBool::new(false);
    // Every client has an offset before the first event that it must not miss.
    let all_there = Barrier::new(CLIENTS + 2);
    let recoveries = std::thread::scope(|scope| {
        let all_there = &all_there;
        let senders: Vec<_> = (0..2)
            .map(|sender| {
                let (server, main) = (host.server.clone(), host.main.clone());
                scope.spawn(move || {
                    all_there.wait();
                    for n in 1..=MESSAGES {
                        let data = json!(["n", sender, n]).to_string();
                        server
                            .publish(&main, Target::all(), &data, vec![], EmitFlags::default())
                            .expect("publish");
                        if n % 8 == 0 {
                            std::thread::sleep(Duration::from_millis(1));
                        }
                    }
                })
            })
            .collect();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|seed| scope.spawn(move || come_and_go(addr, seed, MESSAGES, all_there)))
            .collect();
        let greeter = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                match host.event() {
                    Event::Connect { socket, recovered, .. } if recovered.is_none() => {
                        host.emit(socket, r#"["hello"]"#);
                    }
                    Event::Closed => return,
                    _ => {}
                }
            }
        });
        senders.into_iter().for_each(|sender| sender.join().expect("a sender"));
        let recoveries: usize = clients.into_iter().map(|client| client.join().expect("a client")).sum();
        done.store(true, Ordering::Release);
        // One more event wakes the greeter.
        drop(join(addr, ""));
        greeter.join().expect("the greeter");
        recoveries
    });
    println!("{recoveries} recoveries");
    assert!(recoveries > CLIENTS);
    host.close();
}

fn come_and_go(addr: std::net::SocketAddr, seed: usize, messages: u64, all_there: &Barrier) -> usize {
    let (mut client, answer) = join(addr, "");
    let pid = answer["pid"].as_str().expect("a pid").to_owned();
    let mut offset = client.event()[1].as_str().expect("an offset").to_owned();
    all_there.wait();
    let mut last = [0u64; 2];
    let mut stay = 20 + seed * 7;
    let mut recoveries = 0;
    let take = |args: &[Value], last: &mut [u64; 2]| {
        if let (Some(sender), Some(n)) =
            (args.get(1).and_then(Value::as_u64), args.get(2).and_then(Value::as_u64))
        {
            assert_eq!(n, last[sender as usize] + 1, "from sender {sender}");
            last[sender as usize] = n;
        }
    };
    while last != [messages; 2] {
        for _ in 0..stay {
            if last == [messages; 2] {
                return recoveries;
            }
            let event = client.event();
            let args = event.as_array().expect("an array");
            let (was, args) = args.split_last().expect("an offset");
            was.as_str().expect("a text").clone_into(&mut offset);
            take(args, &mut last);
        }
        drop(client);
        let credentials = auth(&pid, &offset);
        let answer;
        (client, answer) = join(addr, &credentials);
        assert_eq!(answer["pid"], json!(pid), "not recovered");
        recoveries += 1;
        stay = (stay * 31 + 17) % 60;
    }
    recoveries
}
