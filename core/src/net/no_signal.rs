//! Sockets whose writes never raise SIGPIPE. A signal affects the whole process: a C host with the default action
//! would be killed when a client disconnects during a write. `write` and `writev` have no flag to prevent that;
//! `send` and `sendmsg` do.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use libc::MSG_NOSIGNAL;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// Number of system calls for socket writes that this thread has made.
pub(crate) fn calls() -> u64 {
    CALLS.get()
}

/// A socket that is registered with tokio.
pub(crate) trait Socket: AsFd {
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn try_io<T>(&self, write: impl FnOnce() -> io::Result<T>) -> io::Result<T>;
}

macro_rules! socket {
    ($type:ty) => {
        impl Socket for $type {
            fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_write_ready(cx)
            }

            fn try_io<T>(&self, write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
                self.try_io(Interest::WRITABLE, write)
            }
        }
    };
}

socket!(TcpStream);
socket!(UnixStream);

/// One attempt; [`io::ErrorKind::WouldBlock`] if the kernel's buffer is full.
pub(crate) fn try_write(socket: &impl Socket, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    socket.try_io(|| {
        CALLS.set(CALLS.get() + 1);
        let socket = SockRef::from(socket);
        match bufs {
            // Most writes are a single frame, for which `send` costs the kernel less than a vector of one.
            [buf] => socket.send_with_flags(buf, MSG_NOSIGNAL),
            bufs => socket.send_vectored_with_flags(bufs, MSG_NOSIGNAL),
        }
    })
}

/// Writes, or wakes `cx` when writing is possible again.
pub(crate) fn poll_write(
    socket: &impl Socket,
    cx: &mut Context<'_>,
    bufs: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_writable(cx))?;
        match try_write(socket, bufs) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            result => return Poll::Ready(result),
        }
    }
}

/// A socket for code that writes through [`AsyncWrite`]: TLS, HTTP, the connections to Redis.
#[derive(Debug)]
pub(crate) struct NoSignal<S>(pub S);

impl<S: AsyncRead + Unpin> AsyncRead for NoSignal<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: Socket + AsyncWrite + Unpin> AsyncWrite for NoSignal<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        poll_write(&self.0, cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        poll_write(&self.0, cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
