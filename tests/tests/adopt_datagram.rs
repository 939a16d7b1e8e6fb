//! Belongs at the end of `what_is_no_connected_stream_is_refused_and_closed` in adopt.rs once core refuses them.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;

use kraken_ws_core::ErrorCode;
use kraken_ws_tests::Host;
use serde_json::json;

#[test]
fn a_connected_datagram_socket_is_refused() {
    let mut host = Host::start(&json!({}));
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.connect(udp.local_addr().unwrap()).unwrap();
    for fd in [udp.into(), UnixDatagram::pair().unwrap().0.into()] {
        assert_eq!(host.server.adopt(fd, Vec::new()).unwrap_err().code(), ErrorCode::Adopt);
    }
    host.close();
}
