//! A host that implements Socket.IO itself: messages pass unchanged, and rooms hold the members that the host adds.

use bytes::Bytes;
use kraken_ws_core::{ConnId, EmitFlags, Event, Hooks, Options, RawMessage, Reason, Target};
use kraken_ws_tests::{Client, Gate, Host, TcpClient, dial, eventually};
use serde_json::{Value, json};

const PLAIN: EmitFlags = EmitFlags::new().compress(false);

fn raw(options: &Value) -> Host {
    let mut options = Options::from_json(options).unwrap();
    options.raw = true;
    options.hooks |= Hooks::CONNECTIONS;
    Host::with(options)
}

fn opened(host: &mut Host) -> ConnId {
    host.find(|event| match event {
        Event::Open { conn, .. } => Some(*conn),
        _ => None,
    })
}

fn connect(host: &mut Host, addr: std::net::SocketAddr) -> (TcpClient, ConnId) {
    let client = Client::open(dial(addr));
    let conn = opened(host);
    (client, conn)
}

fn message(host: &mut Host) -> (ConnId, RawMessage) {
    host.find(|event| match event {
        Event::Message { conn, message } => Some((*conn, message.clone())),
        _ => None,
    })
}

#[test]
fn messages_pass_both_ways_as_they_are() {
    let mut host = raw(&json!({ "connectTimeout": 1 }));
    let addr = host.listen();
    let (mut client, conn) = connect(&mut host, addr);
    for text in ["0", "2[\"event\"]", "", "not Socket.IO at all", "zwölf\n\u{0}"] {
        client.send(text);
        assert_eq!(message(&mut host), (conn, RawMessage::Text(text.into())));
        host.server.raw_send_text(conn, text, PLAIN, false).unwrap();
        assert_eq!(client.packet(), text);
    }
    host.server.raw_close(conn);
    assert_eq!(client.ended(), Some(1005));
    let closed = host.find(|event| match event {
        Event::ConnectionClosed { conn: closed, reason, .. } => Some((*closed, *reason)),
        _ => None,
    });
    assert_eq!(closed, (conn, Reason::ForcedClose));
    // Sending to a closed connection is not an error.
    host.server.raw_send_text(conn, "nobody", PLAIN, false).unwrap();
    host.server.raw_close(conn);
    assert!(host.close().is_empty());
}

#[test]
fn publishes_reach_members_and_rooms_and_nobody_else() {
    let mut host = raw(&json!({ "shards": 2 }));
    let addr = host.listen();
    let mut clients: Vec<_> = (0..4).map(|_| connect(&mut host, addr)).collect();
    let conns: Vec<ConnId> = clients.iter().map(|(_, conn)| *conn).collect();
    let ids = ["aaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbb", "short", "dddddddddddddddddddd"];
    // The last connection does not become a member.
    for i in 0..3 {
        host.server.raw_join(&host.main, conns[i], ids[i], &[ids[i], "all"]);
    }
    host.server.raw_join(&host.main, conns[1], ids[1], &["room"]);
    let publish = |target: Target, text: &str| {
        host.server.raw_publish(&host.main, target, Some(text), &[], PLAIN).unwrap();
    };
    publish(Target::all(), "everybody");
    publish(Target::room("room"), "room");
    publish(Target::room(ids[0]), "first");
    publish(Target::room("all").except(ids[2]), "not the third");
    host.server.raw_leave(&host.main, conns[0], ids[0]);
    publish(Target::room(ids[0]), "nobody");
    host.server.raw_remove(&host.main, conns[1]);
    publish(Target::all(), "two are left");
    host.server.raw_join(&host.main, conns[1], ids[1], &[]);
    publish(Target::all(), "back");
    for conn in &conns {
        host.server.raw_send_text(*conn, "end", PLAIN, false).unwrap();
    }
    let expected: [&[&str]; 4] = [
        &["everybody", "first", "not the third", "two are left", "back", "end"],
        &["everybody", "room", "not the third", "back", "end"],
        &["everybody", "two are left", "back", "end"],
        &["end"],
    ];
    for ((client, _), texts) in clients.iter_mut().zip(expected) {
        for text in texts {
            assert_eq!(client.packet(), *text);
        }
    }
    assert_eq!(host.server.stats().sockets, 3);
    drop(clients);
    eventually("members gone with their connections", || {
        let stats = host.server.stats();
        (stats.connections, stats.sockets, stats.rooms) == (0, 0, 0)
    });
    let left = host.close();
    assert!(left.iter().all(|event| matches!(event, Event::ConnectionClosed { .. })), "{left:?}");
}

