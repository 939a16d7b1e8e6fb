//! Connections and requests that another server has accepted: Node's HTTP server, a C host's own listener.

use std::os::fd::OwnedFd;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::local::Server;
use crate::net::stream::{Peer, RawStream};
use crate::shared::command::{Command, PassedIn};
use crate::shared::reply::HttpReply;
use crate::types::error::{Error, ErrorCode, Result};
use crate::types::request::RequestInfo;

/// Peer of an adopted connection, for a descriptor that can't tell it (a proxy, a pipe).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct AdoptInfo {
    /// Peer address.
    pub address: String,
    /// Peer port.
    pub port: u16,
    /// The peer's connection is encrypted.
    pub secure: bool,
}

impl AdoptInfo {
    /// The peer's address and port, and whether its connection is encrypted.
    pub fn new(address: impl Into<String>, port: u16, secure: bool) -> Self {
        Self { address: address.into(), port, secure }
    }
}

/// Cancels a request of [`Server::http`]. Dropping it does nothing.
#[derive(Debug)]
pub struct Cancel(oneshot::Sender<()>);

impl Cancel {
    /// Tells the core that the client is gone. A pending poll then ends its session, as when its connection closes.
    pub fn cancel(self) {
        let _ = self.0.send(());
    }
}

impl Server {
    /// Takes over a connection that was accepted elsewhere. `head` is the HTTP request head as received, followed by
    /// any bytes that were read after it.
    ///
    /// # Errors
    /// [`ErrorCode::Adopt`] if the descriptor is no connected stream socket.
    pub fn adopt(&self, fd: OwnedFd, head: Vec<u8>) -> Result<()> {
        self.adopt_with(fd, head, None)
    }

    /// [`Server::adopt`] for a descriptor that can't tell its peer.
    ///
    /// # Errors
    /// As [`Server::adopt`].
    pub fn adopt_with(&self, fd: OwnedFd, head: Vec<u8>, info: Option<AdoptInfo>) -> Result<()> {
        self.adopt_tagged(fd, head, info, 0)
    }

    /// [`Server::adopt_with`] with a number that the core returns as [`RequestInfo::tag`].
    ///
    /// # Errors
    /// As [`Server::adopt`].
    pub fn adopt_tagged(&self, fd: OwnedFd, head: Vec<u8>, info: Option<AdoptInfo>, tag: u64) -> Result<()> {
        self.open()?;
        let fail = |e: &dyn std::fmt::Display| {
            Error::new(ErrorCode::Adopt, format!("adopt: expected a connected stream socket: {e}"))
        };
        match socket2::SockRef::from(&fd).r#type() {
            Ok(socket2::Type::STREAM) => {}
            Ok(_) => return Err(fail(&"it is no stream socket")),
            Err(e) => return Err(fail(&e)),
        }
        let stream = std::net::TcpStream::from(fd);
        // A Unix socket has no address that the TCP call could read.
        let stream = match stream.local_addr() {
            Ok(_) => {
                stream.peer_addr().map_err(|e| fail(&e))?;
                RawStream::Tcp(stream)
            }
            Err(_) => {
                let unix = std::os::unix::net::UnixStream::from(OwnedFd::from(stream));
                unix.peer_addr().map_err(|e| fail(&e))?;
                RawStream::Unix(unix)
            }
        };
        let peer =
            info.map(|i| Peer { address: i.address, port: i.port, secure: i.secure, ..Peer::default() });
        let core = self.core();
        core.shards[core.pick()].send(Command::Serve { stream, prefix: head.into(), peer, tls: false, tag });
        Ok(())
    }

    /// Answers a polling request (or a preflight) that another HTTP server received. The core calls `reply` once, on
    /// one of its threads. After [`Cancel::cancel`], which is for a client that has gone away, it does not call it.
    pub fn http(
        &self,
        request: RequestInfo,
        body: Bytes,
        reply: Box<dyn FnOnce(HttpReply) + Send>,
    ) -> Cancel {
        let (cancel, cancelled) = oneshot::channel();
        let core = self.core();
        let reply = Box::new(move |answer: crate::net::http::Answer| reply(to_reply(answer)));
        let shard = &core.shards[core.pick()];
        let hold = core.under_way.hold();
        shard.send(Command::PassedIn(Box::new(PassedIn { request, body, reply, cancelled, hold })));
        Cancel(cancel)
    }
}

fn to_reply(answer: crate::net::http::Answer) -> HttpReply {
    use http_body_util::BodyExt;
    let (parts, body) = answer.into_parts();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    // A full body is ready: collecting it never waits.
    let mut collect = std::pin::pin!(body.collect());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let body = match std::future::Future::poll(collect.as_mut(), &mut cx) {
        std::task::Poll::Ready(Ok(body)) => body.to_bytes(),
        _ => Bytes::new(),
    };
    HttpReply { status: parts.status.as_u16(), headers, body }
}
