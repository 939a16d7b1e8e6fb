//! The request that opened a connection.

use crate::types::headers::Headers;

/// The request that opened a connection.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RequestInfo {
    /// `GET` for a handshake.
    pub method: Box<str>,
    /// Path and query as received.
    pub url: Box<str>,
    /// Header names in lower case with their values, in the order received.
    pub headers: Headers,
    /// Peer address, empty for a Unix socket.
    pub address: Box<str>,
    /// Peer port, 0 for a Unix socket.
    pub port: u16,
    /// Whether the connection itself uses TLS.
    pub secure: bool,
    /// `websocket` or `polling`.
    pub transport: &'static str,
    /// Engine.IO protocol, 3 or 4.
    pub protocol: u8,
    /// Milliseconds since the epoch.
    pub issued: u64,
    /// The value that the host passed along with a request that it handed in, else 0.
    pub tag: u64,
}

impl RequestInfo {
    /// A request with only these values; set the other fields as needed.
    pub fn new(method: impl Into<Box<str>>, url: impl Into<Box<str>>) -> Self {
        Self { method: method.into(), url: url.into(), ..Self::default() }
    }

    /// Size in bytes. Several events of one connection share the request, but each is counted with its full size.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.url.len() + self.headers.len() + self.address.len()
    }

    /// The first header with this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}
