//! A host that does not take its events: the server reads no further, and nothing is lost.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use kraken_ws_core::Event;
use kraken_ws_tests::{Host, PATIENCE, TcpClient};
use serde_json::json;

/// More than the kernel's buffers of a connection hold.
const EVENTS: usize = 24 * 1024;
const SIZE: usize = 1024;

/// Masked text frames `42["n",i,"…"]`. The mask of zeros leaves the text as it is.
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

/// Writes until the server has read nothing for half a second; returns how much went out.
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

/// Takes every event of one client and sees that they are complete and in order.
fn take_all(host: &mut Host) {
    for n in 0..EVENTS {
        let data = host.find(|event| match event {
            Event::Packet { data, .. } => Some(data.clone()),
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
    // A client that is gone is an event too.
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
    // A shard looks at the bound once an event: what one read holds may come on top.
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
        Event::Packet { data, .. } if &**data == r#"["other"]"# => Some(()),
        _ => None,
    });
    host.close();
}
