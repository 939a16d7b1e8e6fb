//! The events of a server on their way to the host, and how a thread waits for them.

use std::collections::VecDeque;
use std::io::Read;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use kraken_ws_core::{Error, ErrorCode, Event, Events, Result};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells waiting threads and a host's own loop that there is something to do.
#[derive(Default)]
pub(crate) struct Wake {
    /// Counts; a thread that saw the count before it looked misses nothing.
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
            // Full means that it is readable already. Closed means that the host did that: no reason for a SIGPIPE.
            // SAFETY: the byte is there for the call.
            unsafe { libc::send(write.as_raw_fd(), [1u8].as_ptr().cast(), 1, libc::MSG_NOSIGNAL) };
        }
    }

    pub(crate) fn seen(&self) -> u64 {
        *lock(&self.count)
    }

    /// Until somebody woke after `seen`; false when the time is over before that.
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

    fn drain(&self) {
        if let Some((read, _)) = self.pipe.get() {
            let mut bytes = [0; 64];
            while matches!((&mut &*read).read(&mut bytes), Ok(n) if n > 0) {}
        }
    }
}

struct Taken {
    /// None: they are another host's.
    events: Option<Events>,
    /// Taken from the core ahead of the host, while it waits for the server to end.
    early: VecDeque<Event>,
    /// The core's last event has been taken from it.
    closed: bool,
}

impl Taken {
    fn pull(&mut self, out: &mut Vec<Event>, max: usize) -> usize {
        let n = self.events.as_mut().map_or(0, |events| events.recv_batch(out, max));
        self.closed |= out.iter().rev().take(n).any(|event| matches!(event, Event::Closed));
        n
    }
}

pub(crate) struct Inbox {
    taken: Mutex<Taken>,
    pub(crate) wake: Arc<Wake>,
}

impl Inbox {
    pub(crate) fn new(events: Option<Events>) -> Self {
        let wake = Arc::new(Wake::default());
        let shared = wake.clone();
        if let Some(events) = &events {
            events.on_wake(Box::new(move || shared.wake()));
        }
        Self { taken: Mutex::new(Taken { events, early: VecDeque::new(), closed: false }), wake }
    }

    /// Adds up to `max` events to `out`; returns how many.
    pub(crate) fn take(&self, out: &mut Vec<Event>, max: usize) -> usize {
        let mut taken = lock(&self.taken);
        // Before looking: what comes after that makes the pipe readable again.
        self.wake.drain();
        let early = taken.early.len().min(max);
        out.extend(taken.early.drain(..early));
        let n = early + if early < max { taken.pull(out, max - early) } else { 0 };
        if n == max {
            self.wake.wake(); // more may wait
        }
        n
    }

    /// Takes everything from the core and keeps it for the host; true when the server has ended.
    pub(crate) fn set_aside(&self) -> bool {
        let mut taken = lock(&self.taken);
        let mut batch = Vec::new();
        while taken.pull(&mut batch, 256) > 0 {}
        if !batch.is_empty() {
            taken.early.extend(batch);
            self.wake.wake();
        }
        taken.closed
    }

    /// The server has ended and the host has everything.
    pub(crate) fn is_over(&self) -> bool {
        let taken = lock(&self.taken);
        taken.closed && taken.early.is_empty()
    }

    /// A descriptor that is readable while events wait.
    pub(crate) fn fd(&self) -> Result<RawFd> {
        let fail = |e: std::io::Error| Error::new(ErrorCode::System, format!("event_fd: {e}"));
        if self.wake.pipe.get().is_none() {
            let (read, write) = UnixStream::pair().map_err(fail)?;
            read.set_nonblocking(true).map_err(fail)?;
            write.set_nonblocking(true).map_err(fail)?;
            let _ = self.wake.pipe.set((read, write));
            self.wake.wake(); // what waits already
        }
        Ok(self.wake.pipe.get().map_or(-1, |(read, _)| read.as_raw_fd()))
    }
}
