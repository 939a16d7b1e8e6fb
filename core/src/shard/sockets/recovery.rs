//! Sockets whose clients may come back. What is kept for them, and why nothing comes twice, is written in
//! `shared/journal`; here is the shard's part: remembering what was queued for a socket, leaving and returning.

use std::sync::Arc;
use std::time::Instant;

use crate::engine::frame::Frame;
use crate::engine::sid::Id;
use crate::rooms::AwayRooms;
use crate::shard::conn::close::CloseStyle;
use crate::shard::sockets::socket::Socket;
use crate::shard::state::State;
use crate::shard::wheel::Timer;
use crate::shared::command::Command;
use crate::shared::journal::{Claim, Missed, Returned, Session, Stays};
use crate::shared::namespaces::NspShared;
use crate::types::ids::{ConnKey, SocketHandle, SocketSlot};
use crate::types::reason::{Reason, Recovery};
use crate::types::target::Target;

/// What a socket remembers for its recovery. Entries are those of the journal, by number.
pub(in crate::shard) struct RecoveryMark {
    pub pid: Id,
    /// The last entry that was queued for it.
    sent: u64,
    /// It has the entries up to this one: they came with what it missed.
    all: u64,
    stays: Stays,
    /// What its client came back for, until the socket is accepted.
    returned: Option<Box<Returned>>,
}

/// How far a shard is with the journal.
#[derive(Default)]
pub(in crate::shard) struct RecoveryProgress {
    /// Number of the newest entry that this shard has carried out.
    journaled: u64,
    /// A timer for the journal's sweep is set.
    sweep_armed: bool,
}

impl RecoveryProgress {
    /// For the state that follows a broken one: no timer is set there.
    pub(in crate::shard) fn successor(&self) -> Self {
        Self { journaled: self.journaled, sweep_armed: false }
    }
}

/// Who a socket that connects is.
pub(in crate::shard) enum Identity {
    Fresh(Id, Option<RecoveryMark>),
    Back(Box<Returned>, RecoveryMark),
    /// That is known once an earlier connection is closed.
    Later,
}

/// A socket's leave from the journal: with a session if its client may come back.
pub(in crate::shard) struct Parting {
    pid: Id,
    session: Option<Session>,
}

impl State {
    /// An id for a socket that connects: a new one, or that of an earlier connection.
    pub(in crate::shard) fn identify(
        &mut self,
        key: ConnKey,
        shared: &Arc<NspShared>,
        auth: &str,
        handle: SocketHandle,
        may_wait: bool,
    ) -> Identity {
        let core = self.core.clone();
        let Some(recovery) = &core.recovery else { return Identity::Fresh(Id::tagged(core.tag), None) };
        let mark = |pid| RecoveryMark { pid, sent: 0, all: 0, stays: Stays::default(), returned: None };
        let given: serde_json::Value = serde_json::from_str(auth).unwrap_or_default();
        let mut journal = recovery.lock();
        // A client that no event has reached has no offset.
        let offset = match &given["offset"] {
            serde_json::Value::Null => None,
            offset => Some(offset.as_str().unwrap_or_default()),
        };
        if let Some(pid) = given["pid"].as_str() {
            match journal.claim(shared.id, pid, offset, handle, Instant::now()) {
                Claim::Returned(returned) => {
                    let pid = returned.pid;
                    return Identity::Back(returned, mark(pid));
                }
                Claim::Here(earlier) if may_wait => {
                    self.wait_for_end(key, shared.clone(), auth.into(), earlier);
                    return Identity::Later;
                }
                Claim::Here(_) | Claim::Unknown => {}
            }
        }
        let id = Id::tagged(core.tag);
        let pid = journal.enter(shared.id, shared.name.clone(), id, handle);
        Identity::Fresh(id, Some(mark(pid)))
    }

    /// A client is back before the end of its earlier connection was noticed: that is ended first.
    fn wait_for_end(&mut self, key: ConnKey, shared: Arc<NspShared>, auth: Box<str>, earlier: SocketHandle) {
        let Some(owner) = self.core.shards.get(earlier.shard()) else { return };
        let (reply, ended) = tokio::sync::oneshot::channel();
        owner.send(Command::Supersede(earlier, reply));
        let question = self.ask_for_end(key, &shared.name);
        let shard = self.shard.clone();
        crate::shard::spawn(self.shard(), async move {
            let _ = ended.await;
            if let Some(shard) = shard.upgrade() {
                shard.with(|state| state.earlier_ended(key, &shared, &auth, question));
            }
        });
    }

