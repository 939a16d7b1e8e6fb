//! The queue of events to the host: a shard pushes once per turn, the host takes batches.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::Notify;

use crate::shared::event::Event;
use crate::shared::panics::Panics;

type Wake = Box<dyn Fn() + Send + Sync>;

/// What one shard and the host share about events under way.
#[derive(Default)]
struct ShardProgress {
    /// Count of the shard's events that the host has taken.
    taken: AtomicU64,
    /// The shard has connections that wait for the host to catch up.
    paused: AtomicBool,
}

/// Sending side, shared by the shards.
pub(crate) struct HostQueue {
    events: Mutex<VecDeque<(u8, Event)>>,
    bytes: AtomicUsize,
    limit: usize,
    /// Notifies the tasks that wait for room in the queue.
    room: Notify,
    progress: Vec<ShardProgress>,
    notify: Notify,
    wake: OnceLock<Wake>,
    /// The host's wake callback panicked; the next push calls it again.
    unwoken: AtomicBool,
    /// Panics on all threads of the server.
    pub(crate) panics: Arc<Panics>,
    resume: OnceLock<Box<dyn Fn(usize) + Send + Sync>>,
}

impl HostQueue {
    pub(crate) fn new(shards: usize, limit: usize) -> Arc<Self> {
        Arc::new(Self {
            events: Mutex::default(),
            bytes: AtomicUsize::new(0),
            limit,
            room: Notify::new(),
            progress: (0..shards).map(|_| ShardProgress::default()).collect(),
            notify: Notify::new(),
            wake: OnceLock::new(),
            unwoken: AtomicBool::new(false),
            panics: Arc::default(),
            resume: OnceLock::new(),
        })
    }

    /// Sets the callback that tells a shard to resume its paused connections.
    pub(crate) fn on_resume(&self, resume: Box<dyn Fn(usize) + Send + Sync>) {
        let _ = self.resume.set(resume);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(u8, Event)>> {
        self.events.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Adds the events of one turn of a shard.
    pub(crate) fn push(&self, shard: usize, batch: &mut Vec<Event>) {
        if batch.is_empty() {
            return;
        }
        let weight: usize = batch.iter().map(Event::weight).sum();
        self.bytes.fetch_add(weight, Ordering::Relaxed);
        let was_empty = {
            let mut events = self.lock();
            let was_empty = events.is_empty();
            events.extend(batch.drain(..).map(|e| (shard as u8, e)));
            was_empty
        };
        if was_empty || self.unwoken.swap(false, Ordering::AcqRel) {
            self.notify.notify_one();
            if let Some(wake) = self.wake.get()
                && self.panics.catch("the host's on_wake", wake).is_none()
            {
                // The next push tries again.
                self.unwoken.store(true, Ordering::Release);
            }
        }
    }

    /// Bytes that wait for the host.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the queue exceeds `hostQueueBytes`, with `extra` bytes that are not pushed yet.
    pub(crate) fn is_full_with(&self, extra: usize) -> bool {
        self.bytes() + extra > self.limit
    }

    /// Whether the queue exceeds `hostQueueBytes`: the host is stuck, or slower than its clients.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full_with(0)
    }

    /// Waits until the queue has room.
    pub(crate) async fn room(&self) {
        while self.is_full() {
            let mut room = pin!(self.room.notified());
            room.as_mut().enable();
            fence(Ordering::SeqCst);
            if self.is_full() {
                room.await;
            }
        }
    }

    /// How many events of the shard the host has taken.
    pub(crate) fn taken(&self, shard: usize) -> u64 {
        self.progress[shard].taken.load(Ordering::SeqCst)
    }

    /// Marks that the shard has paused connections: it is told when the queue has room again.
    pub(crate) fn set_paused(&self, shard: usize) {
        self.progress[shard].paused.store(true, Ordering::SeqCst);
    }

    fn take(&self, out: &mut Vec<Event>, max: usize) -> usize {
        let mut weight = 0;
        let mut counts = [0u64; 65];
        let n = {
            let mut events = self.lock();
            let n = events.len().min(max);
            out.reserve(n);
            for (shard, event) in events.drain(..n) {
                weight += event.weight();
                counts[shard as usize] += 1;
                out.push(event);
            }
            if events.is_empty() && events.capacity() > 4096 {
                *events = VecDeque::new();
            }
            n
        };
        if n == 0 {
            return 0;
        }
        self.bytes.fetch_sub(weight, Ordering::Relaxed);
        // Pairs with the fence of a waiter, which registers and then checks the queue again: either the waiter sees
        // the room, or this thread sees the waiter.
        fence(Ordering::SeqCst);
        if self.bytes() <= self.limit / 2 {
            self.room.notify_waiters();
        }
        for (shard, progress) in self.progress.iter().enumerate() {
            if counts[shard] > 0 {
                progress.taken.fetch_add(counts[shard], Ordering::SeqCst);
            }
            let low = self.bytes() <= self.limit / 2;
            if low
                && progress.paused.swap(false, Ordering::SeqCst)
                && let Some(resume) = self.resume.get()
            {
                resume(shard);
            }
        }
        n
    }
}

/// Receiving side: one per server, held by the host.
pub struct Events(pub(crate) Arc<HostQueue>);

impl Events {
    /// Calls `wake`, on a core thread, whenever the queue turns from empty to non-empty. It must not block. A
    /// callback that panics is called again with the next events.
    pub fn on_wake(&self, wake: Box<dyn Fn() + Send + Sync>) {
        let _ = self.0.wake.set(wake);
        if !self.0.lock().is_empty()
            && let Some(wake) = self.0.wake.get()
        {
            wake();
        }
    }

    /// Moves up to `max` events into `out` without waiting; returns their number. After a return of 0 the next event
    /// wakes the host again.
    pub fn recv_batch(&mut self, out: &mut Vec<Event>, max: usize) -> usize {
        self.0.take(out, max)
    }

    /// Waits for the next batch of up to `max` events.
    pub async fn recv_many(&mut self, out: &mut Vec<Event>, max: usize) -> usize {
        loop {
            let notified = self.0.notify.notified();
            let n = self.0.take(out, max);
            if n > 0 {
                return n;
            }
            notified.await;
        }
    }

    /// Bytes of the events in the queue.
    pub fn pending_bytes(&self) -> usize {
        self.0.bytes()
    }
}
