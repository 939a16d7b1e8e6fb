//! Listeners: several at once, and the socket file of a Unix listener.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use kraken_ws_core::{ErrorCode, Target};
use kraken_ws_tests::{Host, TcpClient, UnixClient};
use serde_json::json;

/// A path for a socket file that no other test uses.
fn path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("kraken-{name}-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn one_server_listens_on_ipv4_ipv6_and_a_unix_path_at_once() {
    let mut host = Host::start(&json!({ "shards": 2 }));
    let path = path("all");
    host.server.listen_unix(&path).unwrap();
    let mut clients = vec![TcpClient::tcp(host.listen()), TcpClient::tcp(host.listen())];
    // Only a kernel without IPv6 excuses a failed bind.
    if TcpListener::bind("[::1]:0").is_ok() {
        let v6 = host.server.listen_tcp("::1", 0).unwrap();
        assert!(v6.is_ipv6() && v6.port() != 0);
        clients.push(TcpClient::tcp(v6));
    }
    let mut unix = UnixClient::unix(&path);

    host.publish(Target::all(), r#"["news"]"#);
    for client in &mut clients {
        assert_eq!(client.event(), json!(["news"]));
    }
    assert_eq!(unix.event(), json!(["news"]));

    let local = host.settle().into_iter().find(|s| *s.id == *unix.id).unwrap();
    assert_eq!((&*local.request.address, local.request.port), ("", 0));
    host.close();
}

#[test]
fn the_file_of_a_unix_socket_is_gone_when_the_server_is_closed() {
    let mut host = Host::start(&json!({}));
    let path = path("gone");
    host.server.listen_unix(&path).unwrap();
    UnixClient::unix(&path);
    assert!(path.exists());
    host.close();
    assert!(!path.exists());
}

#[test]
fn a_stale_socket_file_is_replaced_and_one_in_use_is_not() {
    let mut host = Host::start(&json!({}));
    let path = path("stale");
    let other = UnixListener::bind(&path).unwrap();
    let refused = host.server.listen_unix(&path).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Listen);
    assert!(refused.message().contains(path.to_str().unwrap()), "{refused}");

    drop(other);
    assert!(path.exists(), "a closed listener leaves its file");
    host.server.listen_unix(&path).unwrap();
    UnixClient::unix(&path);
    host.close();
}

#[test]
fn a_port_in_use_is_refused_with_its_address() {
    let mut host = Host::start(&json!({}));
    let port = host.listen().port();
    let refused = host.server.listen_tcp("127.0.0.1", port).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Listen);
    assert!(refused.message().contains(&format!("127.0.0.1:{port}")), "{refused}");
    host.close();
}

#[test]
fn connections_stay_when_listening_stops() {
    let mut host = Host::start(&json!({ "shards": 2 }));
    let addr = host.listen();
    let (mut client, socket) = host.client(addr);
    host.server.stop_listening();
    host.settle();
    kraken_ws_tests::eventually("the port is free", || TcpListener::bind(addr).is_ok());
    host.emit(socket, r#"["still"]"#);
    assert_eq!(client.event(), json!(["still"]));
    host.close();
}

#[test]
fn a_file_that_is_no_socket_stays() {
    let mut host = Host::start(&json!({}));
    let path = path("file");
    std::fs::write(&path, "somebody's").unwrap();
    assert_eq!(host.server.listen_unix(&path).unwrap_err().code(), ErrorCode::Listen);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's");
    std::fs::remove_file(&path).unwrap();
    host.close();
}
