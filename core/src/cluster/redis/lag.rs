//! How much the node has not done with: Redis is not read from beyond a limit, so a flood stays in Redis, whose output
//! buffer limit then closes the connection; it is made anew when the node has caught up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// What a message takes beside its bytes.
const MESSAGE_BYTES: usize = 160;

/// See the module.
#[derive(Debug)]
pub(crate) struct Lag {
    bytes: AtomicUsize,
    limit: usize,
    /// It fell below half of the limit.
    freed: Notify,
}

/// Part of the bus's allowance for messages that the node has not done with. Redis is not read from while
/// `queueBytes` of them are held; dropping this gives the bytes back. Keep it as long as the message waits.
#[derive(Debug, Default)]
pub(crate) struct Held {
    lag: Option<Arc<Lag>>,
    bytes: usize,
}

impl Lag {
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), limit, freed: Notify::new() })
    }

    pub fn hold(self: &Arc<Self>, length: usize) -> Held {
        let bytes = length + MESSAGE_BYTES;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Held { lag: Some(self.clone()), bytes }
    }

    pub fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) >= self.limit
    }

    /// Until half of it is free.
    pub async fn freed(&self) {
        loop {
            // Made before the look, so that nothing is missed in between.
            let freed = self.freed.notified();
            if self.bytes.load(Ordering::Relaxed) <= self.limit / 2 {
                return;
            }
            freed.await;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(lag) = &self.lag else { return };
        let before = lag.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        let half = lag.limit / 2;
        if before > half && before - self.bytes <= half {
            lag.freed.notify_waiters();
        }
    }
}
