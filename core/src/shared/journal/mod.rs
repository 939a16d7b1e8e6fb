//! Connection state recovery: the journal of messages and sessions that are kept for disconnected clients.
//!
//! The server has one journal. Each event without an ack that is not volatile gets the next number, is sent with that
//! number as its last argument (the *offset*, which clients send back), and its frame is kept. Numbering and queueing
//! for the shards happen under one lock, so every shard sees ascending numbers, and "all entries ≤ n" means the same
//! to the journal, to a shard's queue and to a client.
//!
//! A [`Peer`] is a socket across its connections. It is identified by its *pid*, a secret that only its client knows.
//! When its connection ends, the peer is away, with a [`Session`]. When the client sends the pid in time, the peer is
//! here again with a new handle, and receives the messages it missed. There is no background task: expired data is
//! removed when something is added, and by a timer of the shard that the client left.

mod stays;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use kraken_ws_codec::sid::Id;
use smallvec::SmallVec;

use crate::engine::frame::Frame;
use crate::options::Options;
use crate::rooms::{AwayRooms, Directory};
use crate::shared::event::{Event, SessionEnd};
use crate::types::ids::{NspId, SocketHandle};
use crate::types::target::Target;

pub(crate) use stays::Stays;

/// Maximum number of handles per peer. An application may hold a socket of an earlier connection; for a client that
/// reconnects many times, only the last few handles stay valid.
const HANDLES: usize = 4;
/// Approximate size of an entry or a session without its content.
const FLAT: usize = 160;
/// Length of the random prefix of an offset, which differs between servers.
const SALT: usize = 6;

/// The recipients of an entry.
pub(crate) enum To {
    Rooms(Arc<Target>),
    /// One socket, by the pid of its peer.
    Peer(Id),
}

/// A kept message.
struct Entry {
    at: Instant,
    nsp: NspId,
    to: To,
    frame: Arc<Frame>,
    weight: usize,
}

/// The state of a socket whose connection has ended.
pub(crate) struct Session {
    pub rooms: AwayRooms,
    /// JSON that the host has attached.
    pub data: Box<str>,
    /// Number of the last entry in its outbox.
    pub sent: u64,
    /// All journal entries ≤ this that match the socket were put in its outbox.
    pub seen: u64,
    pub stays: Stays,
    /// Time when the connection ended.
    pub since: Instant,
}

impl Session {
    fn weight(&self) -> usize {
        self.data.len() + self.rooms.iter().map(|room| room.len() + 64).sum::<usize>() + self.stays.weight()
    }

    /// Joins a room after entry `at`, while the client is away.
    pub(crate) fn join(&mut self, room: &str, at: u64) {
        if self.rooms.join(room) {
            self.stays.enter(room, at.max(self.seen));
        }
    }

    /// Leaves a room after entry `at`, while the client is away.
    pub(crate) fn leave(&mut self, room: &str, at: u64) {
        if self.rooms.leave(room) {
            self.stays.leave(room, at.max(self.seen));
        }
    }

    fn is_meant_by(&self, target: &Target) -> bool {
        let sits_in = |names: &[Box<str>]| names.iter().any(|name| self.rooms.contains(name));
        (target.rooms.is_empty() || sits_in(&target.rooms)) && !sits_in(&target.except)
    }
}

/// A session that its client has claimed.
pub(crate) struct Returned {
    pub pid: Id,
    pub id: Id,
    pub session: Session,
    /// The client has received everything up to this number.
    has: u64,
}

/// The messages that a client missed.
pub(crate) struct Missed {
    /// The frames in order.
    pub frames: Vec<Arc<Frame>>,
    /// Number of the last entry that matches the client.
    pub sent: u64,
    /// The frames are complete up to this number.
    pub all: u64,
}

/// Whether a peer is connected.
enum Place {
    Here(SocketHandle),
    Away(Session),
}

/// One socket across its connections.
struct Peer {
    nsp: NspId,
    /// Name of the namespace.
    name: Arc<str>,
    id: Id,
    /// Number of the last entry before the socket existed.
    born: u64,
    place: Place,
    /// The newest handle is the last.
    handles: SmallVec<[SocketHandle; 2]>,
}

/// The result of [`Journal::claim`].
pub(crate) enum Claim {
    /// No such session, or it can't be recovered without a gap.
    Unknown,
    /// The earlier connection of the peer has not ended yet, as far as this server knows.
    Here(SocketHandle),
    Returned(Box<Returned>),
}

