//! Connection state recovery: what is kept for clients that may come back.
//!
//! One journal for the whole server. An event without ack that is not volatile gets the next number, goes out
//! with that number as its last argument (the *offset*, which clients send back), and its frame is kept. The
//! number is given and the commands to the shards are queued under one lock, so every shard sees the numbers
//! rise: "everything up to n" means the same to the journal, to a shard's queue and to a client.
//!
//! A [`Peer`] is a socket across its connections, known by its *pid*, a secret that only its client has. When
//! its connection ends the peer is away, with a [`Session`]; when the client names the pid in time it is here
//! again under a new handle, and gets what it missed. Nothing runs in the background: what is too old goes when
//! something is added, and when the timer of the shard that a client left from fires.

mod stays;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use crate::engine::frame::Frame;
use crate::engine::sid::Id;
use crate::options::Options;
use crate::rooms::{AwayRooms, Directory};
use crate::shared::event::{Event, SessionEnd};
use crate::types::ids::{NspId, SocketHandle};
use crate::types::target::Target;

pub(crate) use stays::Stays;

/// Handles that a peer is known by. An application may hold on to the socket of an earlier connection; of one
/// that comes and goes for days only the last few count.
const HANDLES: usize = 4;
/// What an entry or a session weighs besides its content.
const FLAT: usize = 160;
/// Characters of an offset in front of its number; they differ from server to server.
const SALT: usize = 6;

/// To whom an entry went.
pub(crate) enum To {
    Rooms(Arc<Target>),
    /// To one socket, by the pid of its peer.
    Peer(Id),
}

/// One message that was sent.
struct Entry {
    at: Instant,
    nsp: NspId,
    to: To,
    frame: Arc<Frame>,
    weight: usize,
}

/// What a socket leaves behind when its connection ends.
pub(crate) struct Session {
    pub rooms: AwayRooms,
    /// JSON that the host attached.
    pub data: Box<str>,
    /// Number of the last entry that was queued for it.
    pub sent: u64,
    /// Everything up to this number that was meant for it had been queued for it.
    pub seen: u64,
    pub stays: Stays,
    /// When the connection ended.
    pub since: Instant,
}

impl Session {
    fn weight(&self) -> usize {
        self.data.len() + self.rooms.iter().map(|room| room.len() + 64).sum::<usize>() + self.stays.weight()
    }

    /// A room is joined behind entry `at`, while the client is away.
    pub(crate) fn join(&mut self, room: &str, at: u64) {
        if self.rooms.join(room) {
            self.stays.enter(room, at.max(self.seen));
        }
    }

