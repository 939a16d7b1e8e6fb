//! Panics on threads of the library, from a bug of its own or from a callback of the host. None of them ends a thread
//! or a task silently: each is counted ([`Stats::panics`](crate::Stats::panics)) and logged.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

/// Payload of a panic.
pub(crate) type Panic = Box<dyn Any + Send>;

/// Count of panics of one server.
#[derive(Default)]
pub(crate) struct Panics(AtomicU64);

/// Payload of an unwind that continues after its panic has been counted.
struct SeenTo;

/// Unwinds this thread up to the next `catch_unwind`; [`Panics::note`] does not count this unwind.
pub(crate) fn unwind() -> ! {
    resume_unwind(Box::new(SeenTo))
}

/// The result of a future, or its panic.
pub(crate) async fn caught<F: Future>(mut future: Pin<&mut F>) -> Result<F::Output, Panic> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => std::task::Poll::Ready(Err(panic)),
    })
    .await
}

impl Panics {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts a panic and logs it.
    pub(crate) fn note(&self, whose: &str, panic: Panic) {
        if panic.is::<SeenTo>() {
            return;
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
        // The log subscriber is the host's, and may itself be the code that panics.
        let logged =
            catch_unwind(|| tracing::error!(thread = whose, panic = text, "a bug in kraken_ws was caught"));
        // Dropping a payload may panic again, and nothing above this function catches that.
        std::mem::forget((panic, logged));
    }

    /// Runs `act`; `None` if it panicked, which is counted and logged.
    pub(crate) fn catch<T>(&self, whose: &str, act: impl FnOnce() -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(act)).map_err(|panic| self.note(whose, panic)).ok()
    }

    /// [`Panics::catch`] for a future.
    pub(crate) async fn catch_in<F: Future>(&self, whose: &str, future: Pin<&mut F>) -> Option<F::Output> {
        caught(future).await.map_err(|panic| self.note(whose, panic)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_counts_once_on_its_way() {
        let panics = Panics::default();
        let inner = || panics.catch("here", || panic!("deliberate")).unwrap_or_else(|| unwind());
        assert!(panics.catch("above", inner).is_none());
        assert_eq!(panics.get(), 1);
        assert_eq!(panics.catch("here", || 7), Some(7));
        assert_eq!(panics.get(), 1);
    }
}