/// The kept messages and sessions.
pub(crate) struct Journal {
    keep: Duration,
    /// How much longer messages are kept than sessions. A message may have been lost on a connection whose end was
    /// detected only later.
    unnoticed: Duration,
    limit: usize,
    /// Limit of the bytes that a client missed: they have to fit into its outbox.
    most_missed: usize,
    /// Factor for the size of a frame, because its compressed form may be kept beside the plain one.
    forms: usize,
    salt: Box<str>,
    /// Number of the newest entry.
    last: u64,
    /// The entries `last + 1 - len` to `last`.
    entries: VecDeque<Entry>,
    bytes: usize,
    peers: HashMap<Id, Peer>,
    /// The pid of each handle.
    handles: HashMap<SocketHandle, Id>,
    /// Time and pid of each disconnect, in order. Peers that have returned since are still listed.
    away: VecDeque<(Instant, Id)>,
    /// Whether the host wants `SessionEnd` events.
    reports: bool,
    /// `SessionEnd` events that are not queued for the host yet.
    ended: Vec<Event>,
}

/// The journal, shared by host threads and shards.
pub(crate) struct Recovery {
    journal: Mutex<Journal>,
    /// Rooms of peers that are away, with the number of such peers.
    pub away: Arc<Directory>,
    pub skip_middlewares: bool,
}

