//! How a thread tells who starts it that it runs, or why not. A channel would do, but waiting on one makes the caller's
//! thread a thread of Rust's, and leaves a C thread with something to free.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

#[derive(Default)]
struct Shared {
    told: Mutex<Option<io::Result<()>>>,
    changed: Condvar,
}

/// The thread's end.
pub(crate) struct Tell(Arc<Shared>);

/// The end of who waits.
pub(crate) struct Started(Arc<Shared>);

/// Both ends.
pub(crate) fn started() -> (Tell, Started) {
    let shared = Arc::<Shared>::default();
    (Tell(shared.clone()), Started(shared))
}

impl Tell {
    /// The first word counts.
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
    /// Waits for the word.
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
