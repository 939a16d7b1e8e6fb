//! The queue of commands of one shard: any thread sends, the shard's thread receives.
//!
//! It is not tokio's unbounded channel: with more sending threads than cores, the senders of that channel walk a list
//! that grows while one of them is preempted in the middle of a send. Eight threads that broadcast spent 58 % of
//! their time there.
//!
//! Waking a sleeping thread costs the caller 10 to 60 µs on a virtual machine. A send to all shards therefore wakes
//! one sleeping shard, which wakes the others: the host pays once, however many shards there are.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, mpsc};

use tokio::sync::Notify;

use crate::shared::command::Command;

/// Commands in a row after which the receiver yields to the shard's other tasks, even if more are queued.
const FAIR: usize = 1024;

#[derive(Default)]
struct Shared {
    wake: Notify,
    ended: AtomicBool,
    /// The shard's thread sleeps, or is about to.
    parked: AtomicBool,
    /// The shard has commands, and another shard has to wake it.
    due: AtomicBool,
    /// The shard has to wake those that are `due`.
    relays: AtomicBool,
}

/// The sending side of a queue.
pub(crate) struct Sender {
    commands: mpsc::Sender<Command>,
    all: Arc<[Shared]>,
    index: usize,
}

/// The receiving side of a queue, on the shard's thread.
pub(crate) struct Receiver {
    commands: mpsc::Receiver<Command>,
    all: Arc<[Shared]>,
    index: usize,
    in_a_row: usize,
}

/// Tells the queue when its shard's thread sleeps.
#[derive(Clone)]
pub(crate) struct Sleep {
    all: Arc<[Shared]>,
    index: usize,
}

/// One queue for each shard of a server.
pub(crate) fn channels(count: usize) -> impl Iterator<Item = (Sender, Receiver)> {
    let all: Arc<[Shared]> = (0..count).map(|_| Shared::default()).collect();
    (0..count).map(move |index| {
        let (commands, taken) = mpsc::channel();
        (
            Sender { commands, all: all.clone(), index },
            Receiver { commands: taken, all: all.clone(), index, in_a_row: 0 },
        )
    })
}

/// Wakes the shards that are `due`, if shard `index` has to.
fn relay(all: &[Shared], index: usize) {
    if all[index].relays.load(Ordering::Relaxed) && all[index].relays.swap(false, Ordering::AcqRel) {
        for shared in all {
            if shared.due.swap(false, Ordering::AcqRel) {
                shared.wake.notify_one();
            }
        }
    }
}

impl Sender {
    /// Queues a command and wakes the shard; false if it has ended.
    pub(crate) fn send(&self, command: Command) -> bool {
        let sent = self.push(command);
        if sent {
            self.shared().wake.notify_one();
        }
        sent
    }

    /// Queues a command for a shard that [`wake`] wakes later; false if it has ended.
    pub(crate) fn push(&self, command: Command) -> bool {
        self.commands.send(command).is_ok()
    }

    /// Whether the shard has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared().ended.load(Ordering::Acquire)
    }

    fn shared(&self) -> &Shared {
        &self.all[self.index]
    }
}

/// Wakes the shards of these queues, which belong to one server.
pub(crate) fn wake<'a>(queues: impl IntoIterator<Item = &'a Sender>) {
    let mut first: Option<&Sender> = None;
    for queue in queues {
        let shared = queue.shared();
        match first {
            // The thread is awake and polls its queue soon; this notification does not have to wake a sleeping
            // thread.
            _ if !shared.parked.load(Ordering::Acquire) => shared.wake.notify_one(),
            None => first = Some(queue),
            Some(first) => {
                shared.due.store(true, Ordering::Release);
                first.shared().relays.store(true, Ordering::Release);
            }
        }
    }
    if let Some(first) = first {
        first.shared().wake.notify_one();
        // If `first` shut down before it saw the request, its `Drop` has set `ended`; relay here instead.
        fence(Ordering::SeqCst);
        if first.is_closed() {
            relay(&first.all, first.index);
        }
    }
}

impl Sleep {
    /// Set by the thread: true before it sleeps, false after it has woken.
    pub(crate) fn set(&self, sleeps: bool) {
        self.all[self.index].parked.store(sleeps, Ordering::Release);
    }
}

impl Receiver {
    pub(crate) fn sleep(&self) -> Sleep {
        Sleep { all: self.all.clone(), index: self.index }
    }

    /// Waits for the next batch of up to `max` commands. The queue never closes: the shard itself holds a sender.
    pub(crate) async fn recv_many(&mut self, out: &mut Vec<Command>, max: usize) {
        if self.in_a_row >= FAIR {
            self.in_a_row = 0;
            tokio::task::yield_now().await;
        }
        loop {
            relay(&self.all, self.index);
            let before = out.len();
            out.extend(self.commands.try_iter().take(max));
            if out.len() > before {
                self.in_a_row += out.len() - before;
                return;
            }
            // A command that is sent after `try_iter` leaves a permit, so its wake-up is not lost.
            self.all[self.index].wake.notified().await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.all[self.index].ended.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        relay(&self.all, self.index);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    /// Polls the receiver once, as the shard's task does.
    fn run(receiver: &mut Receiver) -> usize {
        let mut took = Vec::new();
        let ready =
            pin!(receiver.recv_many(&mut took, 10)).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        assert_eq!(ready, !took.is_empty());
        took.len()
    }

    #[test]
    fn who_sleeps_is_woken_by_the_first_that_does() {
        let (senders, mut receivers): (Vec<_>, Vec<_>) = channels(4).unzip();
        for (index, receiver) in receivers.iter().enumerate() {
            receiver.sleep().set(index != 2);
        }
        for sender in &senders {
            assert!(sender.push(Command::Resume));
        }
        wake(&senders);
        let permits = |receivers: &[Receiver]| -> Vec<bool> {
            let permit = |receiver: &Receiver| {
                let wake = &receiver.all[receiver.index].wake;
                let woken = pin!(wake.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
                // The check took the permit; give it back.
                if woken {
                    wake.notify_one();
                }
                woken
            };
            receivers.iter().map(permit).collect()
        };
        assert_eq!(permits(&receivers), [true, false, true, false]);
        assert_eq!(run(&mut receivers[0]), 1);
        assert_eq!(permits(&receivers), [true, true, true, true]);
    }

    #[test]
    fn a_shard_that_ends_leaves_nobody_asleep() {
        let (senders, mut receivers): (Vec<_>, Vec<_>) = channels(2).unzip();
        for receiver in &receivers {
            receiver.sleep().set(true);
            assert!(senders[receiver.index].push(Command::Resume));
        }
        let first = receivers.remove(0);
        first.all[0].relays.store(true, Ordering::Release);
        first.all[1].due.store(true, Ordering::Release);
        drop(first);
        assert!(!receivers[0].all[1].due.load(Ordering::Acquire));
        // A shard that had ended before `wake` relays as well.
        receivers[0].all[1].due.store(false, Ordering::Release);
        wake(&senders);
        assert!(!receivers[0].all[1].due.load(Ordering::Acquire));
    }
}
