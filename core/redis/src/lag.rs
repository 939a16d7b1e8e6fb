//! Limits the received bytes that the node has not processed. Beyond the limit Redis is not read, so a flood stays in
//! Redis until its output buffer limit closes the connection. The bus reconnects once the node has caught up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Approximate size of a queued message without its payload.
const MESSAGE_BYTES: usize = 160;

/// The bytes of unprocessed messages, and their limit.
#[derive(Debug)]
pub(crate) struct Lag {
    bytes: AtomicUsize,
    limit: usize,
    /// Notified when `bytes` falls to half of the limit.
    freed: Notify,
}

/// The share of one message in the bytes that the node has not processed. While `queue_bytes` are held, Redis is not read; dropping this releases the
/// bytes. It must live as long as the message is queued.
#[derive(Debug, Default)]
pub struct HeldBytes {
    lag: Option<Arc<Lag>>,
    bytes: usize,
}

impl Lag {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), limit, freed: Notify::new() })
    }

    pub(crate) fn hold(self: &Arc<Self>, length: usize) -> HeldBytes {
        let bytes = length + MESSAGE_BYTES;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        HeldBytes { lag: Some(self.clone()), bytes }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) >= self.limit
    }

    /// Waits until at most half of the limit is held.
    pub(crate) async fn freed(&self) {
        loop {
            // Register before the check, so that a notification in between is not missed.
            let freed = self.freed.notified();
            if self.bytes.load(Ordering::Relaxed) <= self.limit / 2 {
                return;
            }
            freed.await;
        }
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        let Some(lag) = &self.lag else { return };
        let before = lag.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        let half = lag.limit / 2;
        if before > half && before - self.bytes <= half {
            lag.freed.notify_waiters();
        }
    }
}
