//! A value that may be freed while calls of other threads use it.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Top bit of `calls`: the value is freed and new calls are refused.
const FREED: usize = 1 << (usize::BITS - 1);

/// Holds a `T` until it is freed and the last call that uses it has returned. A call costs one atomic addition at its
/// start and one at its end, and never waits for another.
pub(crate) struct Guarded<T> {
    calls: AtomicUsize,
    dropped: AtomicBool,
    inner: UnsafeCell<Option<T>>,
}

// SAFETY: the value is shared between calls (`Sync`) and dropped on the thread of the last one (`Send`).
unsafe impl<T: Send + Sync> Sync for Guarded<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Guarded<T> {}

/// A call in progress; the value lives at least as long.
pub(crate) struct Guard<'a, T>(&'a Guarded<T>);

impl<T> Guarded<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            calls: AtomicUsize::new(0),
            dropped: AtomicBool::new(false),
            inner: UnsafeCell::new(Some(inner)),
        }
    }

    /// Begins a call; `None` after [`Guarded::free`].
    pub(crate) fn enter(&self) -> Option<Guard<'_, T>> {
        let before = self.calls.fetch_add(1, Ordering::Acquire);
        let call = Guard(self);
        // The drop of `Guard` decrements the count again.
        (before & FREED == 0).then_some(call)
    }

    /// Frees the value: new calls are refused, and the last call in progress drops the value. Returns false if the value
    /// was freed before.
    pub(crate) fn free(&self) -> bool {
        let before = self.calls.fetch_or(FREED, Ordering::AcqRel);
        if before & FREED != 0 {
            return false;
        }
        if before == 0 {
            self.drop_inner();
        }
        true
    }

    /// Frees the value if no call is in progress; returns whether it did.
    pub(crate) fn free_idle(&self) -> bool {
        let idle = self.calls.compare_exchange(0, FREED, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if idle {
            self.drop_inner();
        }
        idle
    }

    fn drop_inner(&self) {
        if !self.dropped.swap(true, Ordering::AcqRel) {
            // SAFETY: freed and no call under way: nobody uses the value, and `dropped` lets one thread through.
            drop(unsafe { (*self.inner.get()).take() });
        }
    }
}

impl<T> std::ops::Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: a call that was let in keeps the value: it is taken only when `calls` has come down to zero.
        unsafe { (*self.0.inner.get()).as_ref() }.expect("a call that was let in has its value")
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        if self.0.calls.fetch_sub(1, Ordering::AcqRel) == FREED | 1 {
            self.0.drop_inner();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_value_goes_with_the_last_call() {
        let value = Arc::new(());
        let guarded = Guarded::new(value.clone());
        let call = guarded.enter().unwrap();
        assert!(guarded.free());
        assert!(!guarded.free(), "the second time is noticed");
        assert!(guarded.enter().is_none());
        assert_eq!(Arc::strong_count(&*call), 2);
        drop(call);
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn threads_that_enter_while_it_is_freed_get_all_or_nothing() {
        for _ in 0..200 {
            let value = Arc::new(17u32);
            let guarded = Guarded::new(value.clone());
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        while let Some(call) = guarded.enter() {
                            assert_eq!(**call, 17);
                        }
                    });
                }
                scope.spawn(|| assert!(guarded.free()));
            });
            assert_eq!(Arc::strong_count(&value), 1);
        }
    }

    #[test]
    fn what_is_in_use_is_not_freed_idle() {
        let guarded = Guarded::new(());
        let call = guarded.enter().unwrap();
        assert!(!guarded.free_idle());
        drop(call);
        assert!(guarded.free_idle());
        assert!(guarded.enter().is_none());
    }
}
