//! What a shard owns.

use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::engine::frame::Frame;
use crate::engine::outbox::{Flushed, Shared};
use crate::engine::sid::Id;
use crate::engine::transport::Transport;
use crate::net::no_signal;
use crate::rooms::RoomIndex;
use crate::shard::Shard;
use crate::shard::conn::Conn;
use crate::shard::conn::backpressure::PausedList;
use crate::shard::conn::slow::Slow;
use crate::shard::dirty::DirtyList;
use crate::shard::event_buffer::EventBuffer;
use crate::shard::sockets::moves::Moved;
use crate::shard::sockets::recovery::Trace;
use crate::shard::sockets::table::Nsp;
use crate::shard::table::Table;
use crate::shard::wheel::{Timer, Wheel};
use crate::shared::broadcast_acks::BroadcastAcks;
use crate::shared::core::Core;
use crate::shared::event::Event;
use crate::shared::figures::ShardStats;
use crate::shared::under_way::Hold;
use crate::types::ids::{ConnKey, ConnSlot, NspId, SocketHandle, SocketSlot};
use crate::types::reason::{Reason, Refusal};
use crate::types::request::RequestInfo;

/// Who waits for an ack of a client.
pub(super) enum AckWait {
    /// The host; `timed` if it wants to hear of a time-out.
    Host {
        timed: bool,
    },
    Broadcast(Arc<BroadcastAcks>),
}

/// One Socket.IO socket: one namespace of one client.
pub(super) struct Sock {
    pub generation: u32,
    pub conn: ConnSlot,
    pub nsp: NspId,
    pub id: Id,
    /// Accepted by the host; before that nothing is delivered to it.
    pub connected: bool,
    /// Still in the room named by its own id.
    pub own_room: bool,
    /// Number of the last broadcast that looked at this socket.
    pub seen: u64,
    /// Place in the namespace's list.
    pub position: u32,
    pub rare: Option<Box<Rare>>,
}

impl Sock {
    /// The id as hosts and clients know it.
    pub(super) fn public_id(&self) -> &str {
        self.rare.as_ref().and_then(|rare| rare.name.as_deref()).unwrap_or(self.id.as_str())
    }
}

/// An event that waits for its socket to be accepted.
pub(super) struct Held {
    pub id: Option<u64>,
    pub data: Box<str>,
    pub attachments: Vec<Bytes>,
}

impl Held {
    /// What it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        64 + self.data.len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }
}

/// What few sockets have.
#[derive(Default)]
pub(super) struct Rare {
    /// Emits made before the host accepted the socket, with their numbers in the journal.
    pub early: Vec<(Shared, crate::types::flags::EmitFlags, u64)>,
    /// Events that the client sent before the host accepted the socket.
    pub held: Vec<Held>,
    pub acks: HashMap<u64, AckWait>,
    /// JSON of the CONNECT payload.
    pub auth: Box<str>,
    /// The id of a protocol 3 client's socket. Its room is one like others: it has another form, and no server's tag.
    pub name: Option<Box<str>>,
    /// JSON that the host attached, for `fetch_sockets`.
    pub data: Box<str>,
    /// With the option `connectionStateRecovery`.
    pub trace: Option<Box<Trace>>,
}

