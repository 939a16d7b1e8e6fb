//! Batches: a thread collects its commands and queues them at once. Otherwise the first of a hundred commands would
//! wake a shard before the others are there, and with no idle core the shard would run in place of the host.

use std::cell::RefCell;

use crate::shared::command::Command;
use crate::shared::shard_sender::ShardSender;

/// Commands that a thread collects, per shard of one server.
struct Batch {
    shards: *const ShardSender,
    commands: Vec<Vec<Command>>,
}

thread_local! {
    static BATCH: RefCell<Option<Batch>> = const { RefCell::new(None) };
}

/// Runs `act`, then queues the commands that it sent to `shards`, in order.
pub(crate) fn collect<T>(shards: &[ShardSender], act: impl FnOnce() -> T) -> T {
    /// Queues the commands on drop, so that this happens also when `act` panics.
    struct SendOnDrop<'a>(&'a [ShardSender]);
    impl Drop for SendOnDrop<'_> {
        fn drop(&mut self) {
            let Some(batch) = BATCH.take() else { return };
            ShardSender::send_batch(self.0, batch.commands);
        }
    }
    if BATCH.with_borrow(Option::is_some) {
        return act(); // within another one: the outer one hands over
    }
    let commands = shards.iter().map(|_| Vec::new()).collect();
    BATCH.set(Some(Batch { shards: shards.as_ptr(), commands }));
    let _send = SendOnDrop(shards);
    act()
}

/// Adds a command to this thread's batch; returns it if the thread has no batch for that shard.
pub(crate) fn add(shard: &ShardSender, index: usize, command: Command) -> Option<Command> {
    BATCH.with_borrow_mut(|batch| match batch {
        Some(batch) if std::ptr::eq(batch.shards.wrapping_add(index), shard) => {
            batch.commands[index].push(command);
            None
        }
        _ => Some(command),
    })
}