    /// Ends the connection of a socket whose client has another one.
    pub(in crate::shard) fn supersede(&mut self, socket: SocketHandle) {
        if let Some(slot) = self.socket(socket) {
            let key = self.key(self.sockets[slot].conn);
            self.close_conn(key, Reason::TransportClose, "the client is back", CloseStyle::Close);
        }
    }

    /// Connects a socket to what its client came back for.
    pub(in crate::shard) fn put_back(&mut self, slot: SocketSlot, returned: Box<Returned>) {
        let rooms = returned.session.rooms.to_vec();
        let extras = self.sockets[slot].extras.get_or_insert_default();
        extras.data = returned.session.data.clone();
        if let Some(mark) = extras.mark.as_mut() {
            mark.returned = Some(returned);
        }
        self.join(slot, &rooms);
    }

    /// The socket is being accepted: what its client missed, to be sent behind CONNECT. socket.io sends it before, and
    /// clients keep what comes before CONNECT for the connection after this one, if this one breaks in between: they
    /// would have it twice. `None`: it can't be had any more, and the connection is closed.
    pub(in crate::shard) fn replay(&mut self, slot: SocketSlot) -> Option<Vec<Arc<Frame>>> {
        let core = self.core.clone();
        let Some(recovery) = &core.recovery else { return Some(Vec::new()) };
        let journaled = self.recovery.journaled;
        let Socket { extras, conn, .. } = &mut self.sockets[slot];
        let conn = *conn;
        let Some(mark) = extras.as_mut().and_then(|extras| extras.mark.as_mut()) else {
            return Some(Vec::new());
        };
        let Some(returned) = &mark.returned else {
            mark.stays = Stays::since(journaled);
            return Some(Vec::new());
        };
        // The host took its time to accept, and the journal has moved on.
        let missed = recovery.lock().missed(returned);
        let Some(Missed { frames, sent, all }) = missed else {
            let key = self.key(conn);
            self.close_conn(key, Reason::ForcedClose, "too late to recover", CloseStyle::Close);
            return None;
        };
        mark.sent = sent;
        mark.all = all;
        mark.stays = mark.returned.take().map(|returned| returned.session.stays).unwrap_or_default();
        Some(frames)
    }

    /// A socket that is accepted joined a room, or left one.
    pub(in crate::shard) fn note_stay(&mut self, slot: SocketSlot, room: &str, joins: bool) {
        let journaled = self.recovery.journaled;
        let sock = &mut self.sockets[slot];
        let mark = sock.extras.as_mut().and_then(|extras| extras.mark.as_mut()).filter(|_| sock.connected);
        let Some(mark) = mark else { return };
        let at = journaled.max(mark.all);
        match joins {
            true => mark.stays.enter(room, at),
            false => mark.stays.leave(room, at),
        }
    }

    /// An entry is about to be queued for a socket. False: it has it.
    pub(in crate::shard) fn note_entry(&mut self, slot: SocketSlot, entry: u64) -> bool {
        let mark = self.sockets[slot].extras.as_mut().and_then(|extras| extras.mark.as_mut());
        let Some(mark) = mark else { return true };
        if entry <= mark.all {
            return false;
        }
        mark.sent = entry;
        true
    }

    /// A command with an entry is carried out. Not before: a connection that breaks meanwhile has not got it.
    pub(in crate::shard) fn note_done(&mut self, entry: u64) {
        self.recovery.journaled = self.recovery.journaled.max(entry);
    }

    /// What the journal is to be told when a socket ends. It is still in its rooms: between them and those of the
    /// session there is no moment in which messages of other nodes for them are not wanted here.
    pub(in crate::shard) fn parting(&mut self, slot: SocketSlot, reason: Reason) -> Option<Parting> {
        let core = self.core.clone();
        let recovery = core.recovery.as_ref()?;
        let sock = &mut self.sockets[slot];
        let extras = sock.extras.as_mut()?;
        let mark = extras.mark.take()?;
        let pid = mark.pid;
        let v3 = self.conns.get(sock.conn).is_some_and(|conn| conn.protocol == 3);
        let session = match mark.returned {
            _ if v3 || reason.recovery() == Recovery::Never => None,
            // It was not accepted yet: its client may come back once more.
            Some(returned) => Some(returned.session),
            None if !sock.connected => None,
            None => {
                let own = sock.own_room.then(|| sock.id.as_str().into());
                let rooms = self.rooms.rooms_of(slot).map(Into::into).chain(own).collect();
                Some(Session {
                    rooms: AwayRooms::new(&recovery.away, sock.nsp, rooms),
                    data: std::mem::take(&mut extras.data),
                    sent: mark.sent,
                    seen: self.recovery.journaled,
                    stays: mark.stays,
                    since: Instant::now(),
                })
            }
        };
        Some(Parting { pid, session })
    }

