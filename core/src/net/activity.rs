//! What an HTTP connection is doing, and when it has done it for too long.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::net::http::Limits;
use crate::net::stream::Stream;

/// See the module's text. One thread uses it, but hyper wants streams that may be sent to another.
pub(super) struct Activity {
    start: Instant,
    /// Requests that a handler has not answered.
    in_flight: AtomicUsize,
    /// When the head that is being read began, or [`NONE`]: the first with the connection, others with their first byte.
    head: AtomicU64,
    /// The peer has not taken an answer, as far as the kernel knows.
    blocked: AtomicBool,
    /// When the peer last took bytes, or the last answer was ready.
    progress: AtomicU64,
}

/// No head is being read.
const NONE: u64 = u64::MAX;

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            in_flight: AtomicUsize::new(0),
            head: AtomicU64::new(0),
            blocked: AtomicBool::new(false),
            progress: AtomicU64::new(0),
        })
    }

    /// Milliseconds of this connection's life.
    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// The head of a request is here.
    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Relaxed);
        self.head.store(NONE, Relaxed);
    }

    /// A request has its answer.
    pub(super) fn answered(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
        self.progress.store(self.now(), Relaxed);
    }

    /// When the connection ends if nothing changes. A request under way has time-outs of its own.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let head = self.head.load(Relaxed);
        let (since, limit) = if self.blocked.load(Relaxed) {
            (self.progress.load(Relaxed), limits.keep_alive_timeout)
        } else if self.in_flight.load(Relaxed) > 0 {
            return None;
        } else if head != NONE {
            (head, limits.headers_timeout)
        } else {
            (self.progress.load(Relaxed), limits.keep_alive_timeout)
        };
        Some(self.start + Duration::from_millis(since) + limit)
    }

    fn read(&self) {
        if self.in_flight.load(Relaxed) == 0 && self.head.load(Relaxed) == NONE {
            self.head.store(self.now(), Relaxed);
        }
    }

    fn wrote<T>(&self, result: &Poll<io::Result<T>>) {
        self.blocked.store(result.is_pending(), Relaxed);
        if result.is_ready() {
            self.progress.store(self.now(), Relaxed);
        }
    }
}

/// A stream whose reads and writes are noted.
pub(crate) struct Watched {
    stream: Stream,
    activity: Arc<Activity>,
}

impl Watched {
    pub(super) fn new(stream: Stream, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    /// The stream, when HTTP is over.
    pub(crate) fn into_stream(self) -> Stream {
        self.stream
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.read();
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.activity.wrote(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.activity.wrote(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        // hyper also asks when there is nothing to write.
        self.activity.blocked.store(result.is_pending(), Relaxed);
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
