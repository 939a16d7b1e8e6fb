//! TLS: the certificate is replaced while the server runs.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use kraken_ws_core::{ErrorCode, Target};
use kraken_ws_tests::{Client, Host, dial};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;

type TlsClient = Client<StreamOwned<ClientConnection, TcpStream>>;

struct Pair {
    cert: String,
    key: String,
    der: CertificateDer<'static>,
}

fn pair() -> Pair {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    Pair { cert: made.cert.pem(), key: made.signing_key.serialize_pem(), der: made.cert.der().clone() }
}

fn host(pair: &Pair) -> Host {
    Host::start(&json!({ "shards": 2, "tls": { "cert": pair.cert, "key": pair.key } }))
}

/// A client that trusts only this certificate; the first write performs the handshake.
fn stream(addr: SocketAddr, trusted: &Pair) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    StreamOwned::new(connection, dial(addr))
}

fn accepted(addr: SocketAddr, trusted: &Pair) -> bool {
    let mut stream = stream(addr, trusted);
    stream.conn.complete_io(&mut stream.sock).is_ok()
}

#[test]
fn a_reload_serves_the_new_certificate_and_keeps_connections() {
    let (old, new) = (pair(), pair());
    let mut host = host(&old);
    let addr = host.listen();
    let mut before = TlsClient::joined(stream(addr, &old));

    host.server.reload_tls(new.cert.as_bytes(), new.key.as_bytes()).unwrap();
    assert!(!accepted(addr, &old), "the old certificate was served");
    let mut after = TlsClient::joined(stream(addr, &new));

    host.publish(Target::all(), r#"["both"]"#);
    assert_eq!(before.event(), json!(["both"]));
    assert_eq!(after.event(), json!(["both"]));
    assert!(host.settle().iter().all(|s| s.request.secure));
    host.close();
}

#[test]
fn a_pair_that_does_not_fit_is_refused_and_the_old_one_stays() {
    let (old, new) = (pair(), pair());
    let mut host = host(&old);
    let addr = host.listen();
    for (cert, key) in [(&new.cert, &old.key), (&new.key, &new.key), (&String::new(), &new.key)] {
        let refused = host.server.reload_tls(cert.as_bytes(), key.as_bytes()).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Tls);
    }
    assert!(accepted(addr, &old));
    host.close();
}

#[test]
fn a_server_without_tls_refuses_a_reload() {
    let pair = pair();
    let mut host = Host::start(&json!({}));
    let refused = host.server.reload_tls(pair.cert.as_bytes(), pair.key.as_bytes()).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Tls);
    host.close();
}

#[test]
fn the_end_of_a_burst_does_not_wait_for_the_next_write() {
    let pair = pair();
    let mut host = Host::start(&json!({
        "shards": 1, "maxOutboxBytes": 64 << 20, "tls": { "cert": pair.cert, "key": pair.key },
    }));
    let addr = host.listen();
    let stream = stream(addr, &pair);
    // Limits what the kernel takes for a client that does not read to a few bursts.
    rustix::net::sockopt::set_socket_recv_buffer_size(&stream.sock, 65_536).unwrap();
    let mut client = TlsClient::joined(stream);
    let message = json!(["fill", "x".repeat(8000)]);
    // Different sizes, so that in one round the last burst is held by TLS alone when the kernel's buffer is full.
    for burst in (100..700).step_by(6) {
        for _ in 0..burst {
            host.publish(Target::all(), &message.to_string());
        }
        host.settle();
        for _ in 0..burst {
            assert_eq!(client.event(), message);
        }
    }
    host.close();
}
