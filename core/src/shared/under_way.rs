//! Work that must finish before the server ends.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Count of the work that must finish before the server ends: HTTP responses and last packets of connections. All
/// shards share one count, because a request on one shard may still ask for a session on another.
#[derive(Default)]
pub(crate) struct UnderWay {
    count: AtomicUsize,
    none: Notify,
}

impl UnderWay {
    /// Adds one to the count, until the returned hold is dropped.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold {
        self.count.fetch_add(1, Ordering::AcqRel);
        Hold(self.clone())
    }

    /// Waits until the count is zero.
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
