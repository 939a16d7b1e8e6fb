//! Closing a server: the notifications, and that nothing is left.

use std::sync::mpsc;

use kraken_ws_core::{ErrorCode, Event, Reason, RequestInfo, Target};
use kraken_ws_tests::{Client, Gate, Host, PATIENCE, dial, eventually, process};
use serde_json::json;

#[test]
fn closed_is_the_last_event_and_threads_and_descriptors_are_gone() {
    let before = process::descriptors();
    assert_eq!(process::shards().len(), 0);
    let path = std::env::temp_dir().join(format!("kraken-shutdown-{}.sock", std::process::id()));
    {
        let mut host = Host::start(&json!({ "shards": 4 }));
        let addr = host.listen();
        host.server.listen_unix(&path).unwrap();
        let mut clients: Vec<_> = (0..20).map(|_| host.client(addr)).collect();
        // One connection that has not joined, one in the middle of a request head, one that has sent nothing.
        let _open = Client::open(dial(addr));
        let mut half = dial(addr);
        std::io::Write::write_all(&mut half, b"GET /socket.io/?EIO=4").unwrap();
        let _silent = dial(addr);
        assert_eq!(process::shards().len(), 4);

        let mut gone: Vec<_> = host
            .close()
            .into_iter()
            .map(|event| match event {
                Event::Disconnect { socket, reason, .. } => {
                    assert_eq!(reason, Reason::ServerShuttingDown);
                    socket
                }
                other => panic!("{other:?}"),
            })
            .collect();
        gone.sort();
        let mut sockets: Vec<_> = clients.iter().map(|(_, socket)| *socket).collect();
        sockets.sort();
        assert_eq!(gone, sockets);
        for (client, _) in &mut clients {
            assert_eq!(client.ended(), Some(1005));
        }
        host.server.close();
    }
    eventually("the threads end", || process::shards().is_empty());
    assert_eq!(process::descriptors(), before);
    assert!(!path.exists());
}

#[test]
fn a_server_that_is_dropped_ends_as_if_closed() {
    let before = process::descriptors();
    let mut host = Host::start(&json!({ "shards": 2 }));
    let addr = host.listen();
    let (mut client, _) = host.client(addr);
    drop(host);
    assert_eq!(client.ended(), Some(1005));
    drop(client);
    eventually("the threads end", || process::shards().is_empty());
    assert_eq!(process::descriptors(), before);
}

#[test]
fn what_was_sent_before_the_close_is_delivered() {
    let mut host = Host::start(&json!({ "shards": 1 }));
    let addr = host.listen();
    let (mut client, socket) = host.client(addr);
    let gate = Gate::hold(&host.server);
    for n in 0..1000 {
        host.emit(socket, &json!(["n", n]).to_string());
    }
    host.server.close();
    drop(gate);
    for n in 0..1000 {
        assert_eq!(client.event(), json!(["n", n]));
    }
    assert_eq!(client.ended(), Some(1005));
    host.close();
}

#[test]
fn a_closed_server_refuses_sends_and_listeners() {
    let mut host = Host::start(&json!({ "shards": 2 }));
    let addr = host.listen();
    let (_client, socket) = host.client(addr);
    host.close();
    let flags = kraken_ws_core::EmitFlags::default();
    let refused = [
        host.server.emit(&host.main, socket, r#"["x"]"#, vec![], flags).unwrap_err(),
        host.server.publish(&host.main, Target::all(), r#"["x"]"#, vec![], flags).unwrap_err(),
        host.server.listen_tcp("127.0.0.1", 0).unwrap_err(),
    ];
    assert!(refused.iter().all(|error| error.code() == ErrorCode::Closed));
    assert!(host.settle().is_empty());
}

#[test]
fn a_poll_on_its_way_to_another_shard_still_gets_the_last_packets() {
    // Requests go to the two shards in turn; the session is on the first.
    let mut host = Host::start(&json!({ "shards": 2 }));
    let ask = |method: &str, query: &str, body: &'static str| {
        let url = format!("/socket.io/?EIO=4&transport=polling{query}");
        let mut request = RequestInfo::new(method, url);
        request.protocol = 4;
        let (reply, answer) = mpsc::channel();
        // The handle is dropped without cancelling; only the response matters.
        let _ = host.server.http(request, body.into(), Box::new(move |got| reply.send(got).unwrap()));
        move || {
            let got = answer.recv_timeout(PATIENCE).expect("an answer");
            (got.status, String::from_utf8(got.body.to_vec()).unwrap())
        }
    };
    let (_, open) = ask("GET", "", "")();
    let sid = format!("&sid={}", open.split('"').nth(3).unwrap());
    assert_eq!(ask("POST", &sid, "40")(), (200, "ok".to_owned()));
    let joined = ask("GET", &sid, "");
    assert!(joined().1.starts_with("40{"));

    let gate = Gate::hold(&host.server);
    let to_the_first = ask("GET", &sid, "");
    host.publish(Target::all(), r#"["first"]"#);
    assert_eq!(to_the_first(), (200, r#"42["first"]"#.to_owned()));
    let poll = ask("GET", &sid, "");
    host.publish(Target::all(), r#"["last"]"#);
    host.server.close();
    host.find(|event| matches!(event, Event::Disconnect { .. }).then_some(()));
    drop(gate);
    // No close packet in this payload: a client that finds one drops the message before it.
    assert_eq!(poll(), (200, "42[\"last\"]".to_owned()));
    host.close();
}
