//! The state of an HTTP connection, for its timeouts.

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

/// The state of one connection. Only one thread uses it, but hyper requires streams that are `Send`.
pub(super) struct Activity {
    start: Instant,
    /// Number of requests that the handler has not answered.
    in_flight: AtomicUsize,
    /// Start of the request head that is being read, or [`NONE`]: the start of the connection for the first head, the
    /// first byte for others.
    head: AtomicU64,
    /// The kernel's send buffer is full because the peer does not read.
    blocked: AtomicBool,
    /// Time when the peer last took bytes, or when the last response was ready.
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

    /// Milliseconds since the connection started.
    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// The head of a request is complete.
    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Relaxed);
        self.head.store(NONE, Relaxed);
    }

    /// The handler has answered a request.
    pub(super) fn answered(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
        self.progress.store(self.now(), Relaxed);
    }

    /// The time when the connection ends if nothing changes. A pending request has timeouts of its own.
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

/// A stream that records its reads and writes.
pub(crate) struct Watched {
    stream: Stream,
    activity: Arc<Activity>,
}

impl Watched {
    pub(super) fn new(stream: Stream, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    /// Returns the stream when HTTP is over.
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
        // hyper also polls when there is nothing to write.
        self.activity.blocked.store(result.is_pending(), Relaxed);
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