impl Recovery {
    /// `None` unless the option `connectionStateRecovery` is set.
    pub(crate) fn new(options: &Options) -> Option<Self> {
        let rules = options.connection_state_recovery?;
        Some(Self {
            journal: Mutex::new(Journal {
                keep: rules.max_disconnection,
                unnoticed: options.ping_interval + options.ping_timeout,
                limit: options.max_recovery_bytes,
                most_missed: options.max_outbox_bytes,
                forms: 1 + usize::from(options.per_message_deflate.is_some()),
                salt: Id::random().as_str()[..SALT].into(),
                last: 0,
                entries: VecDeque::new(),
                bytes: 0,
                peers: HashMap::new(),
                handles: HashMap::new(),
                away: VecDeque::new(),
                reports: false,
                ended: Vec::new(),
            }),
            away: Arc::default(),
            skip_middlewares: rules.skip_middlewares,
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Journal {
    /// `data`, a JSON array, with the offset of the next entry appended.
    pub(crate) fn with_offset(&self, data: &str) -> String {
        self.with_number(data, self.last + 1)
    }

    /// `data`, a JSON array, with the offset of the newest entry appended. Clients take any string at the end of an
    /// event as an offset, so events that are not kept need one too.
    pub(crate) fn with_current_offset(&self, data: &str) -> String {
        self.with_number(data, self.last)
    }

    fn with_number(&self, data: &str, number: u64) -> String {
        let Some(open) = data.strip_suffix(']') else { return data.to_owned() };
        let comma = if open.trim_end().ends_with('[') { "" } else { "," };
        format!("{open}{comma}\"{}{number:x}\"]", self.salt)
    }

    fn number_of(&self, offset: &str) -> Option<u64> {
        u64::from_str_radix(offset.strip_prefix(&*self.salt)?, 16).ok()
    }

    /// Keeps a message that is about to be sent; returns its number.
    pub(crate) fn append(&mut self, nsp: NspId, to: To, frame: Arc<Frame>, now: Instant) -> u64 {
        let names = match &to {
            To::Rooms(target) => target.rooms.iter().chain(&target.except).map(|room| room.len() + 16).sum(),
            To::Peer(_) => 0,
        };
        let weight = FLAT + frame.len() * self.forms + names;
        self.bytes += weight;
        self.last += 1;
        self.entries.push_back(Entry { at: now, nsp, to, frame, weight });
        self.sweep(now);
        self.last
    }

    /// Number of the newest entry that was removed.
    fn lost(&self) -> u64 {
        self.last - self.entries.len() as u64
    }

    /// Removes expired data, and the oldest data above the limit. Returns the time until something expires next.
    pub(crate) fn sweep(&mut self, now: Instant) -> Option<Duration> {
        let (keep_session, keep_entry) = (self.keep, self.keep + self.unnoticed);
        let age = |at: Instant| now.saturating_duration_since(at);
        while self.away.front().is_some_and(|(since, _)| age(*since) > keep_session) {
            self.drop_oldest_session(SessionEnd::TimedOut);
        }
        while self.entries.front().is_some_and(|entry| age(entry.at) > keep_entry) {
            self.drop_oldest_entry();
        }
        while self.bytes > self.limit {
            match (self.entries.front(), self.away.front()) {
                (None, None) => break,
                (Some(entry), away) if away.is_none_or(|(since, _)| entry.at <= *since) => {
                    self.drop_oldest_entry();
                }
                _ => self.drop_oldest_session(SessionEnd::Limit),
            }
        }
        // Release the memory of a burst of messages or disconnects.
        if self.entries.capacity() > 1024 && self.entries.len() * 4 < self.entries.capacity() {
            self.entries.shrink_to(self.entries.len() * 2);
        }
        if self.away.capacity() > 1024 && self.away.len() * 4 < self.away.capacity() {
            self.away.shrink_to(self.away.len() * 2);
        }
        let entry = self.entries.front().map(|entry| keep_entry.saturating_sub(age(entry.at)));
        let session = self.away.front().map(|(since, _)| keep_session.saturating_sub(age(*since)));
        entry.into_iter().chain(session).min()
    }

    fn drop_oldest_entry(&mut self) {
        self.bytes -= self.entries.pop_front().map_or(0, |entry| entry.weight);
    }

    fn drop_oldest_session(&mut self, end: SessionEnd) {
        let Some((since, pid)) = self.away.pop_front() else { return };
        self.bytes -= FLAT;
        let gone = |peer: &Peer| matches!(&peer.place, Place::Away(session) if session.since == since);
        if self.peers.get(&pid).is_some_and(gone) {
            self.forget(pid, end);
        }
    }

    fn forget(&mut self, pid: Id, end: SessionEnd) {
        let Some(peer) = self.peers.remove(&pid) else { return };
        for handle in &peer.handles {
            self.handles.remove(handle);
        }
        let Place::Away(session) = peer.place else { return };
        self.bytes -= session.weight();
        if let (true, Some(socket)) = (self.reports, peer.handles.last()) {
            self.ended.push(Event::SessionEnd {
                socket: *socket,
                nsp: peer.name,
                id: peer.id.as_str().into(),
                rooms: session.rooms.to_vec(),
                data: session.data,
                end,
            });
        }
    }

    /// Sets whether the host wants `SessionEnd` events.
    pub(crate) fn set_reports(&mut self, on: bool) {
        self.reports = on;
    }

    /// Takes the events in `ended`.
    pub(crate) fn ended(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.ended)
    }

    /// Adds a new socket; returns its pid.
    pub(crate) fn enter(&mut self, nsp: NspId, name: Arc<str>, id: Id, handle: SocketHandle) -> Id {
        let pid = Id::random();
        let handles = SmallVec::from_slice(&[handle]);
        let born = self.last;
        self.peers.insert(pid, Peer { nsp, name, id, born, place: Place::Here(handle), handles });
        self.handles.insert(handle, pid);
        pid
    }

    /// Claims the session of `pid` for a new socket `handle`. `offset` is the last one that the client received.
    /// Fails if messages are missing in between.
    pub(crate) fn claim(
        &mut self,
        nsp: NspId,
        pid: &str,
        offset: Option<&str>,
        handle: SocketHandle,
        now: Instant,
    ) -> Claim {
        self.sweep(now);
        let Some(pid) = Id::parse(pid) else { return Claim::Unknown };
        let Some(peer) = self.peers.get(&pid).filter(|peer| peer.nsp == nsp) else { return Claim::Unknown };
        let (id, session) = match &peer.place {
            Place::Here(handle) => return Claim::Here(*handle),
            Place::Away(session) => (peer.id, session),
        };
        let Some(has) = self.has(peer.born, session, offset) else { return Claim::Unknown };
        if self.missed_since(nsp, pid, session, has).is_none() {
            return Claim::Unknown;
        }
        self.bytes -= session.weight();
        self.handles.insert(handle, pid);
        let Some(peer) = self.peers.get_mut(&pid) else { return Claim::Unknown };
        peer.handles.push(handle);
        if peer.handles.len() > HANDLES {
            self.handles.remove(&peer.handles.remove(0));
        }
        match std::mem::replace(&mut peer.place, Place::Here(handle)) {
            Place::Away(session) => Claim::Returned(Box::new(Returned { pid, id, session, has })),
            Place::Here(_) => Claim::Unknown,
        }
    }

    /// The number up to which a client with this offset has received everything. A client keeps the offset of an
    /// earlier session until the first event of a new one arrives.
    fn has(&self, born: u64, session: &Session, offset: Option<&str>) -> Option<u64> {
        let has = match offset.map(|offset| self.number_of(offset)) {
            Some(Some(number)) if number > self.last => return None,
            Some(Some(number)) => number.max(born),
            Some(None) if session.sent > born => return None,
            Some(None) | None => born,
        };
        let has = if has < session.sent { has } else { has.max(session.seen) };
        (has >= session.stays.floor).then_some(has)
    }

    /// The messages that a returning client missed. `None` if some of them were removed, or if they exceed the limit.
    pub(crate) fn missed(&self, returned: &Returned) -> Option<Missed> {
        let nsp = self.peers.get(&returned.pid)?.nsp;
        self.missed_since(nsp, returned.pid, &returned.session, returned.has)
    }

    fn missed_since(&self, nsp: NspId, pid: Id, session: &Session, has: u64) -> Option<Missed> {
        let skip = has.checked_sub(self.lost())?;
        let Session { rooms, stays, sent, .. } = session;
        let by_room = stays.by_room(rooms);
        let mut missed = Missed { frames: Vec::new(), sent: *sent, all: self.last };
        let mut bytes = 0;
        let entries = self.entries.iter().zip(self.lost() + 1..).skip(skip as usize);
        for (entry, number) in entries.filter(|(entry, _)| entry.nsp == nsp) {
            let meant = match &entry.to {
                To::Peer(to) => *to == pid,
                To::Rooms(target) => {
                    let sat_in = |names: &[Box<str>]| by_room.sat_in(names, number);
                    number > stays.joined
                        && (target.rooms.is_empty() || sat_in(&target.rooms))
                        && !sat_in(&target.except)
                }
            };
            if meant {
                bytes += entry.frame.len();
                missed.frames.push(entry.frame.clone());
                missed.sent = number;
            }
        }
        (bytes <= self.most_missed).then_some(missed)
    }

    /// The connection of a socket ended, and its client may return.
    pub(crate) fn leave(&mut self, pid: Id, handle: SocketHandle, session: Session, now: Instant) {
        let Some(peer) = self.peers.get_mut(&pid) else { return };
        if !matches!(&peer.place, Place::Here(here) if *here == handle) {
            return;
        }
        self.bytes += session.weight() + FLAT;
        self.away.push_back((session.since, pid));
        peer.place = Place::Away(session);
        self.sweep(now);
    }

    /// The socket ended for good.
    pub(crate) fn end(&mut self, pid: Id) {
        self.forget(pid, SessionEnd::Disconnected);
    }

    /// The peer that a current or earlier handle belongs to, and its current handle if it is here.
    pub(crate) fn peer(&self, handle: SocketHandle) -> Option<(Id, Option<SocketHandle>)> {
        let pid = *self.handles.get(&handle)?;
        match &self.peers.get(&pid)?.place {
            Place::Here(handle) => Some((pid, Some(*handle))),
            Place::Away(_) => Some((pid, None)),
        }
    }

    /// Changes the rooms or the data of a peer that is away.
    pub(crate) fn change(&mut self, pid: Id, change: impl FnOnce(&mut Session)) {
        if let Some(Peer { place: Place::Away(session), .. }) = self.peers.get_mut(&pid) {
            self.bytes -= session.weight();
            change(session);
            self.bytes += session.weight();
        }
    }

    /// Peers that are away, were last connected on `shard`, and match `target`.
    pub(crate) fn away_from(&self, shard: usize, nsp: NspId, target: &Target) -> Vec<Id> {
        let meant = |peer: &Peer| {
            peer.nsp == nsp
                && peer.handles.last().is_some_and(|handle| handle.shard() == shard)
                && matches!(&peer.place, Place::Away(session) if session.is_meant_by(target))
        };
        self.peers.iter().filter(|(_, peer)| meant(peer)).map(|(pid, _)| *pid).collect()
    }

    /// Bytes kept.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    #[cfg(test)]
    fn sizes(&self) -> (usize, usize, usize, usize) {
        (self.entries.len(), self.peers.len(), self.handles.len(), self.away.len())
    }
}

#[cfg(test)]
mod tests;
