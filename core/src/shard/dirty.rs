//! The connections that have something to write at the end of this turn.

use std::mem::take;

use crate::types::ids::ConnKey;

/// In a connection: whether the list has it.
#[derive(Default)]
pub(in crate::shard) struct DirtyMark(bool);

/// The list; a connection is in it at most once.
#[derive(Default)]
pub(in crate::shard) struct DirtyList(Vec<ConnKey>);

impl DirtyList {
    /// A connection has something to write.
    pub(in crate::shard) fn note(&mut self, key: ConnKey, mark: &mut DirtyMark) {
        if !std::mem::replace(&mut mark.0, true) {
            self.0.push(key);
        }
    }

    pub(in crate::shard) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the connections out; each is handed to [`DirtyList::clear`] as it is written.
    pub(in crate::shard) fn take(&mut self) -> Vec<ConnKey> {
        take(&mut self.0)
    }

    /// A connection that was taken out is being written: what comes from now on is for another turn.
    pub(in crate::shard) fn clear(mark: &mut DirtyMark) {
        mark.0 = false;
    }

    /// Takes the room of an emptied list back, unless writing has filled a new one.
    pub(in crate::shard) fn keep_room(&mut self, emptied: Vec<ConnKey>) {
        if self.0.is_empty() {
            self.0 = emptied;
        }
    }
}
