//! One type for all byte streams that a connection can run on, and its two halves.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};

use crate::net::no_signal::{self, NoSignal};
use crate::net::tls::TlsStream;

/// A socket on its way to a shard, not registered with any runtime.
#[derive(Debug)]
pub(crate) enum RawStream {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
    /// An established TLS session, and the socket below it.
    Tls(Box<Tls>, std::net::TcpStream),
}

/// A TLS session. Its socket is taken out while the session moves to another shard.
type Tls = TlsStream<Below>;

/// The socket below a TLS session.
#[derive(Debug)]
pub(crate) struct Below(Option<NoSignal<TcpStream>>);

/// A stream registered with the runtime of this thread. `prefix` holds bytes that were already read from the socket,
/// such as the head of an adopted request; they are read first.
pub(crate) struct Stream {
    prefix: Bytes,
    kind: StreamKind,
}

enum StreamKind {
    Tcp(NoSignal<TcpStream>),
    Unix(NoSignal<UnixStream>),
    Tls(Box<Tls>),
}

/// The peer of a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer {
    pub address: String,
    pub port: u16,
    pub secure: bool,
    /// Another server has already read the head of the request.
    pub introduced: bool,
    /// See `RequestInfo::tag`.
    pub tag: u64,
}

impl Peer {
    pub(crate) fn of(addr: io::Result<SocketAddr>) -> Self {
        addr.map_or_else(
            |_| Self::default(),
            |a| Self { address: a.ip().to_string(), port: a.port(), ..Self::default() },
        )
    }
}

impl RawStream {
    /// Registers the socket with the current runtime.
    pub(crate) fn register(self, prefix: Bytes) -> io::Result<(Stream, Peer)> {
        Ok(match self {
            RawStream::Tcp(tcp) => {
                tcp.set_nonblocking(true)?;
                // Packets are written as whole messages; Nagle's algorithm would only delay them.
                tcp.set_nodelay(true)?;
                let peer = Peer::of(tcp.peer_addr());
                (Stream { prefix, kind: StreamKind::Tcp(NoSignal(TcpStream::from_std(tcp)?)) }, peer)
            }
            RawStream::Unix(unix) => {
                unix.set_nonblocking(true)?;
                (
                    Stream { prefix, kind: StreamKind::Unix(NoSignal(UnixStream::from_std(unix)?)) },
                    Peer::default(),
                )
            }
            RawStream::Tls(mut tls, tcp) => {
                let peer = Peer::of(tcp.peer_addr());
                tls.get_mut().0.0 = Some(NoSignal(TcpStream::from_std(tcp)?));
                (Stream { prefix, kind: StreamKind::Tls(tls) }, peer)
            }
        })
    }
}

impl Stream {
    pub(crate) fn from_tls(tls: Tls) -> Self {
        Self { prefix: Bytes::new(), kind: StreamKind::Tls(Box::new(tls)) }
    }

    /// The plain TCP socket, for a TLS handshake; any other stream is returned unchanged.
    pub(crate) fn into_tcp(self) -> Result<Below, Self> {
        match self.kind {
            StreamKind::Tcp(tcp) if self.prefix.is_empty() => Ok(Below(Some(tcp))),
            kind => Err(Self { prefix: self.prefix, kind }),
        }
    }

    /// Deregisters the socket from this runtime so that another shard can register it. Also returns bytes that are
    /// read but not consumed.
    pub(crate) fn into_raw(self) -> io::Result<(RawStream, Bytes)> {
        let raw = match self.kind {
            StreamKind::Tcp(tcp) => RawStream::Tcp(tcp.0.into_std()?),
            StreamKind::Unix(unix) => RawStream::Unix(unix.0.into_std()?),
            StreamKind::Tls(mut tls) => {
                let tcp = tls.get_mut().0.0.take().ok_or(io::ErrorKind::NotConnected)?;
                RawStream::Tls(tls, tcp.0.into_std()?)
            }
        };
        Ok((raw, self.prefix))
    }

