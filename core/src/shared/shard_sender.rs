//! `ShardSender`: the side of a shard that other threads see.

use std::sync::atomic::{AtomicUsize, Ordering};

use smallvec::SmallVec;

use crate::shared::command::Command;
use crate::shared::figures::ShardStats;
use crate::shared::{batch, command_queue};

/// Sending side of one shard: its command queue, and its figures.
pub(crate) struct ShardSender {
    index: usize,
    commands: command_queue::Sender,
    /// Payload bytes of publishes and emits that wait in `commands`.
    pub queued: AtomicUsize,
    /// Joins that wait in `commands`: the room directory does not show them yet.
    joining: AtomicUsize,
    pub stats: ShardStats,
}

impl ShardSender {
    pub(crate) fn new(index: usize, commands: command_queue::Sender) -> Self {
        Self {
            index,
            commands,
            queued: AtomicUsize::new(0),
            joining: AtomicUsize::new(0),
            stats: ShardStats::default(),
        }
    }

    /// Queues a command; false if the shard has ended.
    pub(crate) fn send(&self, command: Command) -> bool {
        match batch::add(self, self.index, command) {
            Some(command) => self.commands.send(command),
            None => !self.is_closed(),
        }
    }

    /// Whether the shard has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.commands.is_closed()
    }

    /// Queues a command for each shard; false if one has ended.
    pub(crate) fn send_all(shards: &[Self], mut command: impl FnMut(&Self) -> Command) -> bool {
        let mut sent = true;
        let mut wake: SmallVec<[&command_queue::Sender; 16]> = SmallVec::new();
        for shard in shards {
            match batch::add(shard, shard.index, command(shard)) {
                None => sent &= !shard.is_closed(),
                Some(command) => match shard.commands.push(command) {
                    true => wake.push(&shard.commands),
                    false => sent = false,
                },
            }
        }
        command_queue::wake(wake);
        sent
    }

    /// Queues the commands of a batch.
    pub(crate) fn send_batch(shards: &[Self], batch: Vec<Vec<Command>>) {
        let mut wake: SmallVec<[&command_queue::Sender; 16]> = SmallVec::new();
        for (shard, mut commands) in shards.iter().zip(batch) {
            let command = match commands.len() {
                0 => continue,
                1 => commands.remove(0),
                _ => Command::Batch(commands),
            };
            if shard.commands.push(command) {
                wake.push(&shard.commands);
            }
        }
        command_queue::wake(wake);
    }

    /// Queues a command that puts sockets into rooms; the shard calls `joined` when it is done.
    pub(crate) fn send_join(&self, command: Command) {
        self.joining.fetch_add(1, Ordering::Relaxed);
        if !self.send(command) {
            self.joined();
        }
    }

    pub(crate) fn joined(&self) {
        self.joining.fetch_sub(1, Ordering::Release);
    }

    /// Whether the room directory may lack joins that the host has already requested.
    pub(crate) fn is_joining(&self) -> bool {
        self.joining.load(Ordering::Acquire) > 0
    }
}
