//! What must end before the server may.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// What must end before the server may: HTTP answers and goodbyes. One count for all shards, for a request on
/// one may still ask for a session on another.
#[derive(Default)]
pub(crate) struct UnderWay {
    count: AtomicUsize,
    none: Notify,
}

impl UnderWay {
    /// One more, until what this returns is dropped.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold {
        self.count.fetch_add(1, Ordering::AcqRel);
        Hold(self.clone())
    }

    /// Until nothing is under way.
    pub(crate) async fn end(&self) {
        loop {
            let mut none = pin!(self.none.notified());
            none.as_mut().enable();
            if self.count.load(Ordering::Acquire) == 0 {
                return;
            }
            none.await;
        }
    }
}

/// See [`UnderWay::hold`].
pub(crate) struct Hold(Arc<UnderWay>);

impl Drop for Hold {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none.notify_waiters();
        }
    }
}
