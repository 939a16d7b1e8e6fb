//! Adoption of connections that another server accepted, with the bytes already read from them.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::thread;

use kraken_ws_core::{AdoptInfo, ErrorCode, Event};
use kraken_ws_tests::{Host, PATIENCE, TcpClient, UnixClient, dial, process};
use serde_json::json;

/// Reads as a front server does before it knows that the request is not its own.
fn read_head(stream: &mut impl Read) -> Vec<u8> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).unwrap(), 1);
        head.push(byte[0]);
    }
    head
}

#[test]
fn a_tcp_connection_goes_on_behind_its_request_head() {
    let mut host = Host::start(&json!({ "shards": 2 }));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let client = thread::spawn(move || TcpClient::tcp(addr));
    let (mut stream, peer) = listener.accept().unwrap();
    let head = read_head(&mut stream);
    host.server.adopt(OwnedFd::from(stream), head).unwrap();

    let mut client = client.join().unwrap();
    let socket = host.socket_of(&client.id);
    let request = host.settle().remove(0).request;
    assert_eq!((&*request.address, request.port), ("127.0.0.1", peer.port()));
    host.emit(socket, r#"["hello"]"#);
    assert_eq!(client.event(), json!(["hello"]));
    host.close();
}

#[test]
fn a_unix_connection_is_what_the_adopter_says() {
    let mut host = Host::start(&json!({}));
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(PATIENCE)).unwrap();
    let client = thread::spawn(move || UnixClient::joined(ours));
    let head = read_head(&mut theirs);
    let info = AdoptInfo::new("192.0.2.7", 4711, true);
    host.server.adopt_with(OwnedFd::from(theirs), head, Some(info)).unwrap();

    let client = client.join().unwrap();
    host.socket_of(&client.id);
    let request = host.settle().remove(0).request;
    assert_eq!((&*request.address, request.port, request.secure), ("192.0.2.7", 4711, true));
    host.close();
}

#[test]
fn bytes_behind_the_head_are_not_lost() {
    let mut host = Host::start(&json!({}));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = dial(listener.local_addr().unwrap());
    let (stream, _) = listener.accept().unwrap();
    // Half of the request was read here, the other half is still to come.
    host.server.adopt(OwnedFd::from(stream), b"GET /socket.io/?EIO=4&trans".to_vec()).unwrap();
    client.write_all(b"port=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#"0{"sid":"#), "{answer}");
    host.close();
}

#[test]
fn what_is_no_connected_stream_is_refused_and_closed() {
    let mut host = Host::start(&json!({}));
    host.settle();
    let before = process::descriptors();
    let refused = |what: &str, fd: OwnedFd| match host.server.adopt(fd, Vec::new()) {
        Ok(()) => panic!("{what} was adopted"),
        Err(error) => assert_eq!(error.code(), ErrorCode::Adopt, "{what}"),
    };
    refused("a file", File::open("/dev/null").unwrap().into());
    refused("a pipe", std::io::pipe().unwrap().0.into());
    refused("a listener", TcpListener::bind("127.0.0.1:0").unwrap().into());
    refused("an unconnected datagram socket", UdpSocket::bind("127.0.0.1:0").unwrap().into());
    refused("an unconnected Unix datagram socket", UnixDatagram::unbound().unwrap().into());
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.connect(udp.local_addr().unwrap()).unwrap();
    refused("a connected datagram socket", udp.into());
    refused("a connected Unix datagram socket", UnixDatagram::pair().unwrap().0.into());
    assert_eq!(process::descriptors(), before);
    host.close();
}

#[test]
fn nothing_is_adopted_by_a_closed_server() {
    let mut host = Host::start(&json!({}));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    host.close();
    let refused = host.server.adopt(OwnedFd::from(stream), Vec::new()).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Closed);
}

#[test]
fn frames_behind_a_head_that_fills_the_first_read_stay_in_order() {
    let mut host = Host::start(&json!({ "maxHeaderBytes": 65_536 }));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = dial(listener.local_addr().unwrap());
    let (stream, _) = listener.accept().unwrap();
    let mut early = format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         X-Fill: {}\r\n\r\n",
        "x".repeat(7600)
    )
    .into_bytes();
    const CONNECT: &[u8] = &[0x81, 0x82, 0, 0, 0, 0, b'4', b'0'];
    early.extend_from_slice(CONNECT);
    // Events of different lengths, so that no cut hits a frame boundary by accident.
    for n in 0..400 {
        let text = format!("42[\"n\",{n}]");
        early.extend_from_slice(&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0]);
        early.extend_from_slice(text.as_bytes());
    }
    host.server.adopt(OwnedFd::from(stream), early).unwrap();
    client.flush().unwrap();
    for n in 0..400 {
        let data = host.find(|event| match event {
            Event::Event { data, .. } => Some(data.clone()),
            _ => None,
        });
        assert_eq!(*data, *format!("[\"n\",{n}]"));
    }
    host.close();
}
