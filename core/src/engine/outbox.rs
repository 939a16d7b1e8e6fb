//! What waits to be written to one connection.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use smallvec::SmallVec;

use super::frame::{Form, Frame};
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

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes everything, for a polling response.
    pub(crate) fn take(&mut self) -> VecDeque<Shared> {
        self.bytes = 0;
        self.written = 0;
        std::mem::take(&mut self.queue)
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

    /// Everything unwritten as one buffer, for a connection that is being closed.
    pub(crate) fn drain_bytes(&mut self, form: Form) -> Vec<u8> {
        let written = self.written;
        let mut out = Vec::with_capacity(self.bytes);
        for (i, frame) in self.take().iter().enumerate() {
            let wire = frame.wire(form);
            out.extend_from_slice(if i == 0 { &wire[written..] } else { wire });
        }
        out
    }
}
