//! A host that does not take its events: the server stops reading, and nothing is lost.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use kraken_ws_core::{Decision, Event};
use kraken_ws_tests::{Host, PATIENCE, TcpClient, dial, eventually};
use serde_json::json;

/// More than the kernel's buffers of a connection hold.
const EVENTS: usize = 24 * 1024;
const SIZE: usize = 1024;

/// Masked text frames `42["n",i,"…"]`. A mask of zeros leaves the text unchanged.
fn frames() -> Vec<u8> {
    let mut out = Vec::with_capacity(EVENTS * (SIZE + 64));
    for n in 0..EVENTS {
        let text = format!(r#"42["n",{n},"{}"]"#, "x".repeat(SIZE));
        out.extend([0x81, 0x80 | 126]);
        out.extend((text.len() as u16).to_be_bytes());
        out.extend([0; 4]);
        out.extend(text.as_bytes());
    }
    out
}

/// Writes until the server has read nothing for half a second; returns the number of bytes written.
fn write_until_stuck(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(n) => written += n,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(e) => panic!("{e}"),
        }
    }
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    written
}

/// Takes the events of one client and checks that they are complete and in order.
fn take_all(host: &mut Host) {
    for n in 0..EVENTS {
        let data = host.find(|event| match event {
            Event::Event { data, .. } => Some(data.clone()),
            _ => None,
        });
        assert!(data.starts_with(&format!(r#"["n",{n},"#)), "event {n} is {:.20}", &*data);
    }
}

fn stuck(options: &serde_json::Value) -> (Host, TcpClient, Vec<u8>, usize) {
    let mut host = Host::start(options);
    let addr = host.listen();
    let (mut client, _) = host.client(addr);
    let bytes = frames();
    let written = write_until_stuck(client.stream(), &bytes);
    assert!(written < bytes.len(), "everything was read");
    (host, client, bytes, written)
}

/// The host takes events again while the client sends the rest.
fn resume(mut host: Host, mut client: TcpClient, bytes: Vec<u8>, written: usize) {
    let rest = thread::spawn(move || {
        client.stream().write_all(&bytes[written..]).unwrap();
        client
    });
    take_all(&mut host);
    // A disconnect is an event too.
    let _client = rest.join().unwrap();
    assert_eq!(host.pending_bytes(), 0);
    host.close();
}

#[test]
fn max_pending_events_bounds_one_connection_and_nothing_is_lost() {
    let (host, client, bytes, written) = stuck(&json!({ "shards": 1, "maxPendingEvents": 16 }));
    assert_eq!(host.server.stats().messages_in, 16);
    resume(host, client, bytes, written);
}

#[test]
fn host_queue_bytes_bounds_all_and_nothing_is_lost() {
    const LIMIT: usize = 100_000;
    let options = json!({ "shards": 2, "maxPendingEvents": 1_000_000, "hostQueueBytes": LIMIT });
    let (host, client, bytes, written) = stuck(&options);
    // A shard checks the limit once per event, so the events of one read may come on top.
    let waiting = host.pending_bytes();
    assert!((LIMIT / 2..LIMIT + 128 * 1024).contains(&waiting), "{waiting} bytes wait");
    assert_eq!(host.server.stats().host_queue_bytes as usize, waiting);
    resume(host, client, bytes, written);
}

#[test]
fn a_connection_that_waits_does_not_hold_up_the_others() {
    let (mut host, _client, _, _) = stuck(&json!({ "shards": 1, "maxPendingEvents": 16 }));
    let addr = host.listen();
    let mut other = TcpClient::tcp(addr);
    other.send(r#"2["other"]"#);
    host.find(|event| match event {
        Event::Event { data, .. } if &**data == r#"["other"]"# => Some(()),
        _ => None,
    });
    host.close();
}

fn handshake(addr: SocketAddr, cookie: &str) -> TcpStream {
    let mut stream = dial(addr);
    let head =
        format!("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).ok()?;
    std::str::from_utf8(&answer[9..]).unwrap().parse().ok()
}

#[test]
fn new_connections_and_their_requests_count_while_the_host_is_stuck() {
    const LIMIT: usize = 200_000;
    let hooks = json!({ "allowRequest": true });
    let mut host = Host::start(&json!({ "shards": 1, "hostQueueBytes": LIMIT, "hooks": hooks }));
    let addr = host.listen();
    // Connected before; its request arrives when the queue is full.
    let mut early = dial(addr);
    let cookie = "a".repeat(12_000);
    let crowd: Vec<_> = (0..200).map(|_| handshake(addr, &cookie)).collect();
    eventually("the queue is full", || host.pending_bytes() > LIMIT);
    early.write_all(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(status(&mut early), Some(503));
    let waiting = host.pending_bytes();
    // A connection that is being accepted may come on top.
    assert!(waiting < LIMIT + 32 * 1024, "{waiting} bytes wait");
    // When the host takes its events again, it is asked about the clients that were not refused, and about new ones.
    let reader = thread::spawn(move || {
        let statuses: Vec<_> = crowd.into_iter().map(|mut stream| status(&mut stream)).collect();
        (statuses, handshake(addr, "last"))
    });
    let mut asked = 0;
    loop {
        if let Event::AllowRequest { request, reply, .. } = host.event() {
            let _ = reply.send(Decision::refuse("no"));
            if request.header("cookie") == Some("last") {
                break;
            }
            asked += 1;
        }
    }
    let (statuses, mut last) = reader.join().unwrap();
    assert_eq!(status(&mut last), Some(403));
    assert!(asked >= LIMIT / 16_384, "{asked} were asked about");
    assert_eq!(statuses.iter().filter(|status| **status == Some(403)).count(), asked);
    assert!(statuses.iter().all(|status| matches!(status, Some(403 | 503))), "{statuses:?}");
    host.close();
}

#[test]
fn clients_are_not_read_from_when_the_queue_is_full_already() {
    const LIMIT: usize = 1 << 20;
    const CLIENTS: usize = 24;
    let options = json!({ "shards": 1, "maxPendingEvents": 1_000_000, "hostQueueBytes": LIMIT });
    let mut host = Host::start(&options);
    let addr = host.listen();
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| host.client(addr).0).collect();
    let message = json!(["n", "x".repeat(700_000)]).to_string();
    let writers: Vec<_> = clients
        .drain(..)
        .map(|mut client| {
            let message = message.clone();
            thread::spawn(move || {
                client.send(&format!("2{message}"));
                client
            })
        })
        .collect();
    eventually("the queue is full", || host.pending_bytes() > LIMIT);
    // Long enough for the server to read everything if it did not stop.
    thread::sleep(Duration::from_millis(500));
    let waiting = host.pending_bytes();
    assert!(waiting < LIMIT + 1_000_000, "{waiting} bytes wait");
    for _ in 0..CLIENTS {
        host.find(|event| matches!(event, Event::Event { .. }).then_some(()));
    }
    for writer in writers {
        drop(writer.join().unwrap());
    }
    host.close();
}

#[test]
fn what_clients_send_before_they_are_accepted_is_bounded_for_all_together() {
    const LIMIT: usize = 1 << 20;
    let mut host = Host::start(&json!({ "shards": 1, "hostQueueBytes": LIMIT }));
    let main = host.server.namespace("/").unwrap();
    main.set_decide(true);
    let addr = host.listen();
    let bytes = |host: &Host| host.server.stats().bytes_in as usize;
    let message = json!(["n", "x".repeat(700_000)]).to_string();
    let clients: Vec<_> = (0..16)
        .map(|_| {
            let mut client = TcpClient::open(dial(addr));
            client.send("0");
            client.send(&format!("2{message}"));
            client
        })
        .collect();
    eventually("much is held", || bytes(&host) > LIMIT);
    // Long enough for the server to read everything if it did not stop.
    thread::sleep(Duration::from_millis(500));
    assert!(bytes(&host) < 6 * LIMIT, "{} bytes were read of 11 million", bytes(&host));
    // The host decides now, and nothing is lost.
    let mut came = 0;
    while came < clients.len() {
        match host.event() {
            Event::Connect { socket, pending: true, .. } => host.server.accept(socket),
            Event::Event { .. } => came += 1,
            _ => {}
        }
    }
    host.close();
}
