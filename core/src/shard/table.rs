//! A slab with a typed index: a `ConnSlot` can't index the table of sockets.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use slab::Slab;

use crate::types::ids::{ConnSlot, SocketSlot};

/// The index type of a [`Table`].
pub(in crate::shard) trait Slot: Copy {
    fn new(index: u32) -> Self;
    fn index(self) -> usize;
}

impl Slot for ConnSlot {
    fn new(index: u32) -> Self {
        Self(index)
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

impl Slot for SocketSlot {
    fn new(index: u32) -> Self {
        Self(index)
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A slab whose entries are indexed by the slot type `K`.
pub(in crate::shard) struct Table<K, V>(Slab<V>, PhantomData<K>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(Slab::new(), PhantomData)
    }
}

impl<K: Slot, V> Table<K, V> {
    pub(in crate::shard) fn insert(&mut self, value: V) -> K {
        K::new(self.0.insert(value) as u32)
    }

    /// The slot that the next entry gets.
    pub(in crate::shard) fn vacant(&self) -> K {
        K::new(self.0.vacant_key() as u32)
    }

    pub(in crate::shard) fn get(&self, slot: K) -> Option<&V> {
        self.0.get(slot.index())
    }

    pub(in crate::shard) fn get_mut(&mut self, slot: K) -> Option<&mut V> {
        self.0.get_mut(slot.index())
    }

    pub(in crate::shard) fn contains(&self, slot: K) -> bool {
        self.0.contains(slot.index())
    }

    pub(in crate::shard) fn remove(&mut self, slot: K) -> V {
        self.0.remove(slot.index())
    }

    pub(in crate::shard) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.0.iter().map(|(index, value)| (K::new(index as u32), value))
    }

    /// Empties the table.
    pub(in crate::shard) fn drain(&mut self) -> impl Iterator<Item = (K, V)> + use<K, V> {
        std::mem::take(&mut self.0).into_iter().map(|(index, value)| (K::new(index as u32), value))
    }

    pub(in crate::shard) fn len(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub(in crate::shard) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Slot, V> Index<K> for Table<K, V> {
    type Output = V;

    fn index(&self, slot: K) -> &V {
        &self.0[slot.index()]
    }
}

impl<K: Slot, V> IndexMut<K> for Table<K, V> {
    fn index_mut(&mut self, slot: K) -> &mut V {
        &mut self.0[slot.index()]
    }
}
