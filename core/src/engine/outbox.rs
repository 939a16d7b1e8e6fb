//! The outgoing queue of one connection.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use smallvec::SmallVec;

use crate::engine::budget::Outboxes;
use crate::engine::frame::{Form, Frame};
use crate::net::stream::WriteHalf;

/// A frame within one shard. The `Rc` avoids writes to a reference count that other shards share.
pub(crate) type Shared = Rc<Arc<Frame>>;

/// Frames per `writev`. The kernel takes up to 1024; above a few hundred, copying dominates the cost of the call.
const BATCH: usize = 256;

/// Capacity in frames that an empty queue keeps: 32 bytes.
const KEEP: usize = 4;

/// The frames of an outbox that wait for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// The newest; the earlier ones are counted already.
    Newest,
    All,
}

/// A queue of shared frames.
#[derive(Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Shared>,
    bytes: usize,
    /// Bytes of the first frame that are already written.
    written: usize,
}

/// The result of a flush.
pub(crate) enum Flushed {
    /// The queue is empty.
    All,
    /// The kernel's buffer is full.
    Blocked,
}

impl Outbox {
    pub(crate) fn push(&mut self, frame: Shared) {
        self.bytes += frame.len();
        self.queue.push_back(frame);
    }

    /// Bytes of the queued frames.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of the queued frames plus the overhead of each, so that many small frames count.
    pub(crate) fn weight(&self) -> usize {
        const FLAT: usize = 64;
        self.bytes + self.queue.len() * FLAT
    }

    /// Bytes that are still to be written.
    pub(crate) fn left(&self) -> usize {
        self.bytes.saturating_sub(self.written)
    }

    /// Counts the frames that wait against the total budget.
    pub(crate) fn charge(&self, outboxes: &Outboxes, waiting: Waiting) {
        let skip = match waiting {
            Waiting::All => 0,
            Waiting::Newest => self.queue.len().saturating_sub(1),
        };
        self.queue.iter().skip(skip).for_each(|frame| frame.wait(outboxes));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes all frames, for a polling response.
    pub(crate) fn take(&mut self) -> VecDeque<Shared> {
        self.bytes = 0;
        self.written = 0;
        std::mem::take(&mut self.queue)
    }

    /// Takes the first frames, up to the one that exceeds `limit` bytes, for a polling response.
    pub(crate) fn take_some(&mut self, limit: usize) -> Vec<Shared> {
        if self.bytes <= limit {
            return self.take().into();
        }
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < limit
            && let Some(frame) = self.queue.pop_front()
        {
            bytes += frame.len();
            taken.push(frame);
        }
        self.bytes -= bytes;
        taken
    }

    /// Writes until the queue is empty or the kernel's buffer is full. With `cx`, the task is woken when writing is
    /// possible again.
    pub(crate) fn flush(
        &mut self,
        write: &mut WriteHalf,
        form: Form,
        mut cx: Option<&mut Context<'_>>,
    ) -> io::Result<Flushed> {
        while !self.queue.is_empty() {
            let mut slices: SmallVec<[IoSlice<'_>; BATCH]> = SmallVec::new();
            let mut offered = 0;
            for (i, frame) in self.queue.iter().take(BATCH).enumerate() {
                let wire = frame.wire(form);
                let wire = if i == 0 { &wire[self.written..] } else { wire };
                offered += wire.len();
                slices.push(IoSlice::new(wire));
            }
            let poll = match cx.as_deref_mut() {
                Some(cx) => write.poll_write(cx, &slices),
                None => write.try_write(&slices),
            };
            drop(slices);
            match poll {
                Poll::Pending => return Ok(Flushed::Blocked),
                Poll::Ready(Err(e)) => return Err(e),
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(n)) => {
                    self.advance(n, form);
                    // A short write means that the kernel's buffer is full; another call would be wasted.
                    if n < offered && cx.is_none() {
                        return Ok(Flushed::Blocked);
                    }
                }
            }
        }
        // An idle connection keeps only a small queue. Keeping none would cost an allocation per delivery to an idle
        // client (measured: 206 allocations for 200 recipients).
        if self.queue.capacity() > KEEP {
            self.queue = VecDeque::new();
        }
        Ok(Flushed::All)
    }

    fn advance(&mut self, mut n: usize, form: Form) {
        while let Some(front) = self.queue.front() {
            let left = front.wire(form).len() - self.written;
            if n < left {
                self.written += n;
                return;
            }
            n -= left;
            self.written = 0;
            self.bytes -= front.len();
            self.queue.pop_front();
        }
    }
}
