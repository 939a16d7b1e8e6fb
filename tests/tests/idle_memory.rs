//! Memory of an idle connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use kraken_ws_core::Event;
use kraken_ws_tests::{Host, dial};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// Joins the main namespace with nothing but a file descriptor, so that all memory of this process belongs to the
/// server.
fn join(addr: SocketAddr) -> TcpStream {
    const CONNECT: &[u8] = &[0x81, 0x82, 0, 0, 0, 0, b'4', b'0'];
    let mut stream = dial(addr);
    let head = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
                Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(CONNECT).unwrap();
    stream
}

/// Opens connections until the host has received an event for each.
fn open(host: &mut Host, addr: SocketAddr, count: usize) -> Vec<TcpStream> {
    let streams: Vec<_> = (0..count).map(|_| join(addr)).collect();
    for _ in 0..count {
        host.find(|event| matches!(event, Event::Connect { .. }).then_some(()));
    }
    streams
}

#[test]
fn an_idle_connection_holds_less_than_2_kib() {
    /// Connections that are opened at a time: more would measure the queues in front of a busy host.
    const STEP: usize = 50;
    const COUNT: usize = 40 * STEP;
    let mut host = Host::start(&json!({ "shards": 2 }));
    let addr = host.listen();
    // These connections make the server allocate its threads, buffers and lists.
    let mut warm = open(&mut host, addr, 2 * STEP);
    let region = Region::new(ALLOCATOR);
    let streams: Vec<_> = (0..COUNT / STEP).flat_map(|_| open(&mut host, addr, STEP)).collect();
    host.settle();
    let change = region.change();
    let each = (change.bytes_allocated - change.bytes_deallocated) / COUNT;
    println!("{each} bytes on the heap for an idle connection");
    assert!(each < 2048, "{each} bytes on the heap for an idle connection");

    let mut byte = [0];
    warm[0].read_exact(&mut byte).unwrap();
    assert_eq!(host.server.stats().connections as usize, COUNT + 2 * STEP);
    drop(streams);
    host.close();
}
