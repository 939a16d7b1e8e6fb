//! The connections that have something to write at the end of this turn.

use std::mem::take;

use crate::types::ids::ConnKey;

/// A connection's mark: whether the connection is in the list. It saves a search of the list.
#[derive(Default)]
pub(in crate::shard) struct DirtyMark(bool);

/// The connections to write; each is in the list at most once.
#[derive(Default)]
pub(in crate::shard) struct DirtyList(Vec<ConnKey>);

impl DirtyList {
    /// Adds a connection that has something to write.
    pub(in crate::shard) fn note(&mut self, key: ConnKey, mark: &mut DirtyMark) {
        if !std::mem::replace(&mut mark.0, true) {
            self.0.push(key);
        }
    }

    pub(in crate::shard) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the connections out; the caller calls [`DirtyList::clear`] for each before it writes it.
    pub(in crate::shard) fn take(&mut self) -> Vec<ConnKey> {
        take(&mut self.0)
    }

    /// Clears the mark of a connection before it is written: frames queued from now on belong to another turn.
    pub(in crate::shard) fn clear(mark: &mut DirtyMark) {
        mark.0 = false;
    }

    /// Keeps the capacity of an emptied list for the next turn, unless the writes have filled a new list.
    pub(in crate::shard) fn keep_room(&mut self, emptied: Vec<ConnKey>) {
        if self.0.is_empty() {
            self.0 = emptied;
        }
    }
}
