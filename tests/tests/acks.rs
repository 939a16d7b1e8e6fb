//! Acks of one socket and of a broadcast: in time, late, and missing.

use std::time::{Duration, Instant};

use kraken_ws_core::{Disconnect, EmitFlags, Event, Reason, SocketHandle, Target};
use kraken_ws_tests::{Host, PATIENCE, TcpClient, eventually};
use serde_json::json;

const SHORT: Duration = Duration::from_millis(80);

fn emit(host: &Host, socket: SocketHandle, timeout: Option<Duration>) -> u64 {
    let flags = EmitFlags::default();
    host.server.emit_with_ack(&host.main, socket, r#"["q"]"#, vec![], flags, timeout).unwrap()
}

fn timed_out(host: &mut Host) -> (SocketHandle, u64) {
    host.find(|event| match event {
        Event::AckTimeout { socket, id, .. } => Some((*socket, *id)),
        Event::Ack { .. } => panic!("nobody answered"),
        _ => None,
    })
}

/// Broadcasts an event with acks to all clients; returns the clients, each with its event received, and the id of the
/// broadcast.
fn broadcast(host: &mut Host, clients: usize, timeout: Duration) -> (Vec<TcpClient>, u64) {
    let addr = host.listen();
    let mut clients: Vec<_> = (0..clients).map(|_| host.client(addr).0).collect();
    let flags = EmitFlags::default();
    let id =
        host.server.publish_with_ack(&host.main, Target::all(), r#"["q"]"#, vec![], flags, timeout).unwrap();
    for client in &mut clients {
        assert_eq!(client.asked(), id);
    }
    (clients, id)
}

/// The outcome of a broadcast: whether all acks came in time, the number of clients asked, and the answers sorted.
fn outcome(host: &mut Host, of: u64) -> (bool, usize, Vec<String>) {
    host.find(|event| match event {
        Event::BroadcastAck { id, timed_out, expected, responses, .. } => {
            assert_eq!(*id, of);
            let mut answers: Vec<_> = responses.iter().map(|(json, _)| json.to_string()).collect();
            answers.sort();
            Some((!timed_out, *expected, answers))
        }
        _ => None,
    })
}

#[test]
fn an_answer_comes_back_with_the_id_of_its_emit() {
    let mut host = Host::start(&json!({}));
    let addr = host.listen();
    let (mut client, socket) = host.client(addr);
    let ids = [emit(&host, socket, None), emit(&host, socket, Some(PATIENCE))];
    assert_eq!([client.asked(), client.asked()], ids);
    // In reverse order, each twice, and one that was never asked for.
    client.ack(ids[1], r#"["second",{"n":2}]"#);
    client.ack(ids[1], r#"["again"]"#);
    client.ack(999_999, r#"["made up"]"#);
    client.ack(ids[0], "[]");
    client.send(r#"2["end"]"#);
    let mut got = Vec::new();
    host.find(|event| match event {
        Event::Ack { socket: from, id, data, .. } => {
            assert_eq!(*from, socket);
            got.push((*id, data.to_string()));
            None
        }
        Event::Event { .. } => Some(()),
        _ => None,
    });
    assert_eq!(got, [(ids[1], r#"["second",{"n":2}]"#.to_owned()), (ids[0], "[]".to_owned())]);
    host.close();
}

#[test]
fn an_answer_after_the_time_out_is_ignored() {
    let mut host = Host::start(&json!({}));
    let addr = host.listen();
    let (mut client, socket) = host.client(addr);
    let start = Instant::now();
    let id = emit(&host, socket, Some(SHORT));
    assert_eq!(timed_out(&mut host), (socket, id));
    assert!(start.elapsed() >= SHORT, "after {:?}", start.elapsed());
    let asked = client.asked();
    client.ack(asked, r#"["late"]"#);
    client.send(r#"2["end"]"#);
    assert!(matches!(host.event(), Event::Event { .. }));
    host.close();
}

/// Collects the ack timeouts of `socket` until its disconnect.
fn last_words(host: &mut Host, socket: SocketHandle) -> Vec<(u64, Option<Reason>)> {
    let mut given_up = Vec::new();
    host.find(|event| match event {
        Event::AckTimeout { socket: of, id, gone } => {
            assert_eq!(*of, socket);
            given_up.push((*id, *gone));
            None
        }
        Event::Disconnect { .. } => Some(()),
        _ => None,
    });
    given_up.sort_by_key(|(id, _)| *id);
    given_up
}

#[test]
fn acks_that_are_awaited_with_a_time_out_fail_at_once_when_the_client_leaves() {
    let mut host = Host::start(&json!({}));
    let addr = host.listen();
    let (mut client, socket) = host.client(addr);
    let ids = [emit(&host, socket, Some(PATIENCE * 100)), emit(&host, socket, Some(PATIENCE * 100))];
    emit(&host, socket, None);
    for _ in 0..3 {
        client.asked();
    }
    drop(client);
    let gone = Some(Reason::TransportClose);
    assert_eq!(last_words(&mut host, socket), ids.map(|id| (id, gone)));
    let after = emit(&host, socket, Some(PATIENCE * 100));
    assert_eq!(timed_out(&mut host), (socket, after));
    host.close();
}

#[test]
fn acks_fail_with_the_reason_when_the_host_ends_the_socket() {
    let mut host = Host::start(&json!({}));
    let addr = host.listen();
    let (mut client, socket) = host.client(addr);
    let id = emit(&host, socket, Some(SHORT));
    client.asked();
    host.server.disconnect(socket, Disconnect::Socket);
    assert_eq!(last_words(&mut host, socket), [(id, Some(Reason::ServerNamespaceDisconnect))]);
    // The timeout of the first ends before that of the second; no outcome is reported twice.
    client.send("0");
    let next = host.find(|event| match event {
        Event::Connect { socket, .. } => Some(*socket),
        _ => None,
    });
    let second = emit(&host, next, Some(SHORT));
    assert_eq!(timed_out(&mut host), (next, second));
    host.close();
}

#[test]
fn a_broadcast_is_complete_when_everybody_answered() {
    let mut host = Host::start(&json!({ "shards": 3 }));
    let (mut clients, id) = broadcast(&mut host, 5, PATIENCE);
    for (i, client) in clients.iter_mut().enumerate() {
        client.ack(id, &json!([i, "second argument"]).to_string());
        client.ack(id, &json!(["twice"]).to_string());
    }
    let answers = ["0", "1", "2", "3", "4"].map(str::to_owned).to_vec();
    assert_eq!(outcome(&mut host, id), (true, 5, answers));
    host.close();
}

#[test]
fn a_broadcast_that_some_do_not_answer_ends_with_what_came() {
    let mut host = Host::start(&json!({ "shards": 2 }));
    let (mut clients, id) = broadcast(&mut host, 4, Duration::from_millis(400));
    clients[0].ack(id, "[10]");
    clients[3].ack(id, "[]");
    let gone = clients.remove(1);
    drop(gone);
    assert_eq!(outcome(&mut host, id), (false, 4, vec!["10".to_owned(), "null".to_owned()]));
    host.close();
}

#[test]
fn a_broadcast_to_nobody_is_complete_at_once() {
    let mut host = Host::start(&json!({ "shards": 4 }));
    let flags = EmitFlags::default();
    let target = Target::room("nobody's");
    let id = host.server.publish_with_ack(&host.main, target, r#"["q"]"#, vec![], flags, PATIENCE).unwrap();
    assert_eq!(outcome(&mut host, id), (true, 0, Vec::new()));
    host.close();
}

#[test]
fn answers_beyond_max_answer_bytes_count_as_timed_out_and_the_silent_are_named() {
    let mut host = Host::start(&json!({ "shards": 2, "maxAnswerBytes": 65_536 }));
    let (mut clients, id) = broadcast(&mut host, 5, SHORT);
    let big = format!("[\"{}\"]", "x".repeat(40_000));
    clients[0].ack(id, &big);
    eventually("the first answer is kept", || host.server.stats().answer_bytes > 40_000);
    clients[1].ack(id, &big);
    eventually("there is no room for the second", || host.server.stats().answers_refused == 1);
    clients[2].ack(id, "[1]");
    let gone = clients.remove(3);
    let mut named: Vec<String> = vec![clients[1].id.clone(), gone.id.clone(), clients[3].id.clone()];
    drop(gone);
    let (answers, mut silent) = host.find(|event| match event {
        Event::BroadcastAck { timed_out: true, expected: 5, responses, silent, .. } => {
            let silent: Vec<String> = silent.iter().map(ToString::to_string).collect();
            Some((responses.len(), silent))
        }
        _ => None,
    });
    named.sort();
    silent.sort();
    assert_eq!((answers, silent), (2, named));
    assert_eq!(host.server.stats().answer_bytes, 0);
    host.close();
}
