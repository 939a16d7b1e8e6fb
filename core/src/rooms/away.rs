//! The rooms of a disconnected socket. While it can be recovered, this node needs the messages to these rooms.

use std::ops::Deref;
use std::sync::Arc;

use crate::rooms::Directory;
use crate::types::ids::NspId;

/// Names of rooms. Each is counted in the directory of such rooms until it is left or this is dropped.
pub(crate) struct AwayRooms {
    nsp: NspId,
    names: Vec<Box<str>>,
    directory: Arc<Directory>,
}

impl AwayRooms {
    pub(crate) fn new(directory: &Arc<Directory>, nsp: NspId, names: Vec<Box<str>>) -> Self {
        for name in &names {
            directory.add_away(nsp, name);
        }
        Self { nsp, names, directory: directory.clone() }
    }

    /// False if the socket is a member already.
    pub(crate) fn join(&mut self, room: &str) -> bool {
        if self.names.iter().any(|name| &**name == room) {
            return false;
        }
        self.directory.add_away(self.nsp, room);
        self.names.push(room.into());
        true
    }

    /// False if the socket is not a member.
    pub(crate) fn leave(&mut self, room: &str) -> bool {
        let Some(at) = self.names.iter().position(|name| &**name == room) else { return false };
        self.directory.remove_away(self.nsp, room);
        self.names.remove(at);
        true
    }
}

impl Deref for AwayRooms {
    type Target = [Box<str>];

    fn deref(&self) -> &[Box<str>] {
        &self.names
    }
}

impl Drop for AwayRooms {
    fn drop(&mut self) {
        for name in &self.names {
            self.directory.remove_away(self.nsp, name);
        }
    }
}
