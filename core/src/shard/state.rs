//! What a shard owns.

use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use kraken_ws_codec::sid::Id;

use crate::engine::frame::Frame;
use crate::engine::outbox::Shared;
use crate::net::no_signal;
use crate::rooms::RoomIndex;
use crate::shard::Shard;
use crate::shard::conn::Conn;
use crate::shard::conn::backpressure::PausedList;
use crate::shard::dirty::DirtyList;
use crate::shard::event_buffer::EventBuffer;
use crate::shard::sockets::broadcast::FanOut;
use crate::shard::sockets::early::EarlyBytes;
use crate::shard::sockets::moves::Moved;
use crate::shard::sockets::recovery::RecoveryProgress;
use crate::shard::sockets::socket::Socket;
use crate::shard::sockets::table::Nsp;
use crate::shard::table::Table;
use crate::shard::timers::FiringTimers;
use crate::shard::wheel::Wheel;
use crate::shared::core::Core;
use crate::shared::event::Event;
use crate::shared::figures::ShardStats;
use crate::shared::under_way::Hold;
use crate::types::ids::{ConnKey, ConnSlot, NspId, SocketHandle, SocketSlot};
use crate::types::reason::Refusal;
use crate::types::request::RequestInfo;

/// The state of a shard that its tasks share; only the shard's thread touches it.
pub(super) struct State {
    pub core: Arc<Core>,
    pub index: usize,
    pub shard: Weak<Shard>,
    pub conns: Table<ConnSlot, Conn>,
    pub sids: HashMap<Id, ConnSlot>,
    pub sockets: Table<SocketSlot, Socket>,
    pub nsps: HashMap<NspId, Nsp>,
    pub rooms: RoomIndex,
    pub wheel: Wheel,
    pub timers: FiringTimers,
    pub generation: u32,
    pub dirty: DirtyList,
    pub events: EventBuffer,
    pub paused: PausedList,
    /// The outboxes of all shards together exceeded `totalOutboxBytes`; the end of the turn asks every shard for
    /// relief.
    pub over_budget: bool,
    pub early_bytes: EarlyBytes,
    /// Sessions of `conn/ending.rs` that a shutdown waits for.
    pub awaited: HashMap<ConnKey, Hold>,
    pub recovery: RecoveryProgress,
    pub accepting: Vec<tokio::task::AbortHandle>,
    pub ping: Shared,
    pub fan_out: FanOut,
    pub closing: bool,
    /// Sockets that other nodes have moved between rooms, and when; see `sockets/moves.rs`.
    pub moved: Moved,
    /// The cluster is told of own rooms; see `sockets/own_rooms.rs`.
    pub shows_own_rooms: bool,
    /// The [`Event::Disconnect`] of the socket that is being removed, until it is queued: a panic in between does not
    /// lose it.
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
            sockets: Table::default(),
            nsps: HashMap::new(),
            rooms: RoomIndex::default(),
            wheel: Wheel::new(),
            timers: FiringTimers::default(),
            generation: 0,
            dirty: DirtyList::default(),
            events: EventBuffer::default(),
            paused: PausedList::default(),
            over_budget: false,
            early_bytes: EarlyBytes::default(),
            awaited: HashMap::new(),
            recovery: RecoveryProgress::default(),
            accepting: Vec::new(),
            ping: Rc::new(Arc::new(Frame::engine("2"))),
            fan_out: FanOut::default(),
            closing: false,
            moved: Moved::default(),
            shows_own_rooms: false,
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

    /// Reports a refused request to the host. Back-pressure does not apply to such requests, so while the host queue is
    /// full they are only logged.
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

    /// The host queue is full, counting the events of this turn that are not handed over yet.
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

    pub(super) fn conn(&mut self, key: ConnKey) -> Option<&mut Conn> {
        self.conns.get_mut(key.slot).filter(|c| c.generation == key.generation)
    }

    /// The connection with this key, unless the server has ended its session.
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
        let slot = handle.slot();
        let sock = self.sockets.get(slot)?;
        (SocketHandle::new(self.index, slot, sock.generation) == handle).then_some(slot)
    }

    pub(super) fn handle(&self, slot: SocketSlot) -> SocketHandle {
        SocketHandle::new(self.index, slot, self.sockets[slot].generation)
    }
}
