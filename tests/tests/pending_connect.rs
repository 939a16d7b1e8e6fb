//! Namespaces with a host that decides which clients may connect.

use kraken_ws_core::{Event, Reason, SocketHandle, Target};
use kraken_ws_tests::{Client, Host, TcpClient, dial};
use serde_json::{Value, json};

/// A client that has asked to join, and its socket that waits for the host's decision.
fn asking(host: &mut Host) -> (TcpClient, SocketHandle) {
    let addr = host.listen();
    let mut client = Client::open(dial(addr));
    client.send(r#"0{"token":"t"}"#);
    let socket = host.find(|event| match event {
        Event::Connect { socket, auth, pending, .. } => {
            assert!(*pending);
            assert_eq!(&**auth, r#"{"token":"t"}"#);
            Some(*socket)
        }
        _ => None,
    });
    (client, socket)
}

fn deciding() -> Host {
    let host = Host::start(&json!({}));
    host.main.set_decide(true);
    host
}

#[test]
fn an_accepted_socket_gets_what_was_emitted_before_behind_its_connect() {
    let mut host = deciding();
    let (mut client, socket) = asking(&mut host);
    host.emit(socket, r#"["early",1]"#);
    host.publish(Target::all(), r#"["not for a socket that waits"]"#);
    host.emit(socket, r#"["early",2]"#);
    host.server.accept(socket);
    // A second call has no effect.
    host.server.accept(socket);
    host.emit(socket, r#"["late"]"#);
    client.expect_connect();
    assert_eq!(client.event(), json!(["early", 1]));
    assert_eq!(client.event(), json!(["early", 2]));
    assert_eq!(client.event(), json!(["late"]));
    host.close();
}

#[test]
fn a_second_connect_takes_the_place_of_one_that_waits() {
    let mut host = deciding();
    let (mut client, first) = asking(&mut host);
    client.send(r#"0{"token":"other"}"#);
    let reason = host.find(|event| match event {
        Event::Disconnect { socket, reason, .. } if *socket == first => Some(*reason),
        _ => None,
    });
    assert_eq!(reason, Reason::ClientNamespaceDisconnect);
    let second = host.find(|event| match event {
        Event::Connect { socket, auth, .. } => Some((*socket, auth.clone())),
        _ => None,
    });
    assert_eq!(&*second.1, r#"{"token":"other"}"#);
    // The first socket is gone.
    host.server.accept(first);
    host.server.accept(second.0);
    client.expect_connect();
    host.emit(second.0, r#"["hello"]"#);
    assert_eq!(client.event(), json!(["hello"]));
    host.close();
}

#[test]
fn a_client_that_the_host_never_decides_about_is_let_go() {
    let mut host = Host::start(&json!({ "connectTimeout": 200 }));
    host.main.set_decide(true);
    let (_client, socket) = asking(&mut host);
    let reason = host.find(|event| match event {
        Event::Disconnect { socket: gone, reason, .. } if *gone == socket => Some(*reason),
        _ => None,
    });
    assert_eq!(reason, Reason::ForcedServerClose);
    host.close();
}

#[test]
fn a_rejected_socket_is_told_why_and_may_ask_again() {
    let mut host = deciding();
    let (mut client, socket) = asking(&mut host);
    host.emit(socket, r#"["never seen"]"#);
    host.server.reject(socket, r#"{"message":"not you","data":{"code":7}}"#);
    // Too late: the decision was made.
    host.server.accept(socket);
    let refusal = client.packet();
    let told: Value = serde_json::from_str(refusal.strip_prefix('4').expect("CONNECT_ERROR")).unwrap();
    assert_eq!(told, json!({ "message": "not you", "data": { "code": 7 } }));

    client.send("0");
    let again = host.find(|event| match event {
        Event::Connect { socket, .. } => Some(*socket),
        _ => None,
    });
    assert_ne!(again, socket);
    host.server.accept(again);
    client.expect_connect();
    host.close();
}

#[test]
fn a_client_that_leaves_undecided_is_reported_and_later_words_are_ignored() {
    let mut host = deciding();
    let (client, socket) = asking(&mut host);
    drop(client);
    let reason = host.find(|event| match event {
        Event::Disconnect { socket: gone, reason, .. } => {
            assert_eq!(*gone, socket);
            Some(*reason)
        }
        _ => None,
    });
    assert_eq!(reason, Reason::TransportClose);
    host.server.accept(socket);
    assert!(host.settle().is_empty());
    host.close();
}
