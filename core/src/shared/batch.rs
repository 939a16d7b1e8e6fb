//! Batches: a thread collects its commands and queues them at once. Otherwise the first of a hundred commands would
//! wake a shard before the others are there, and with no idle core the shard would run in place of the host.

use std::cell::RefCell;

use crate::shared::command::Command;
use crate::shared::shard_sender::ShardSender;

/// Commands that a thread collects, per shard of one server.
struct Held {
    shards: *const ShardSender,
    commands: Vec<Vec<Command>>,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Runs `act`, then queues the commands that it sent to `shards`, in order.
pub(crate) fn together<T>(shards: &[ShardSender], act: impl FnOnce() -> T) -> T {
    /// Queues the commands on drop, so that this happens also when `act` panics.
    struct Release<'a>(&'a [ShardSender]);
    impl Drop for Release<'_> {
        fn drop(&mut self) {
            let Some(held) = HELD.take() else { return };
            ShardSender::release(self.0, held.commands);
        }
    }
    if HELD.with_borrow(Option::is_some) {
        return act(); // within another one: the outer one hands over
    }
    let commands = shards.iter().map(|_| Vec::new()).collect();
    HELD.set(Some(Held { shards: shards.as_ptr(), commands }));
    let _release = Release(shards);
    act()
}

/// Adds a command to this thread's batch; returns it if the thread has no batch for that shard.
pub(crate) fn hold(shard: &ShardSender, index: usize, command: Command) -> Option<Command> {
    HELD.with_borrow_mut(|held| match held {
        Some(held) if std::ptr::eq(held.shards.wrapping_add(index), shard) => {
            held.commands[index].push(command);
            None
        }
        _ => Some(command),
    })
}
