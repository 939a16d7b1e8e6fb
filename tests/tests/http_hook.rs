//! Requests outside the engine's path.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::thread;

use kraken_ws_core::{Event, HttpReply};
use kraken_ws_tests::{Host, dial};
use serde_json::json;

fn ask(addr: SocketAddr, request: &str) -> String {
    let mut stream = dial(addr);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const POST: &str =
    "POST /rooms?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody";
const GET: &str = "GET /rooms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[test]
fn the_host_answers_with_status_headers_and_body() {
    let mut host = Host::start(&json!({ "hooks": { "http": true } }));
    let addr = host.listen();
    let client = thread::spawn(move || ask(addr, POST));
    let Event::Http { request, body, reply } = host.event() else { panic!("expected the request") };
    assert_eq!((&*request.method, &*request.url, &body[..]), ("POST", "/rooms?x=1", &b"body"[..]));
    let headers = vec![("x-rooms".to_owned(), "2".to_owned())];
    reply.send(HttpReply::new(201, "made").with_headers(headers)).unwrap();
    let answer = client.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 201") && answer.ends_with("\r\n\r\nmade"), "{answer}");
    assert!(answer.contains("x-rooms: 2\r\n"), "{answer}");
    host.close();
}

#[test]
fn a_reply_that_the_host_drops_is_404() {
    let mut host = Host::start(&json!({ "hooks": { "http": true } }));
    let addr = host.listen();
    let client = thread::spawn(move || ask(addr, GET));
    let event = host.event();
    assert!(matches!(event, Event::Http { .. }));
    drop(event);
    let answer = client.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    host.close();
}

#[test]
fn without_the_hook_it_is_404_and_the_host_hears_nothing() {
    let mut host = Host::start(&json!({}));
    let addr = host.listen();
    let answer = ask(addr, GET);
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(host.close().is_empty());
}
