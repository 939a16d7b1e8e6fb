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
    /// TLS on the connection itself.
    pub secure: bool,
    /// `websocket` or `polling`.
    pub transport: &'static str,
    /// Engine.IO protocol, 3 or 4.
    pub protocol: u8,
    /// Milliseconds since the epoch.
    pub issued: u64,
    /// What the host gave along with a request that it passed in, else 0.
    pub tag: u64,
}

impl RequestInfo {
    /// A request of which no more is known; the fields take the rest.
    pub fn new(method: impl Into<Box<str>>, url: impl Into<Box<str>>) -> Self {
        Self { method: method.into(), url: url.into(), ..Self::default() }
    }

    /// What it takes, in bytes. Several events of one connection share it and are counted as if they did not.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.url.len() + self.headers.len() + self.address.len()
    }

    /// First header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}
