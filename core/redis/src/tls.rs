//! TLS to Redis: trusted roots and the client certificate.

use std::io::{self, Cursor};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::Tls;
use crate::error::{Error, ErrorKind, Result};

/// The TLS configuration of all connections.
#[derive(Clone)]
pub(crate) struct Client(Arc<ClientConfig>);

impl Client {
    /// Trusts the system's certificates unless `tls.ca` is set.
    pub(crate) fn new(tls: &Tls) -> Result<Self> {
        config(tls).map(|config| Self(Arc::new(config)))
    }

    /// Performs the handshake with the server `host`.
    pub(crate) async fn connect<S>(&self, host: &str, below: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(self.0.clone()).connect(name, below).await
    }
}

fn config(tls: &Tls) -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| fail("ca", &e))?
        .with_root_certificates(match &tls.ca {
            Some(pem) => given_roots(pem)?,
            None => system_roots()?,
        });
    Ok(match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| fail("key", &e))?;
            builder.with_client_auth_cert(certificates("cert", cert)?, key).map_err(|e| fail("key", &e))?
        }
        (None, None) => builder.with_no_client_auth(),
        (Some(_), None) => return Err(fail("key", &"none, with a certificate")),
        (None, Some(_)) => return Err(fail("cert", &"none, with a key")),
    })
}

fn given_roots(pem: &[u8]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca", pem)? {
        roots.add(certificate).map_err(|e| fail("ca", &e))?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(Error::new(
            ErrorKind::Tls,
            "tls.ca: expected PEM, because this system has no certificates to trust (Debian: ca-certificates)",
        ));
    }
    Ok(roots)
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let chain = CertificateDer::pem_reader_iter(Cursor::new(pem))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|e| fail(what, &e))?;
    if chain.is_empty() { Err(fail(what, &"no certificate")) } else { Ok(chain) }
}

fn fail(what: &str, e: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Tls, format!("tls.{what}: expected PEM that fits, got: {e}"))
}
