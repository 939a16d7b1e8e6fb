//! How sockets to Redis are opened.

use std::io;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

/// A stream over TCP, TLS or a Unix socket.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A stream that is being opened.
pub type Dialed<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Duplex>>> + Send + 'a>>;

/// Opens the sockets of a bus. The program that uses the bus does that, because it knows what its process needs of a
/// socket: a host with the default action for SIGPIPE, for instance, needs writes that don't raise it.
pub trait Dial: Send + Sync + 'static {
    /// Connects to a port of a host.
    fn tcp<'a>(&'a self, host: &'a str, port: u16) -> Dialed<'a>;

    /// Connects to a Unix socket.
    fn unix<'a>(&'a self, path: &'a str) -> Dialed<'a>;
}
