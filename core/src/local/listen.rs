//! Listeners of this node, and its certificate.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;

use crate::local::Server;
use crate::net::listener::{self, PortUse};
use crate::shared::command::Command;
use crate::types::error::{Error, ErrorCode, Result};

impl Server {
    /// Listens on a TCP address; port 0 takes a free one. Returns the bound address.
    ///
    /// # Errors
    /// [`ErrorCode::Listen`] with the system's reason.
    pub fn listen_tcp(&self, host: &str, port: u16) -> Result<SocketAddr> {
        self.bind(host, port, PortUse::Exclusive)
    }

    /// [`Server::listen_tcp`] on a port that other processes of this user may also listen on with this method
    /// (`SO_REUSEPORT`); the system distributes connections over them. With port 0 each process gets a different one.
    ///
    /// # Errors
    /// As [`Server::listen_tcp`].
    pub fn listen_tcp_shared(&self, host: &str, port: u16) -> Result<SocketAddr> {
        self.bind(host, port, PortUse::Shared)
    }

    fn bind(&self, host: &str, port: u16, usage: PortUse) -> Result<SocketAddr> {
        self.open()?;
        let fail = |e: std::io::Error| Error::new(ErrorCode::Listen, format!("listen {host}:{port}: {e}"));
        let addrs: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(fail)?.collect();
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
        for addr in addrs {
            match listener::bind_tcp(addr, self.core().options.backlog, usage) {
                Ok((listener, bound)) => {
                    self.core().shards[0].send(Command::Listen(listener));
                    return Ok(bound);
                }
                Err(e) => last = e,
            }
        }
        Err(fail(last))
    }

    /// Listens on a Unix socket path. A socket file that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// [`ErrorCode::Listen`] with the system's reason.
    pub fn listen_unix(&self, path: &Path) -> Result<()> {
        self.open()?;
        let listener = listener::bind_unix(path)
            .map_err(|e| Error::new(ErrorCode::Listen, format!("listen {}: {e}", path.display())))?;
        self.core().shards[0].send(Command::Listen(listener));
        Ok(())
    }

    /// Closes the listeners; connections stay.
    pub fn stop_listening(&self) {
        self.core().shards[0].send(Command::StopListening);
    }

    /// Replaces the certificate and key for new connections; existing connections stay as they are.
    ///
    /// # Errors
    /// [`ErrorCode::Tls`] if the server has no `tls` option or the new pair can't be used; the old pair stays in use.
    pub fn reload_tls(&self, cert: &[u8], key: &[u8]) -> Result<()> {
        match &self.core().tls {
            Some(tls) => tls.reload(cert, key),
            None => Err(Error::new(ErrorCode::Tls, "tls: the server was started without it")),
        }
    }
}