/// Everything of a shard that its tasks share.
pub(super) struct State {
    pub core: Arc<Core>,
    pub index: usize,
    pub shard: Weak<Shard>,
    pub conns: Table<ConnSlot, Conn>,
    pub sids: HashMap<Id, ConnSlot>,
    pub socks: Table<SocketSlot, Sock>,
    pub nsps: HashMap<NspId, Nsp>,
    pub rooms: RoomIndex,
    pub wheel: Wheel,
    /// Connections that closed since the timers were swept.
    pub stale_timers: usize,
    pub generation: u32,
    pub dirty: DirtyList,
    pub events: EventBuffer,
    pub epoch: u64,
    pub paused: PausedList,
    /// More waits for all clients than may.
    pub over_budget: bool,
    /// Bytes of events of sockets that the host has not accepted.
    pub held: usize,
    /// Sessions in `ending.rs` that the end of the server waits for.
    pub awaited: HashMap<ConnKey, Hold>,
    /// Number of the newest entry of the journal that this shard has carried out.
    pub journaled: u64,
    /// A timer for the journal's sweep is set.
    pub sweep_armed: bool,
    pub accepting: Vec<tokio::task::AbortHandle>,
    pub ping: Shared,
    /// Recipients of the current broadcast; its room is used again.
    pub scratch: Vec<SocketSlot>,
    pub closing: bool,
    /// Sockets that other nodes have moved, and when; see `moves.rs`.
    pub moved: Moved,
    /// See `own_rooms.rs`.
    pub shows_own_rooms: bool,
    /// Timers that are being fired.
    pub due: Vec<Timer>,
    /// A broadcast whose recipients are being found: its acks wait for this shard.
    pub asking: Option<Arc<BroadcastAcks>>,
    /// A socket that is being taken out, until the host has its [`Event::Disconnect`].
    pub leaving: Option<Event>,
}

impl State {
    pub(super) fn new(core: Arc<Core>, index: usize, shard: Weak<Shard>) -> Self {
        Self {
            core,
            index,
            shard,
            conns: Table::default(),
            sids: HashMap::new(),
            socks: Table::default(),
            nsps: HashMap::new(),
            rooms: RoomIndex::default(),
            wheel: Wheel::new(),
            stale_timers: 0,
            generation: 0,
            dirty: DirtyList::default(),
            events: EventBuffer::default(),
            epoch: 0,
            paused: PausedList::default(),
            over_budget: false,
            held: 0,
            awaited: HashMap::new(),
            journaled: 0,
            sweep_armed: false,
            accepting: Vec::new(),
            ping: Rc::new(Arc::new(Frame::engine("2"))),
            scratch: Vec::new(),
            closing: false,
            moved: Moved::default(),
            shows_own_rooms: false,
            due: Vec::new(),
            asking: None,
            leaving: None,
        }
    }

    pub(super) fn stats(&self) -> &ShardStats {
        &self.core.shards[self.index].stats
    }

    pub(super) fn shard(&self) -> Rc<Shard> {
        self.shard.upgrade().expect("the state lives in its shard")
    }

