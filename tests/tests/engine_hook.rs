//! `Event::Engine`: the host decides about each request under the engine's path.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::thread;

use kraken_ws_core::{EngineReply, Event, HttpReply, Refusal};
use kraken_ws_tests::{Host, TcpClient, dial};
use serde_json::json;

const POLL: &str = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

fn ask(addr: SocketAddr) -> String {
    let mut stream = dial(addr);
    stream.write_all(POLL.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The response to a client when the host replies with this; `None` drops the question.
fn answered(reply: Option<EngineReply>) -> (String, Vec<Event>) {
    let mut host = Host::start(&json!({ "hooks": { "engine": true } }));
    let addr = host.listen();
    let client = thread::spawn(move || ask(addr));
    let Event::Engine { request, reply: question } = host.event() else { panic!("expected the question") };
    assert_eq!(&*request.url, "/socket.io/?EIO=4&transport=polling");
    if let Some(reply) = reply {
        question.send(reply).unwrap();
    } else {
        drop(question);
    }
    (client.join().unwrap(), host.close())
}

#[test]
fn a_request_goes_on_with_the_headers_of_the_host() {
    let headers = vec![("x-seen".to_owned(), "1".to_owned())];
    let (answer, _) = answered(Some(EngineReply::Continue { headers, tag: 7 }));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-seen: 1\r\n"), "{answer}");
    assert!(answer.contains(r#"0{"sid":"#), "{answer}");
}

#[test]
fn the_host_answers_in_our_place() {
    let reply = HttpReply::new(418, "teapot");
    let (answer, events) = answered(Some(EngineReply::Answer(reply)));
    assert!(answer.starts_with("HTTP/1.1 418") && answer.ends_with("\r\n\r\nteapot"), "{answer}");
    assert!(events.is_empty(), "{events:?}");
}

#[test]
fn a_failure_of_the_host_is_a_refusal() {
    for reply in [Some(EngineReply::Refuse), None] {
        let (answer, events) = answered(reply);
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.ends_with(r#"{"code":3,"message":"Bad request"}"#), "{answer}");
        let [Event::ConnectionError { refusal: Refusal::BadRequest, context, .. }] = &events[..] else {
            panic!("expected the error, got {events:?}");
        };
        assert_eq!(context, &[("name", "MIDDLEWARE_FAILURE".to_owned())]);
    }
}

#[test]
fn a_connection_whose_head_another_server_read_is_not_asked_about() {
    let mut host = Host::start(&json!({ "hooks": { "engine": true } }));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let client = thread::spawn(move || TcpClient::tcp(addr));
    let (mut stream, _) = listener.accept().unwrap();
    let mut head = [0; 16];
    stream.read_exact(&mut head).unwrap();
    host.server.adopt(OwnedFd::from(stream), head.to_vec()).unwrap();
    let client = client.join().unwrap();
    host.socket_of(&client.id);
    assert!(!host.close().iter().any(|event| matches!(event, Event::Engine { .. })));
}
