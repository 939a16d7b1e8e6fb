//! What waits to be written to one connection.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use smallvec::SmallVec;

use crate::engine::budget::Outboxes;
use crate::engine::frame::{Form, Frame};
use crate::net::stream::WriteHalf;

/// A frame within one shard: cloning it for a recipient touches no cache line of another shard.
pub(crate) type Shared = Rc<Arc<Frame>>;

/// Frames per `writev`. The kernel takes up to 1024; past some hundred the copy dominates the call.
const BATCH: usize = 256;

/// Frames that an empty queue keeps room for: 32 bytes.
const KEEP: usize = 4;

/// Queue of shared frames with its weight.
#[derive(Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Shared>,
    bytes: usize,
    /// How much of the first frame is written already.
    written: usize,
}

/// How a flush ended.
pub(crate) enum Flushed {
    /// Nothing is left.
    All,
    /// The kernel's buffer is full.
    Blocked,
}

impl Outbox {
    pub(crate) fn push(&mut self, frame: Shared) {
        self.bytes += frame.len();
        self.queue.push_back(frame);
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that wait, with what keeping them takes: many small frames are not small.
    pub(crate) fn weight(&self) -> usize {
        const FLAT: usize = 64;
        self.bytes + self.queue.len() * FLAT
    }

    /// Bytes of frames that are not written to their end, less what of the first is.
    pub(crate) fn left(&self) -> usize {
        self.bytes.saturating_sub(self.written)
    }

    /// The newest frame, or `all` of them, have to wait.
    pub(crate) fn charge(&self, outboxes: &Outboxes, all: bool) {
        let skip = if all { 0 } else { self.queue.len().saturating_sub(1) };
        self.queue.iter().skip(skip).for_each(|frame| frame.wait(outboxes));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes everything, for a polling response.
    pub(crate) fn take(&mut self) -> VecDeque<Shared> {
        self.bytes = 0;
        self.written = 0;
        std::mem::take(&mut self.queue)
    }

    /// Takes the first frames, of `limit` bytes or a little more, for a polling response.
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

    /// Writes until empty or blocked. With `cx` the connection is woken when it can go on.
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
                    // A short write means a full buffer: asking again would only cost a call.
                    if n < offered && cx.is_none() {
                        return Ok(Flushed::Blocked);
                    }
                }
            }
        }
        // An idle connection holds no buffer, but for the room of a few frames: with none at all every
        // delivery to an idle client would allocate (206 allocations for 200 recipients, measured).
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
