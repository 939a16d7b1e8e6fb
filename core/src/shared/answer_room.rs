//! Memory limit for the answers of clients and other nodes that are being collected (`maxAnswerBytes`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Bytes of the answers to all open questions, and their limit.
#[derive(Default)]
pub(crate) struct AnswerRoom {
    bytes: AtomicUsize,
    limit: usize,
    refused: AtomicU64,
}

/// Share of one question in an [`AnswerRoom`]; dropping it gives the bytes back.
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

    /// Count of answers that the limit has refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Collected {
    pub(crate) fn new(room: &Arc<AnswerRoom>) -> Self {
        Self { room: room.clone(), bytes: 0 }
    }

    /// Gives the bytes back: the answers are counted elsewhere from here on, or dropped.
    pub(crate) fn clear(&mut self) {
        self.room.bytes.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }

    /// Adds an answer of `bytes`; false, and counted as refused, if it exceeds the limit.
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
