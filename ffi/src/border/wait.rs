//! Waiting of host threads: for a wake-up, for a future, for a thread of the library.

use std::future::Future;
use std::io::Read;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use kraken_ws_core::{Error, ErrorCode, Result};

/// Locks a mutex and ignores its poison: panics are caught at the border, which reports them.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes waiting threads and the host's event loop.
#[derive(Default)]
pub(crate) struct Wake {
    /// Number of wake-ups. A thread reads it before it looks for work, so that it sees a wake-up that comes in between.
    count: Mutex<u64>,
    changed: Condvar,
    /// Readable while events wait: the read end is the host's, by `kraken_ws_server_event_fd`.
    pipe: OnceLock<(UnixStream, UnixStream)>,
}

impl Wake {
    pub(crate) fn wake(&self) {
        *lock(&self.count) += 1;
        self.changed.notify_all();
        if let Some((_, write)) = self.pipe.get() {
            // A full pipe is readable already. If the host closed it, MSG_NOSIGNAL keeps the SIGPIPE away.
            // SAFETY: the byte is there for the call.
            unsafe { libc::send(write.as_raw_fd(), [1u8].as_ptr().cast(), 1, libc::MSG_NOSIGNAL) };
        }
    }

    pub(crate) fn seen(&self) -> u64 {
        *lock(&self.count)
    }

    /// Waits for a wake-up after `seen`; false when `until` comes first.
    pub(crate) fn wait(&self, seen: u64, until: Option<Instant>) -> bool {
        let mut count = lock(&self.count);
        while *count == seen {
            let Some(until) = until else {
                count = self.changed.wait(count).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            count = self.changed.wait_timeout(count, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Empties the pipe, which is then not readable until the next wake-up.
    pub(crate) fn drain(&self) {
        if let Some((read, _)) = self.pipe.get() {
            let mut bytes = [0; 64];
            while matches!((&mut &*read).read(&mut bytes), Ok(n) if n > 0) {}
        }
    }

    /// A descriptor that is readable while events wait.
    pub(crate) fn fd(&self) -> Result<RawFd> {
        let fail = |e: std::io::Error| Error::new(ErrorCode::System, format!("event_fd: {e}"));
        if self.pipe.get().is_none() {
            let (read, write) = UnixStream::pair().map_err(fail)?;
            read.set_nonblocking(true).map_err(fail)?;
            write.set_nonblocking(true).map_err(fail)?;
            let _ = self.pipe.set((read, write));
            self.wake(); // for events that wait already
        }
        Ok(self.pipe.get().map_or(-1, |(read, _)| read.as_raw_fd()))
    }
}

impl std::task::Wake for Wake {
    fn wake(self: Arc<Self>) {
        Wake::wake(&self);
    }
}

/// Waits for a future of the core on this thread, which needs no runtime.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let wake = Arc::new(Wake::default());
    let waker = Waker::from(wake.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        let seen = wake.seen();
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => {
                wake.wait(seen, None);
            }
        }
    }
}

/// Runs `act` on a thread of its own and waits for it. What waits by the means of Rust's standard library, such as a
/// channel, keeps a thread handle until its thread ends: for the host's main thread that is for ever.
pub(crate) fn on_own_thread<T: Send + 'static>(
    act: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let system = |e| Error::new(ErrorCode::System, format!("a thread could not start: {e}"));
    let thread = std::thread::Builder::new().name("kraken-join".into()).spawn(act).map_err(system)?;
    thread.join().unwrap_or_else(|_| Err(Error::new(ErrorCode::Internal, "a bug in kraken_ws was caught")))
}