    /// Splits into halves; unread prefix bytes are returned first.
    pub(crate) fn split(self) -> (Bytes, ReadHalf, WriteHalf) {
        let (r, w) = match self.kind {
            StreamKind::Tcp(tcp) => {
                let (r, w) = tcp.0.into_split();
                (ReadHalf::Tcp(r), WriteHalf::Tcp(w))
            }
            StreamKind::Unix(unix) => {
                let (r, w) = unix.0.into_split();
                (ReadHalf::Unix(r), WriteHalf::Unix(w))
            }
            StreamKind::Tls(tls) => {
                let tls = Rc::new(RefCell::new(tls));
                (ReadHalf::Tls(tls.clone()), WriteHalf::Tls(tls))
            }
        };
        (self.prefix, r, w)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.has_remaining() {
            let n = self.prefix.len().min(buf.remaining());
            buf.put_slice(&self.prefix.split_to(n));
            return Poll::Ready(Ok(()));
        }
        match &mut self.kind {
            StreamKind::Tcp(s) => Pin::new(s).poll_read(cx, buf),
            StreamKind::Unix(s) => Pin::new(s).poll_read(cx, buf),
            StreamKind::Tls(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

/// Forwards an `AsyncWrite` method to the variant.
macro_rules! each {
    ($self:expr, $kind:ident, $s:ident => $call:expr) => {
        match $self {
            $kind::Tcp($s) => $call,
            $kind::Unix($s) => $call,
            $kind::Tls($s) => $call,
        }
    };
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(&mut self.kind, StreamKind, s => Pin::new(s).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(&mut self.kind, StreamKind, s => Pin::new(s).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        each!(&self.kind, StreamKind, s => s.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut self.kind, StreamKind, s => Pin::new(s).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut self.kind, StreamKind, s => Pin::new(s).poll_shutdown(cx))
    }
}

/// Shared by both halves of a TLS stream. They live on one thread, and neither keeps it borrowed across an await.
type SharedTls = Rc<RefCell<Box<Tls>>>;

impl Below {
    fn tcp(self: Pin<&mut Self>) -> io::Result<Pin<&mut NoSignal<TcpStream>>> {
        self.get_mut().0.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl AsyncRead for Below {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.tcp()?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Below {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.tcp()?.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.tcp()?.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp()?.poll_shutdown(cx)
    }
}

/// The reading half; owned by the reader task of its connection.
pub(crate) enum ReadHalf {
    Tcp(tcp::OwnedReadHalf),
    Unix(unix::OwnedReadHalf),
    Tls(SharedTls),
}

impl ReadHalf {
    /// Reads into `buf`; 0 is end of stream.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        ready!(match self {
            ReadHalf::Tcp(s) => Pin::new(s).poll_read(cx, &mut buf),
            ReadHalf::Unix(s) => Pin::new(s).poll_read(cx, &mut buf),
            ReadHalf::Tls(s) => Pin::new(&mut *s.borrow_mut()).poll_read(cx, &mut buf),
        })?;
        Poll::Ready(Ok(buf.filled().len()))
    }
}

/// The writing half; owned by the connection.
pub(crate) enum WriteHalf {
    Tcp(tcp::OwnedWriteHalf),
    Unix(unix::OwnedWriteHalf),
    Tls(SharedTls),
}

impl WriteHalf {
    /// One attempt without waiting; `Poll::Pending` means that the kernel's buffer is full.
    pub(crate) fn try_write(&mut self, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let result = match self {
            WriteHalf::Tcp(s) => no_signal::try_write(s.as_ref(), bufs),
            WriteHalf::Unix(s) => no_signal::try_write(s.as_ref(), bufs),
            WriteHalf::Tls(_) => return self.poll_write(&mut Context::from_waker(Waker::noop()), bufs),
        };
        match result {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            other => Poll::Ready(other),
        }
    }

    /// Writes, or wakes `cx` when writing is possible again.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            WriteHalf::Tcp(s) => no_signal::poll_write((*s).as_ref(), cx, bufs),
            WriteHalf::Unix(s) => no_signal::poll_write((*s).as_ref(), cx, bufs),
            WriteHalf::Tls(s) => {
                // rustls copies into records of its own; what it accepted must be flushed too.
                let mut s = s.borrow_mut();
                let n = ready!(Pin::new(&mut *s).poll_write_vectored(cx, bufs))?;
                let _ = Pin::new(&mut *s).poll_flush(cx)?;
                Poll::Ready(Ok(n))
            }
        }
    }

    /// Writes the buffered TLS records, as far as the kernel takes them.
    pub(crate) fn try_flush(&mut self) -> Poll<io::Result<()>> {
        match self {
            WriteHalf::Tcp(_) | WriteHalf::Unix(_) => Poll::Ready(Ok(())),
            WriteHalf::Tls(_) => self.poll_flush(&mut Context::from_waker(Waker::noop())),
        }
    }

    /// [`WriteHalf::try_flush`], or wakes `cx` when it can go on.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            WriteHalf::Tcp(s) => Pin::new(s).poll_flush(cx),
            WriteHalf::Unix(s) => Pin::new(s).poll_flush(cx),
            WriteHalf::Tls(s) => Pin::new(&mut *s.borrow_mut()).poll_flush(cx),
        }
    }

    /// Shuts down the sending direction.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            WriteHalf::Tcp(s) => Pin::new(s).poll_shutdown(cx),
            WriteHalf::Unix(s) => Pin::new(s).poll_shutdown(cx),
            WriteHalf::Tls(s) => Pin::new(&mut *s.borrow_mut()).poll_shutdown(cx),
        }
    }

    /// Turns the coming close into a reset, so that the kernel drops unsent bytes.
    pub(crate) fn reset_on_close(&self) {
        let _ = match self {
            WriteHalf::Tcp(s) => s.as_ref().set_zero_linger(),
            WriteHalf::Unix(_) => Ok(()),
            WriteHalf::Tls(s) => {
                s.borrow().get_ref().0.0.as_ref().map_or(Ok(()), |tcp| tcp.0.set_zero_linger())
            }
        };
    }
}
