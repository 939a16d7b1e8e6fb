//! Start of a thread: the new thread reports to its creator that it runs, or why not. A channel would do, but waiting
//! on one registers the caller as a thread of Rust's runtime, and leaves a C thread with memory to free.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

#[derive(Default)]
struct Shared {
    told: Mutex<Option<io::Result<()>>>,
    changed: Condvar,
}

/// Side of the new thread.
pub(crate) struct Tell(Arc<Shared>);

/// Side of the creator.
pub(crate) struct Started(Arc<Shared>);

/// Creates both sides.
pub(crate) fn started() -> (Tell, Started) {
    let shared = Arc::<Shared>::default();
    (Tell(shared.clone()), Started(shared))
}

impl Tell {
    /// Reports the result; only the first report counts.
    pub(crate) fn tell(&self, result: io::Result<()>) {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(result);
        self.0.changed.notify_one();
    }
}

impl Drop for Tell {
    fn drop(&mut self) {
        self.tell(Err(io::Error::other("it ended")));
    }
}

impl Started {
    /// Waits for the report.
    pub(crate) fn wait(self) -> io::Result<()> {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match told.take() {
                Some(result) => return result,
                None => told = self.0.changed.wait(told).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}
