//! The lists of sockets, of a connection and of a namespace. Both lists, and a socket's fields that refer to them,
//! change here and nowhere else.

use std::collections::HashMap;
use std::sync::Arc;

use kraken_ws_codec::sid::Id;
use smallvec::SmallVec;

use crate::shard::sockets::socket::Socket;
use crate::shard::state::State;
use crate::shared::namespaces::NspShared;
use crate::types::ids::{ConnKey, NspId, SocketSlot};

/// A namespace within the shard.
pub(in crate::shard) struct Nsp {
    shared: Arc<NspShared>,
    /// Accepted sockets.
    by_id: HashMap<Id, SocketSlot>,
    members: Vec<SocketSlot>,
    /// Number of sockets, including those that are not accepted yet. The last one takes the namespace's entry with it.
    sockets: u32,
}

impl Nsp {
    pub(in crate::shard) fn shared(&self) -> &Arc<NspShared> {
        &self.shared
    }

    /// The accepted sockets, in no order.
    pub(in crate::shard) fn members(&self) -> &[SocketSlot] {
        &self.members
    }

    /// The accepted socket with that id.
    pub(in crate::shard) fn by_id(&self, id: Id) -> Option<SocketSlot> {
        self.by_id.get(&id).copied()
    }
}

/// The sockets of one connection.
#[derive(Default)]
pub(in crate::shard) struct SocketList(SmallVec<[(NspId, SocketSlot); 1]>);

impl SocketList {
    pub(in crate::shard) fn len(&self) -> usize {
        self.0.len()
    }

    /// Each socket with its namespace.
    pub(in crate::shard) fn iter(&self) -> impl Iterator<Item = (NspId, SocketSlot)> {
        self.0.iter().copied()
    }

    /// The socket in a namespace.
    pub(in crate::shard) fn find(&self, nsp: NspId) -> Option<SocketSlot> {
        self.iter().find(|(id, _)| *id == nsp).map(|(_, slot)| slot)
    }

    /// For a test: adds an entry without a socket, so that the regular close panics.
    #[cfg(test)]
    pub(in crate::shard) fn break_it(&mut self) {
        self.0.insert(0, (NspId(0), SocketSlot(999)));
    }
}

impl State {
    /// Adds a socket to a connection. It becomes a member of its namespace with [`State::enter_namespace`].
    pub(in crate::shard) fn add_socket(
        &mut self,
        key: ConnKey,
        nsp: &Arc<NspShared>,
        socket: Socket,
    ) -> SocketSlot {
        let slot = self.sockets.insert(socket);
        let entry = self.nsps.entry(nsp.id).or_insert_with(|| Nsp {
            shared: nsp.clone(),
            by_id: HashMap::new(),
            members: Vec::new(),
            sockets: 0,
        });
        entry.sockets += 1;
        self.conns[key.slot].sockets.0.push((nsp.id, slot));
        self.stats().sockets.add(1);
        slot
    }

    /// Makes an accepted socket a member of its namespace: broadcasts find it from now on.
    pub(in crate::shard) fn enter_namespace(&mut self, slot: SocketSlot) {
        let sock = &mut self.sockets[slot];
        sock.connected = true;
        let nsp = self.nsps.get_mut(&sock.nsp).expect("a socket's namespace exists");
        sock.position = nsp.members.len() as u32;
        nsp.members.push(slot);
        nsp.by_id.insert(sock.id, slot);
    }

    /// Removes a socket from both lists. `left` is called while the shard still knows the namespace. The last socket
    /// removes the namespace's entry, as clients make dynamic namespaces come and go.
    pub(in crate::shard) fn take_socket(
        &mut self,
        slot: SocketSlot,
        left: impl FnOnce(&mut Self, &Arc<NspShared>),
    ) -> Socket {
        let sock = self.sockets.remove(slot);
        if let Some(conn) = self.conns.get_mut(sock.conn) {
            conn.sockets.0.retain(|(_, other)| *other != slot);
        }
        if let Some(nsp) = self.nsps.get_mut(&sock.nsp) {
            nsp.by_id.remove(&sock.id);
            if sock.connected {
                let position = sock.position as usize;
                nsp.members.swap_remove(position);
                if let Some(moved) = nsp.members.get(position) {
                    self.sockets[*moved].position = sock.position;
                }
            }
            let shared = nsp.shared.clone();
            left(self, &shared);
            let nsp = self.nsps.get_mut(&sock.nsp).expect("`left` takes no socket out");
            nsp.sockets -= 1;
            if nsp.sockets == 0 {
                self.nsps.remove(&sock.nsp);
            }
        }
        self.stats().sockets.sub(1);
        sock
    }

    /// The sockets of a connection.
    pub(in crate::shard) fn sockets_of(&self, key: ConnKey) -> SmallVec<[SocketSlot; 4]> {
        self.conns
            .get(key.slot)
            .filter(|conn| conn.generation == key.generation)
            .map(|conn| conn.sockets.iter().map(|(_, slot)| slot).collect())
            .unwrap_or_default()
    }
}
