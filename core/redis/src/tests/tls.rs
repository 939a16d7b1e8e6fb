//! Tests of `rediss://`.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::*;
use crate::config::Tls;
use crate::error::ErrorKind;

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // With equal names of issuer and subject the certificate would look self-signed.
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// Returns certificate and key.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

#[tokio::test]
async fn a_certificate_of_a_given_authority_is_trusted_and_no_other() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("another"));
    let folder = server::Folder::new();
    let (cert, key) = authority.issue("127.0.0.1");
    let (cert, key) = (folder.file("cert.pem", &cert), folder.file("key.pem", &key));
    let ca = folder.file("ca.pem", &authority.pem());
    let port = server::free_port().to_string();
    let arguments = [
        "--port",
        "0",
        "--tls-port",
        &port,
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &ca,
    ];
    let Some(_server) = Server::start(&arguments) else { return };
    let options = |ca: &Authority, client: Option<(String, String)>| {
        let (cert, key) = client.map(|(cert, key)| (cert.into_bytes(), key.into_bytes())).unzip();
        Config {
            tls: Some(Tls { ca: Some(ca.pem().into_bytes()), cert, key }),
            ..classic(&format!("rediss://127.0.0.1:{port}"))
        }
    };
    let good = options(&authority, Some(authority.issue("node")));
    let mut node = Node::subscribed(&good, &[channel("x")]).await;
    let large = Bytes::from(vec![7; 1 << 20]);
    node.publish("x", large.clone());
    assert!(node.message().await.payload == large);
    for number in 0..1000 {
        node.publish("x", number.to_string());
    }
    for number in 0..1000 {
        assert_eq!(node.payload().await, number.to_string());
    }
    node.bus.flush(LONG).await.unwrap();

    let reason = Node::start(&options(&stranger, None)).down().await;
    assert!(reason.contains("UnknownIssuer"), "{reason}");
    // The server requires a client certificate of its authority.
    let reason = Node::start(&options(&authority, None)).down().await;
    assert!(reason.contains("ertificate"), "{reason}");
    let reason = Node::start(&options(&authority, Some(stranger.issue("node")))).down().await;
    assert!(reason.to_lowercase().contains("ca"), "{reason}");
    // The certificate is valid for 127.0.0.1 only.
    let wrong_name = Config { servers: Servers::Url(format!("rediss://localhost:{port}")), ..good.clone() };
    let reason = Node::start(&wrong_name).down().await;
    assert!(reason.contains("NotValidForName") || reason.contains("not valid for"), "{reason}");
    // A plain connection to a TLS port fails.
    let plain = classic(&format!("redis://127.0.0.1:{port}"));
    Node::start(&plain).down().await;
}

#[tokio::test]
async fn what_is_no_certificate_is_refused_at_start() {
    let authority = Authority::new("ours");
    let (cert, key) = authority.issue("node");
    for (tls, culprit) in [
        (Tls { ca: Some(b"no pem".to_vec()), cert: None, key: None }, "tls.ca:"),
        (Tls { ca: Some(authority.pem().into()), cert: Some(cert.clone().into()), key: None }, "tls.key:"),
        (Tls { ca: Some(authority.pem().into()), cert: None, key: Some(key.clone().into()) }, "tls.cert:"),
        (
            Tls { ca: Some(authority.pem().into()), cert: Some(cert.into()), key: Some(b"?".to_vec()) },
            "tls.key:",
        ),
    ] {
        let (sender, _events) = mpsc::unbounded_channel();
        let error = Bus::start(&Config { tls: Some(tls), ..classic("rediss://h") }, Arc::new(Dialer), sender)
            .err()
            .expect("refused");
        assert_eq!(error.kind(), ErrorKind::Tls);
        assert!(error.message().starts_with(culprit), "{error}");
    }
}
