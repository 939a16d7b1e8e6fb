//! Packets on their way out: into the outbox of a connection, and from there to the kernel.

use std::task::{Context, Poll};

use crate::engine::outbox::{Flushed, Shared, Waiting};
use crate::engine::transport::Transport;
use crate::shard::conn::slow::Slow;
use crate::shard::state::State;
use crate::types::ids::{ConnKey, ConnSlot};
use crate::types::reason::Reason;

/// The result of [`State::push_checked`].
pub(in crate::shard) enum Pushed {
    Queued,
    /// The outbox is over its limit.
    TooMuch,
    /// Writing failed and the connection is closed.
    Gone,
}

impl State {
    /// Queues a frame; the connection is flushed at the end of the turn.
    pub(in crate::shard) fn push(&mut self, slot: ConnSlot, frame: Shared) {
        if let Pushed::TooMuch = self.push_checked(slot, frame) {
            self.close_slow(self.key(slot), Slow::TooMuch);
        }
    }

    /// Queues a frame within the limit of one client. The caller closes the connection on [`Pushed::TooMuch`].
    pub(in crate::shard) fn push_checked(&mut self, slot: ConnSlot, frame: Shared) -> Pushed {
        self.push_within(slot, frame, self.core.options.hard_outbox_bytes)
    }

    /// [`State::push_checked`] with another limit than `hardOutboxBytes`.
    pub(in crate::shard) fn push_within(&mut self, slot: ConnSlot, frame: Shared, limit: usize) -> Pushed {
        let conn = &mut self.conns[slot];
        // One message may be larger than the limit, which bounds what queues up behind a slow reader.
        if !conn.outbox.is_empty() && conn.outbox.weight().saturating_add(frame.len()) > limit {
            // A burst within one turn is no slow consumer: what the kernel takes now doesn't count.
            let key = ConnKey { slot, generation: conn.generation };
            self.flush(key);
            match self.conn(key) {
                Some(conn) if !conn.outbox.is_empty() && conn.outbox.weight() + frame.len() > limit => {
                    return Pushed::TooMuch;
                }
                Some(_) => {}
                None => return Pushed::Gone,
            }
        }
        let stats = &self.core.shards[self.index].stats;
        stats.messages_out.add(1);
        stats.bytes_out.add(frame.len());
        if self.conns[slot].watched() {
            self.show_outgoing(slot, &frame);
        }
        let conn = &mut self.conns[slot];
        conn.outbox.push(frame);
        let key = ConnKey { slot, generation: conn.generation };
        let waits = !conn.writable();
        self.dirty.note(key, &mut conn.dirty);
        if waits {
            self.fell_behind(key, Waiting::Newest);
        }
        Pushed::Queued
    }

    /// Whether a volatile message of `len` bytes would leave at once. If this turn has queued much already, the outbox
    /// is flushed to find out: thus no volatile message closes its client, and a burst of them leaves half of the room
    /// to other messages.
    pub(in crate::shard) fn takes_volatile(&mut self, slot: ConnSlot, len: usize) -> bool {
        let limit = self.core.options.max_outbox_bytes;
        let key = self.key(slot);
        let Some(conn) = self.conn(key).filter(|conn| conn.writable()) else { return false };
        if conn.outbox.is_empty() || conn.outbox.bytes() + len <= limit / 2 {
            return true;
        }
        self.flush(key);
        self.conn(key).is_some_and(|conn| conn.writable())
    }

    /// Writes the outbox, as far as the kernel takes it.
    pub(in crate::shard) fn flush(&mut self, key: ConnKey) {
        let threshold = self.core.options.per_message_deflate.map(|c| c.threshold);
        let Some(conn) = self.conn(key) else { return };
        if conn.outbox.is_empty() {
            return;
        }
        let form = conn.form(threshold);
        let before = conn.outbox.left();
        match &mut conn.transport {
            Transport::WebSocket(ws) => {
                if ws.blocked {
                    return;
                }
                let flushed =
                    conn.outbox.flush(&mut ws.write, form, None).and_then(|flushed| match flushed {
                        // TLS may hold bytes that the kernel has not taken.
                        Flushed::All => Ok(match ws.write.try_flush() {
                            Poll::Ready(result) => result.map(|()| Flushed::All)?,
                            Poll::Pending => Flushed::Blocked,
                        }),
                        Flushed::Blocked => Ok(Flushed::Blocked),
                    });
                let blocked = matches!(flushed, Ok(Flushed::Blocked));
                ws.blocked |= blocked;
                conn.took(before);
                match flushed {
                    Ok(Flushed::All) => self.raw_flushed(key),
                    Ok(Flushed::Blocked) => {
                        if !conn.outbox.is_empty() {
                            self.fell_behind(key, Waiting::All);
                        }
                        crate::shard::spawn(
                            self.shard(),
                            crate::shard::conn::reader::drain(self.shard(), key),
                        );
                    }
                    Err(_) => self.close_conn(
                        key,
                        Reason::TransportError,
                        "write failed",
                        crate::shard::conn::close::CloseStyle::None,
                    ),
                }
            }
            Transport::Polling(_) => self.answer_poll(key),
        }
    }

    /// Continues what [`State::flush`] left because of a full kernel buffer; see `reader::drain`.
    pub(in crate::shard) fn poll_drain(&mut self, key: ConnKey, cx: &mut Context<'_>) -> Poll<()> {
        let threshold = self.core.options.per_message_deflate.map(|c| c.threshold);
        let Some(conn) = self.conn(key) else { return Poll::Ready(()) };
        let form = conn.form(threshold);
        let before = conn.outbox.left();
        let Transport::WebSocket(ws) = &mut conn.transport else { return Poll::Ready(()) };
        let flushed = conn.outbox.flush(&mut ws.write, form, Some(cx));
        conn.took(before);
        let Transport::WebSocket(ws) = &mut conn.transport else { return Poll::Ready(()) };
        match flushed {
            Ok(Flushed::Blocked) => Poll::Pending,
            Ok(Flushed::All) => match ws.write.poll_flush(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(_) => {
                    ws.blocked = false;
                    self.raw_flushed(key);
                    Poll::Ready(())
                }
            },
            Err(_) => {
                self.close_conn(
                    key,
                    Reason::TransportError,
                    "write failed",
                    crate::shard::conn::close::CloseStyle::None,
                );
                Poll::Ready(())
            }
        }
    }

    /// Marks a connection for the writes at the end of the turn.
    pub(in crate::shard) fn mark_dirty(&mut self, key: ConnKey) {
        if let Some(conn) = self.conns.get_mut(key.slot).filter(|c| c.generation == key.generation) {
            self.dirty.note(key, &mut conn.dirty);
        }
    }
}
