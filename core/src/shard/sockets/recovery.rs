//! Recovery: sockets whose clients may come back. `shared/journal` says what is kept for them, and why nothing arrives
//! twice. This file has the shard's part: noting what was queued for a socket, and how it leaves and returns.

use std::sync::Arc;
use std::time::Instant;

use kraken_ws_codec::sid::Id;

use crate::engine::frame::Frame;
use crate::rooms::AwayRooms;
use crate::shard::conn::close::CloseStyle;
use crate::shard::sockets::socket::Socket;
use crate::shard::state::State;
use crate::shard::wheel::Timer;
use crate::shared::command::Command;
use crate::shared::journal::{Claim, Journal, Missed, Returned, Session, Stays};
use crate::shared::namespaces::NspShared;
use crate::types::change::Move;
use crate::types::ids::{ConnKey, SocketHandle, SocketSlot};
use crate::types::reason::{Reason, Recovery};
use crate::types::target::Target;

/// The recovery state of a socket. Entries are those of the journal, by number.
pub(in crate::shard) struct RecoveryMark {
    pub pid: Id,
    /// The last entry that was queued for this socket.
    sent: u64,
    /// The replay covered the entries up to this one; they are not queued again.
    all: u64,
    stays: Stays,
    /// The session that its client came back for, until the socket is accepted.
    returned: Option<Box<Returned>>,
}

/// A shard's position in the journal.
#[derive(Default)]
pub(in crate::shard) struct RecoveryProgress {
    /// Number of the newest entry that this shard has carried out.
    journaled: u64,
    /// The wheel has a timer for the journal's sweep.
    sweep_armed: bool,
}

impl RecoveryProgress {
    /// The progress of the state that follows a broken one, whose wheel has no timer for the sweep.
    pub(in crate::shard) fn successor(&self) -> Self {
        Self { journaled: self.journaled, sweep_armed: false }
    }
}

/// The identity of a socket that connects.
pub(in crate::shard) enum Identity {
    Fresh(Id, Option<RecoveryMark>),
    Back(Box<Returned>, RecoveryMark),
    /// Decided once the client's earlier connection is closed.
    Later,
}

/// What the journal is told when a socket ends; it has a session if the client may come back.
pub(in crate::shard) struct Parting {
    pid: Id,
    session: Option<Session>,
}

impl State {
    /// Decides the id of a socket that connects: a new one, or that of an earlier connection.
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
        // A client that has received no event has no offset.
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

    /// Ends the earlier connection of a client that is back before the server noticed that connection's end.
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

    /// Closes the connection of a socket whose client has a newer one.
    pub(in crate::shard) fn supersede(&mut self, socket: SocketHandle) {
        if let Some(slot) = self.socket(socket) {
            let key = self.key(self.sockets[slot].conn);
            self.close_conn(key, Reason::TransportClose, "the client is back", CloseStyle::Close);
        }
    }

    /// Gives a socket the rooms and the data of the session that its client came back for.
    pub(in crate::shard) fn put_back(&mut self, slot: SocketSlot, returned: Box<Returned>) {
        let rooms = returned.session.rooms.to_vec();
        let extras = self.sockets[slot].extras.get_or_insert_default();
        extras.data = returned.session.data.clone();
        if let Some(mark) = extras.mark.as_mut() {
            mark.returned = Some(returned);
        }
        self.join(slot, &rooms);
    }

    /// Frames that the client of a newly accepted socket missed; they go out behind CONNECT. socket.io sends them
    /// before, but clients keep what comes before CONNECT for their next connection if this one breaks in between, and
    /// would have them twice. `None`: the journal no longer has all of them, and the connection is closed.
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
        // The journal may have dropped entries while the host decided.
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

    /// Notes that an accepted socket joined or left a room.
    pub(in crate::shard) fn note_stay(&mut self, slot: SocketSlot, room: &str, way: Move) {
        let journaled = self.recovery.journaled;
        let sock = &mut self.sockets[slot];
        let mark = sock.extras.as_mut().and_then(|extras| extras.mark.as_mut()).filter(|_| sock.connected);
        let Some(mark) = mark else { return };
        let at = journaled.max(mark.all);
        match way {
            Move::Join => mark.stays.enter(room, at),
            Move::Leave => mark.stays.leave(room, at),
        }
    }

    /// Notes that an entry is about to be queued for a socket; false if the socket's replay covered it.
    pub(in crate::shard) fn note_entry(&mut self, slot: SocketSlot, entry: u64) -> bool {
        let mark = self.sockets[slot].extras.as_mut().and_then(|extras| extras.mark.as_mut());
        let Some(mark) = mark else { return true };
        if entry <= mark.all {
            return false;
        }
        mark.sent = entry;
        true
    }

    /// Notes that a command with an entry is executed. Not earlier: a connection that breaks during the command has not
    /// got the entry.
    pub(in crate::shard) fn note_done(&mut self, entry: u64) {
        self.recovery.journaled = self.recovery.journaled.max(entry);
    }

    /// What the journal is to be told when a socket ends. It is called while the socket is in its rooms: between these
    /// and the rooms of the session there must be no moment in which this node does not want their messages from other
    /// nodes.
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
            // The socket was not accepted yet; its client may come back to the same session.
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

    /// Tells the journal that a socket has ended. The host hears of it first: once the journal knows, another shard may
    /// report the same socket as back.
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

    /// Tells the host of sessions that can't be recovered any more.
    fn tell_ended(&mut self) {
        let core = self.core.clone();
        let Some(recovery) = &core.recovery else { return };
        let ended = recovery.lock().ended();
        ended.into_iter().for_each(|event| self.event(event));
    }

    /// Drops expired sessions and entries from the journal, and arms the timer of the next sweep.
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

    /// Forwards a command for a socket that is gone: its client may be away, or back under another handle. The host may
    /// not have heard of that yet, and its command must not be lost.
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
                Command::Disconnect(_, what) => Command::Disconnect(here, what),
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

    /// Applies a move to the sessions that left from this shard and that `target` selects.
    pub(in crate::shard) fn move_away(
        &mut self,
        nsp: &Arc<NspShared>,
        target: &Target,
        rooms: &[Box<str>],
        way: Move,
    ) {
        let at = self.recovery.journaled;
        self.each_away(nsp, target, |journal, pid| {
            journal.change(pid, |session| {
                for room in rooms {
                    match way {
                        Move::Join => session.join(room, at),
                        Move::Leave => session.leave(room, at),
                    }
                }
            });
        });
    }

    /// Ends the sessions of disconnected sockets that match `target`.
    pub(in crate::shard) fn end_away(&mut self, nsp: &Arc<NspShared>, target: &Target) {
        self.each_away(nsp, target, |journal, pid| journal.end(pid));
    }

    fn each_away(&mut self, nsp: &Arc<NspShared>, target: &Target, act: impl Fn(&mut Journal, Id)) {
        let core = self.core.clone();
        let Some(recovery) = &core.recovery else { return };
        // The usual case: no session is away, or none in these rooms.
        if !target.rooms.is_empty() && !target.rooms.iter().any(|room| recovery.away.has(nsp.id, room)) {
            return;
        }
        let mut journal = recovery.lock();
        for pid in journal.away_from(self.index, nsp.id, target) {
            act(&mut journal, pid);
        }
        drop(journal);
        self.tell_ended();
    }
}
