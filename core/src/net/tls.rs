//! TLS with rustls. The certificate can be replaced while the server runs.

use std::io::Cursor;
use std::sync::{Arc, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{Accept, TlsAcceptor};

use crate::types::error::{Error, ErrorCode, Result};

pub(crate) use tokio_rustls::server::TlsStream;

/// The current server configuration; established connections keep the one they started with.
pub(crate) struct TlsState(RwLock<Arc<ServerConfig>>);

impl TlsState {
    pub(crate) fn new(cert: &[u8], key: &[u8]) -> Result<Self> {
        Ok(Self(RwLock::new(config(cert, key)?)))
    }

    /// Replaces the certificate for later handshakes.
    pub(crate) fn reload(&self, cert: &[u8], key: &[u8]) -> Result<()> {
        let fresh = config(cert, key)?;
        *self.0.write().unwrap_or_else(|e| e.into_inner()) = fresh;
        Ok(())
    }

    /// Performs the handshake with a client.
    pub(crate) fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, below: S) -> Accept<S> {
        TlsAcceptor::from(self.0.read().unwrap_or_else(|e| e.into_inner()).clone()).accept(below)
    }
}

fn config(cert: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>> {
    let fail = |what: &str, e: &dyn std::fmt::Display| {
        Error::new(ErrorCode::Tls, format!("tls.{what}: expected PEM that fits, got: {e}"))
    };
    let chain = CertificateDer::pem_reader_iter(Cursor::new(cert))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|e| fail("cert", &e))?;
    if chain.is_empty() {
        return Err(fail("cert", &"no certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| fail("key", &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| fail("cert", &e))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| fail("key", &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
