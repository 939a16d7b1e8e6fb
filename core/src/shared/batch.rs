//! Many commands of one thread, handed over at once: a shard that is woken by the first of a hundred would
//! run before the others are there, and on a full machine in the host's place.

use std::cell::RefCell;

use crate::shared::command::Command;
use crate::shared::shard_sender::ShardSender;

/// What a thread holds back, per shard of one server.
struct Held {
    shards: *const ShardSender,
    commands: Vec<Vec<Command>>,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Runs `act`; the commands that it sends to `shards` leave together when it is done, in their order.
pub(crate) fn together<T>(shards: &[ShardSender], act: impl FnOnce() -> T) -> T {
    /// Hands over also when `act` panics.
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

/// Keeps a command if this thread holds back what goes to that shard; gives it back if not.
pub(crate) fn hold(shard: &ShardSender, index: usize, command: Command) -> Option<Command> {
    HELD.with_borrow_mut(|held| match held {
        Some(held) if std::ptr::eq(held.shards.wrapping_add(index), shard) => {
            held.commands[index].push(command);
            None
        }
        _ => Some(command),
    })
}
