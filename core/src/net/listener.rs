//! Listening sockets: bind, and accept with back-off.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::net::stream::RawStream;

/// Shortest and longest pause after a failed accept. A full descriptor table stays full for a while: retrying at once
/// would spin, and giving up would end the service.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// A bound socket that does not accept yet.
pub(crate) enum Listener {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener, Unlink),
}

/// Who may bind a TCP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PortUse {
    /// One process.
    Exclusive,
    /// All processes of this user; the kernel spreads connections over them.
    Shared,
}

/// Binds a TCP address. `::` accepts IPv4 too, as in Node.js.
pub(crate) fn bind_tcp(addr: SocketAddr, backlog: u32, usage: PortUse) -> io::Result<(Listener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() && addr.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    if usage == PortUse::Shared {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(backlog as i32)?;
    let listener = std::net::TcpListener::from(socket);
    let addr = listener.local_addr()?;
    Ok((Listener::Tcp(listener), addr))
}

/// Binds a Unix socket path. A stale socket file, which nobody listens on, is replaced.
pub(crate) fn bind_unix(path: &Path) -> io::Result<Listener> {
    use std::os::unix::net::UnixListener;
    let listener = match UnixListener::bind(path) {
        Err(e) if e.kind() == io::ErrorKind::AddrInUse && is_stale(path) => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)?
        }
        other => other?,
    };
    listener.set_nonblocking(true)?;
    Ok(Listener::Unix(listener, Unlink(path.to_owned())))
}

/// Whether `path` is a socket that nobody listens on. Any other file must not be removed.
fn is_stale(path: &Path) -> bool {
    use std::os::unix::{fs::FileTypeExt, net::UnixStream};
    std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
        && UnixStream::connect(path).is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
}

/// Removes the socket file when its listener ends.
pub(crate) struct Unlink(PathBuf);

impl Drop for Unlink {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A listener that is registered with the runtime.
pub(crate) enum Accepting {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener, #[expect(dead_code, reason = "for its end")] Unlink),
}

impl Listener {
    /// Registers the listener with the current runtime.
    pub(crate) fn register(self) -> io::Result<Accepting> {
        Ok(match self {
            Listener::Tcp(listener) => Accepting::Tcp(tokio::net::TcpListener::from_std(listener)?),
            Listener::Unix(listener, unlink) => {
                Accepting::Unix(tokio::net::UnixListener::from_std(listener)?, unlink)
            }
        })
    }
}

impl Accepting {
    /// Accepts until the task is dropped, waiting for `ready` before each connection. Connections wait in the
    /// kernel's backlog meanwhile.
    pub(crate) async fn accept_all(&self, ready: &impl AsyncFn(), on: &impl Fn(RawStream)) {
        let mut pause = BACKOFF.0;
        loop {
            ready().await;
            let accepted = match self {
                Accepting::Tcp(listener) => {
                    listener.accept().await.and_then(|(s, _)| s.into_std()).map(RawStream::Tcp)
                }
                Accepting::Unix(listener, _) => {
                    listener.accept().await.and_then(|(s, _)| s.into_std()).map(RawStream::Unix)
                }
            };
            step(accepted, &mut pause, on).await;
        }
    }
}

/// Passes on a connection, or waits after a failure.
async fn step(accepted: io::Result<RawStream>, pause: &mut Duration, on: &impl Fn(RawStream)) {
    match accepted {
        Ok(stream) => {
            *pause = BACKOFF.0;
            on(stream);
        }
        // The peer aborted between SYN and accept; no reason to pause.
        Err(e) if is_peers(&e) => {}
        Err(e) => {
            tracing::warn!(error = %e, pause_ms = pause.as_millis() as u64, "accept failed");
            tokio::time::sleep(*pause).await;
            *pause = (*pause * 2).min(BACKOFF.1);
        }
    }
}

fn is_peers(e: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(e.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}