#[test]
fn a_host_hears_when_what_it_sent_has_left() {
    let mut host = raw(&json!({ "maxOutboxBytes": 64 << 20 }));
    let addr = host.listen();
    let (mut client, conn) = connect(&mut host, addr);
    let flushed = |host: &mut Host| {
        host.find(|event| match event {
            Event::Flushed { conn, number } => Some((*conn, *number)),
            _ => None,
        })
    };
    host.server.raw_notify(conn, 1);
    assert_eq!(flushed(&mut host), (conn, 1));
    // More than the kernel's buffers take while the client does not read.
    let big = "x".repeat(12 << 20);
    host.server.raw_send_text(conn, &big, PLAIN, false).unwrap();
    host.server.raw_send_text(conn, &big, PLAIN, false).unwrap();
    host.server.raw_notify(conn, 2);
    // Once the first bytes are here, the server has written and found the buffers full.
    assert_eq!(client.stream().peek(&mut [0]).unwrap(), 1);
    host.server.raw_send_text(conn, "behind", PLAIN, false).unwrap();
    host.server.raw_notify(conn, 3);
    host.server.raw_send_text(conn, "volatile", PLAIN.volatile(true), false).unwrap();
    let bytes = Bytes::from_static(b"of it");
    host.server.raw_send_binary(conn, &bytes, PLAIN.volatile(true), true).unwrap();
    eventually("the volatile packet is dropped", || host.server.stats().volatile_dropped == 1);
    assert_eq!(client.packet().len(), big.len());
    assert_eq!(client.packet().len(), big.len());
    assert_eq!(client.packet(), "behind");
    assert_eq!(flushed(&mut host), (conn, 2));
    assert_eq!(flushed(&mut host), (conn, 3));
    host.server.raw_send_text(conn, "next", PLAIN, false).unwrap();
    assert_eq!(client.packet(), "next");
    host.close();
}

#[test]
fn a_volatile_packet_with_attachments_closes_nobody() {
    let mut host = raw(&json!({ "shards": 1, "maxOutboxBytes": 1 << 20 }));
    let addr = host.listen();
    let (mut client, conn) = connect(&mut host, addr);
    let flags = PLAIN.volatile(true);
    // More than the kernel's buffers take while the client does not read.
    let part = Bytes::from(vec![7; 700 << 10]);
    host.server.raw_send_text(conn, "volatile", flags, false).unwrap();
    for _ in 0..30 {
        host.server.raw_send_binary(conn, &part, flags, true).unwrap();
    }
    assert_eq!(client.packet(), "volatile");
    for _ in 0..30 {
        assert_eq!(client.binary().len(), part.len());
    }
    host.server.raw_send_text(conn, "next", PLAIN, false).unwrap();
    assert_eq!(client.packet(), "next");
    assert_eq!(host.server.stats().slow_consumers, 0);
    host.close();
}

#[test]
fn a_packet_that_has_begun_is_not_refused() {
    let mut host = raw(&json!({ "shards": 1, "commandQueueBytes": 65_536, "maxOutboxBytes": 1 << 20 }));
    let addr = host.listen();
    let (mut client, conn) = connect(&mut host, addr);
    let gate = Gate::hold(&host.server);
    let half = "x".repeat(40_000);
    host.server.raw_send_text(conn, &half, PLAIN, false).unwrap();
    let refused = host.server.raw_send_text(conn, &half, PLAIN, false).unwrap_err();
    assert_eq!(refused.code().name(), "QUEUE_FULL");
    host.server.raw_send_text(conn, &half, PLAIN, true).unwrap();
    drop(gate);
    assert_eq!(client.packet(), half);
    assert_eq!(client.packet(), half);
    host.close();
}

#[test]
fn a_client_ahead_of_its_host_is_not_read_from() {
    let mut host = raw(&json!({ "shards": 1, "maxPendingEvents": 4 }));
    let addr = host.listen();
    let (mut client, conn) = connect(&mut host, addr);
    for n in 0..64 {
        client.send(&n.to_string());
    }
    eventually("the fourth event waits", || host.pending_bytes() > 0);
    assert!(host.server.stats().messages_in <= 8, "{}", host.server.stats().messages_in);
    for n in 0..64 {
        assert_eq!(message(&mut host), (conn, RawMessage::Text(n.to_string().into())));
    }
    host.close();
}
