//! How much of what clients and other nodes answer may be collected at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Room for the answers to all questions that are open.
#[derive(Default)]
pub(crate) struct AnswerRoom {
    bytes: AtomicUsize,
    limit: usize,
    refused: AtomicU64,
}

/// What the answers to one question take of it, until this is dropped.
pub(crate) struct Collected {
    room: Arc<AnswerRoom>,
    bytes: usize,
}

impl AnswerRoom {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, ..Self::default() })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Answers that found no room, ever.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Collected {
    pub(crate) fn new(room: &Arc<AnswerRoom>) -> Self {
        Self { room: room.clone(), bytes: 0 }
    }

    /// They are kept elsewhere, or not at all.
    pub(crate) fn clear(&mut self) {
        self.room.bytes.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }

    /// Whether an answer of so many bytes can be kept.
    pub(crate) fn add(&mut self, bytes: usize) -> bool {
        let before = self.room.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > self.room.limit {
            self.room.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.room.refused.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        true
    }
}

impl Drop for Collected {
    fn drop(&mut self) {
        self.clear();
    }
}