    pub(super) fn has_work(&self) -> bool {
        !self.dirty.is_empty() || !self.events.is_empty()
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    /// A request was refused. Nothing holds such requests back, so while too much waits for the host they are only
    /// logged.
    pub(super) fn connection_error(
        &mut self,
        request: Arc<RequestInfo>,
        refusal: Refusal,
        context: Vec<(&'static str, String)>,
    ) {
        if self.is_host_full() {
            tracing::warn!(?refusal, "hostQueueBytes: the host is not told of a refused request");
            return;
        }
        self.event(Event::ConnectionError { request, refusal, context });
    }

    /// More waits for the host than may, with what it has still to be told of this turn.
    pub(super) fn is_host_full(&self) -> bool {
        self.core.host.is_full_with(self.events.weight())
    }

    pub(super) fn hand_over_events(&mut self) {
        self.events.hand_over(&self.core.host, self.index);
    }

    /// The end of a turn: one write per dirty connection, one hand-over of events.
    pub(super) fn end_turn(&mut self) {
        let mut dirty = self.dirty.take();
        for key in dirty.drain(..) {
            if let Some(conn) = self.conn(key) {
                DirtyList::clear(&mut conn.dirty);
                self.flush(key);
            }
        }
        self.dirty.keep_room(dirty);
        if self.over_budget {
            self.ask_for_relief();
        }
        self.stats().writes.set(no_signal::calls());
        self.hand_over_events();
    }

    /// A connection has something to write at the end of the turn.
    pub(super) fn mark_dirty(&mut self, key: ConnKey) {
        if let Some(conn) = self.conns.get_mut(key.slot).filter(|c| c.generation == key.generation) {
            self.dirty.note(key, &mut conn.dirty);
        }
    }

    pub(super) fn conn(&mut self, key: ConnKey) -> Option<&mut Conn> {
        self.conns.get_mut(key.slot).filter(|c| c.generation == key.generation)
    }

    /// A connection that the server has not ended.
    pub(super) fn live(&mut self, key: ConnKey) -> Option<&mut Conn> {
        self.conn(key).filter(|c| !c.ending)
    }

    pub(super) fn key(&self, slot: ConnSlot) -> ConnKey {
        ConnKey { slot, generation: self.conns[slot].generation }
    }

    pub(super) fn by_sid(&mut self, sid: Id) -> Option<ConnKey> {
        let slot = *self.sids.get(&sid)?;
        Some(self.key(slot))
    }

    /// The slot behind a host's handle, if the socket still exists.
    pub(super) fn socket(&self, handle: SocketHandle) -> Option<SocketSlot> {
        let slot = SocketSlot(handle.slot() as u32);
        let sock = self.socks.get(slot)?;
        (SocketHandle::new(self.index, slot.0, sock.generation) == handle).then_some(slot)
    }

    pub(super) fn handle(&self, slot: SocketSlot) -> SocketHandle {
        SocketHandle::new(self.index, slot.0, self.socks[slot].generation)
    }

    /// Queues a frame; the connection is flushed at the end of the turn.
    pub(super) fn push(&mut self, slot: ConnSlot, frame: Shared) {
        if let Pushed::TooMuch = self.push_checked(slot, frame) {
            self.close_slow(self.key(slot), Slow::TooMuch);
        }
    }

    /// Queues a frame within the limit of one client. The caller closes the connection on [`Pushed::TooMuch`].
    pub(super) fn push_checked(&mut self, slot: ConnSlot, frame: Shared) -> Pushed {
        self.push_within(slot, frame, self.core.options.hard_outbox_bytes)
    }

    /// [`State::push_checked`] with a limit of its own.
    pub(super) fn push_within(&mut self, slot: ConnSlot, frame: Shared, limit: usize) -> Pushed {
        let conn = &mut self.conns[slot];
        // One message may be larger than the limit; what is bounded is what waits behind a slow reader.
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
            self.fell_behind(key, false);
        }
        Pushed::Queued
    }

    /// Would `len` bytes leave at once? What `volatile` asks, by a write if much of this turn waits already: no volatile
    /// message closes its client, and those of a burst leave half of the room to the messages that are not.
    pub(super) fn takes_volatile(&mut self, slot: ConnSlot, len: usize) -> bool {
        let limit = self.core.options.max_outbox_bytes;
        let key = self.key(slot);
        let Some(conn) = self.conn(key).filter(|conn| conn.writable()) else { return false };
        if conn.outbox.is_empty() || conn.outbox.bytes() + len <= limit / 2 {
            return true;
        }
        self.flush(key);
        self.conn(key).is_some_and(|conn| conn.writable())
    }

    /// Writes what waits, as far as the kernel takes it.
    pub(super) fn flush(&mut self, key: ConnKey) {
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
                        // TLS takes more than the kernel does.
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
                            self.fell_behind(key, true);
                        }
                        super::spawn(self.shard(), super::conn::reader::drain(self.shard(), key));
                    }
                    Err(_) => self.close_conn(
                        key,
                        Reason::TransportError,
                        "write failed",
                        crate::shard::conn::close::Goodbye::None,
                    ),
                }
            }
            Transport::Polling(_) => self.answer_poll(key),
        }
    }

    /// Visits what [`State::flush`] leaves to a full kernel buffer; see `reader::drain`.
    pub(super) fn poll_drain(&mut self, key: ConnKey, cx: &mut Context<'_>) -> Poll<()> {
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
                    crate::shard::conn::close::Goodbye::None,
                );
                Poll::Ready(())
            }
        }
    }
}

/// How [`State::push_checked`] ended.
pub(super) enum Pushed {
    Queued,
    /// The outbox is over its limit.
    TooMuch,
    /// Writing failed and the connection is closed.
    Gone,
}
