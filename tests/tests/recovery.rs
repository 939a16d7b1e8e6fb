//! Connection state recovery, on raw connections.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kraken_ws_core::{EmitFlags, Event, Reason, SocketHandle, Target};
use kraken_ws_tests::{Client, Host, TcpClient, dial};
use serde_json::{Value, json};

/// A client with what it needs to come back.
struct Returning {
    client: TcpClient,
    pid: String,
    offset: String,
}

/// Reads packets until CONNECT; events on the way are handed to `on_event` without their offset.
fn join(
    addr: std::net::SocketAddr,
    auth: &str,
    mut on_event: impl FnMut(&[Value], &str),
) -> (TcpClient, Value) {
    let mut client = Client::open(dial(addr));
    client.send(&format!("0{auth}"));
    loop {
        let packet = client.packet();
        match packet.split_at(1) {
            ("0", json) => return (client, serde_json::from_str(json).expect("an object")),
            ("2", json) => {
                let mut args: Vec<Value> = serde_json::from_str(json).expect("an array");
                let offset = args.pop().expect("an offset");
                on_event(&args, offset.as_str().expect("a text"));
            }
            _ => panic!("unexpected packet {packet}"),
        }
    }
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
    let (mut client, answer) = join(addr, "", |_, _| panic!("nothing was sent"));
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
    // The host still uses the handle that it knows.
    host.emit(old, r#"["by handle"]"#);
    host.publish(Target::room("r"), r#"["by room"]"#);
    host.publish(Target::all().except("r"), r#"["not for it"]"#);
    host.server.join(old, &["s"]);
    host.settle();
    host.publish(Target::room("s"), r#"["by the late room"]"#);
    let mut missed = Vec::new();
    let (mut client, _) = join(addr, &auth(&was.pid, &was.offset), |args, _| missed.push(args[0].clone()));
    assert_eq!(missed, ["by handle", "by room", "by the late room"]);
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
    // A connection that ends before the host has decided leaves the session as it was.
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
    let (_client, answer) = join(addr, &auth(&was.pid, &was.offset), |_, _| panic!("nothing is replayed"));
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
    // The clients have an offset before anything is sent that they would have to get.
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
        drop(join(addr, "", |_, _| {}));
        greeter.join().expect("the greeter");
        recoveries
    });
    println!("{recoveries} recoveries");
    assert!(recoveries > CLIENTS);
    host.close();
}

fn come_and_go(addr: std::net::SocketAddr, seed: usize, messages: u64, all_there: &Barrier) -> usize {
    let (mut client, answer) = join(addr, "", |_, _| {});
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
        let back = join(addr, &credentials, |args, was| {
            was.clone_into(&mut offset);
            take(args, &mut last);
        });
        client = back.0;
        assert_eq!(back.1["pid"], json!(pid), "not recovered");
        recoveries += 1;
        stay = (stay * 31 + 17) % 60;
    }
    recoveries
}
