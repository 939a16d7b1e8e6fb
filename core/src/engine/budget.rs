//! The total budget of queued bytes: one for all clients of all shards.
//!
//! A message counts once, however many clients it is queued for, because it is stored once. It is counted when the
//! first client can't take it at once, so a message that is written immediately never touches the budget.

use std::fs::read_to_string;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The default budget is this fraction of memory: a quarter.
const SHARE: usize = 4;

/// The budget and its use.
pub(crate) struct Outboxes {
    bytes: Arc<AtomicUsize>,
    limit: usize,
    /// Number of shards that have not finished the current relief.
    relieving: AtomicUsize,
}

/// Bytes counted against the budget until this is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    all: Arc<AtomicUsize>,
    bytes: usize,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Outboxes {
    /// `limit` in bytes; 0 for a fraction of memory.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = if limit == 0 { memory() / SHARE } else { limit };
        Self { bytes: Arc::default(), limit, relieving: AtomicUsize::new(0) }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn charge(&self, bytes: usize) -> Charge {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Charge { all: self.bytes.clone(), bytes }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.bytes() > self.limit
    }

    /// Whether relief has to go on. It ends an eighth below the limit, so that it does not restart with each message.
    pub(crate) fn is_tight(&self) -> bool {
        self.bytes() > self.limit - self.limit / 8
    }

    /// Starts a relief; false if one is already in progress. The caller then asks all shards to free bytes.
    pub(crate) fn begin_relief(&self, shards: usize) -> bool {
        self.relieving.compare_exchange(0, shards, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// One shard has finished its part of the relief.
    pub(crate) fn relieved(&self) {
        self.relieving.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Memory available to this process: that of the machine, or the limit of the container.
fn memory() -> usize {
    const UNKNOWN: usize = 4 << 30;
    let number = |path: &str| read_to_string(path).ok()?.trim().parse::<usize>().ok();
    let machine = || {
        let text = read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.split_whitespace().next()?.parse::<usize>().ok().map(|kib| kib * 1024)
    };
    let container = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .into_iter()
        .filter_map(number);
    container.chain(machine()).min().unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_counts_until_it_is_gone() {
        let outboxes = Outboxes::new(100);
        let first = outboxes.charge(60);
        assert!(!outboxes.is_over());
        let second = outboxes.charge(60);
        assert!(outboxes.is_over());
        assert!(outboxes.begin_relief(2) && !outboxes.begin_relief(2));
        drop(second);
        assert!(!outboxes.is_tight());
        outboxes.relieved();
        assert!(!outboxes.begin_relief(2));
        outboxes.relieved();
        assert!(outboxes.begin_relief(2));
        drop(first);
        assert_eq!(outboxes.bytes(), 0);
        assert!(Outboxes::new(0).limit >= 1 << 20);
    }
}