    /// A room is left behind entry `at`, while the client is away.
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

/// A session that a client came back for.
pub(crate) struct Returned {
    pub pid: Id,
    pub id: Id,
    pub session: Session,
    /// The client has everything up to this number.
    has: u64,
}

/// What a client missed.
pub(crate) struct Missed {
    /// In order.
    pub frames: Vec<Arc<Frame>>,
    /// Number of the last entry that was meant for the client.
    pub sent: u64,
    /// This is all that it missed up to this number.
    pub all: u64,
}

/// Where a peer is.
enum Place {
    Here(SocketHandle),
    Away(Session),
}

/// One socket across its connections.
struct Peer {
    nsp: NspId,
    /// Of its namespace.
    name: Arc<str>,
    id: Id,
    /// Entries up to this number were sent before there was this socket.
    born: u64,
    place: Place,
    /// Newest last.
    handles: SmallVec<[SocketHandle; 2]>,
}

/// What a pid and an offset stand for.
pub(crate) enum Claim {
    /// Nothing (any more).
    Unknown,
    /// The peer's earlier connection has not ended yet, as far as this server knows.
    Here(SocketHandle),
    Returned(Box<Returned>),
}

/// See the module's text.
pub(crate) struct Journal {
    keep: Duration,
    /// How much longer than sessions messages are kept: they may have been lost on a connection whose end was
    /// noticed only later.
    unnoticed: Duration,
    limit: usize,
    /// What a client missed has to fit its outbox.
    most_missed: usize,
    /// A compressed form of each frame may be kept beside the plain one.
    forms: usize,
    salt: Box<str>,
    /// Number of the newest entry.
    last: u64,
    /// Entries `last + 1 - len` to `last`.
    entries: VecDeque<Entry>,
    bytes: usize,
    peers: HashMap<Id, Peer>,
    /// Peers by each of their handles.
    handles: HashMap<SocketHandle, Id>,
    /// Who went away when, in that order. Those who came back in the meantime are still in it.
    away: VecDeque<(Instant, Id)>,
    /// The host wants to hear of sessions that end.
    tells: bool,
    /// Those that it has not heard of.
    ended: Vec<Event>,
}

/// The journal, shared by host threads and shards.
pub(crate) struct Recovery {
    journal: Mutex<Journal>,
    /// Rooms of sockets whose clients are away, by how many of those sit there.
    pub away: Arc<Directory>,
    pub skip_middlewares: bool,
}

impl Recovery {
    /// `None` unless the option asks for it.
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
                tells: false,
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
    /// `data`, a JSON array, with the offset of the next entry as its last element.
    pub(crate) fn with_offset(&self, data: &str) -> String {
        self.with_number(data, self.last + 1)
    }

    /// `data`, a JSON array, with the offset of the newest entry as its last element: clients take any text there for
    /// an offset, also in an event that is not kept.
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

    /// Keeps what is about to be sent; returns its number.
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

    /// Number of the newest entry that is gone.
    fn lost(&self) -> u64 {
        self.last - self.entries.len() as u64
    }

    /// Drops what is too old, and the oldest of what is too much. Returns how long nothing more will be.
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
        // What a wave of messages or of leavers needed is given back.
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
        if let (true, Some(socket)) = (self.tells, peer.handles.last()) {
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

    /// Whether the host wants to hear of sessions that end.
    pub(crate) fn tell(&mut self, on: bool) {
        self.tells = on;
    }

    /// What the host has still to hear.
    pub(crate) fn ended(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.ended)
    }

    /// A socket that is new; returns its pid.
    pub(crate) fn enter(&mut self, nsp: NspId, name: Arc<str>, id: Id, handle: SocketHandle) -> Id {
        let pid = Id::random();
        let handles = SmallVec::from_slice(&[handle]);
        let born = self.last;
        self.peers.insert(pid, Peer { nsp, name, id, born, place: Place::Here(handle), handles });
        self.handles.insert(handle, pid);
        pid
    }

    /// A client names a pid and, if an event has reached it, an offset: its session, if it can be had without a gap,
    /// is `handle`'s now.
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

    /// Up to which number a client that names `offset` has everything. Clients keep the offset of an earlier session
    /// when they get a new one, until an event arrives.
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

    /// What a returning client has not got. `None`: some of it is gone, or it is too much.
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

    /// A socket's connection ended and its client may come back.
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

    /// A socket ended for good.
    pub(crate) fn end(&mut self, pid: Id) {
        self.forget(pid, SessionEnd::Disconnected);
    }

    /// The peer that a handle belongs, or once belonged, to, and its handle if it is here.
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

    /// Peers that are away, last had a connection on that shard, and are meant by `target`.
    pub(crate) fn away_from(&self, shard: usize, nsp: NspId, target: &Target) -> Vec<Id> {
        let meant = |peer: &Peer| {
            peer.nsp == nsp
                && peer.handles.last().is_some_and(|handle| handle.shard() == shard)
                && matches!(&peer.place, Place::Away(session) if session.is_meant_by(target))
        };
        self.peers.iter().filter(|(_, peer)| meant(peer)).map(|(pid, _)| *pid).collect()
    }

    /// Bytes that are kept.
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