    /// Tells the journal. The host hears of the end first: once the journal knows, another shard may report
    /// the same socket as back.
    pub(in crate::shard) fn part(&mut self, socket: SocketHandle, parting: Parting) {
        let core = self.core.clone();
        let Some(recovery) = &core.recovery else { return };
        let Some(session) = parting.session else { return recovery.lock().end(parting.pid) };
        self.hand_over_events();
        recovery.lock().leave(parting.pid, socket, session, Instant::now());
        self.tell_ended();
        if !self.recovery.sweep_armed {
            self.sweep_recovery();
        }
    }

    /// Tells the host whose clients can't come back any more.
    fn tell_ended(&mut self) {
        let core = self.core.clone();
        let Some(recovery) = &core.recovery else { return };
        let ended = recovery.lock().ended();
        ended.into_iter().for_each(|event| self.event(event));
    }

    /// Drops what nobody can come back for any more, and sees to the next time.
    pub(in crate::shard) fn sweep_recovery(&mut self) {
        let core = self.core.clone();
        let Some(recovery) = &core.recovery else { return };
        let next = recovery.lock().sweep(Instant::now());
        self.recovery.sweep_armed = next.is_some();
        self.tell_ended();
        if let Some(wait) = next {
            let tick = self.wheel.tick_after(wait) + 1;
            self.wheel.insert(tick, Timer::Recovery);
        }
    }

    /// A command for a socket that is gone: its client may be away, or back under another handle. The host
    /// may not have heard of it yet, and what it does to the socket must not be lost.
    pub(in crate::shard) fn forward(&mut self, socket: SocketHandle, command: Command) {
        let core = self.core.clone();
        let Some(recovery) = &core.recovery else { return };
        let at = self.recovery.journaled;
        let mut journal = recovery.lock();
        let Some((pid, here)) = journal.peer(socket) else { return };
        if let Some(here) = here {
            let shard = core.shards.get(here.shard()).filter(|_| here != socket);
            let Some(shard) = shard else { return };
            shard.send(match command {
                Command::Join(_, rooms) => return shard.send_join(Command::Join(here, rooms)),
                Command::Leave(_, rooms) => Command::Leave(here, rooms),
                Command::LeaveAll(_) => Command::LeaveAll(here),
                Command::SetData(_, data) => Command::SetData(here, data),
                Command::Disconnect(_, close) => Command::Disconnect(here, close),
                _ => return,
            });
            return;
        }
        match command {
            Command::Join(_, rooms) => journal.change(pid, |session| {
                rooms.iter().for_each(|room| session.join(room, at));
            }),
            Command::Leave(_, rooms) => journal.change(pid, |session| {
                rooms.iter().for_each(|room| session.leave(room, at));
            }),
            Command::LeaveAll(_) => journal.change(pid, |session| {
                let rooms = session.rooms.to_vec();
                rooms.iter().for_each(|room| session.leave(room, at));
            }),
            Command::SetData(_, data) => journal.change(pid, |session| session.data = data),
            Command::Disconnect(..) => journal.end(pid),
            _ => {}
        }
        drop(journal);
        self.tell_ended();
    }

    /// Those that left from this shard, may come back and are meant by `target` move too: `Some(join)`; or `None`: they
    /// may not come back any more.
    pub(in crate::shard) fn move_away(
        &mut self,
        nsp: &Arc<NspShared>,
        target: &Target,
        rooms: &[Box<str>],
        join: Option<bool>,
    ) {
        let core = self.core.clone();
        let Some(recovery) = &core.recovery else { return };
        // As a rule nobody is away, or not in these rooms.
        if !target.rooms.is_empty() && !target.rooms.iter().any(|room| recovery.away.has(nsp.id, room)) {
            return;
        }
        let mut journal = recovery.lock();
        for pid in journal.away_from(self.index, nsp.id, target) {
            match join {
                Some(join) => journal.change(pid, |session| {
                    for room in rooms {
                        match join {
                            true => session.join(room, self.recovery.journaled),
                            false => session.leave(room, self.recovery.journaled),
                        }
                    }
                }),
                None => journal.end(pid),
            }
        }
        drop(journal);
        self.tell_ended();
    }
}
