//! The queue of commands of one shard: any thread sends, the shard's own takes.
//!
//! Not tokio's unbounded channel: with more sending threads than cores its senders walk a list that grows while one of
//! them is off its core in the middle of a send. Eight threads that broadcast spent 58 % of their time there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use tokio::sync::Notify;

use super::Command;

/// Commands after which the shard's other tasks get their turn, however many more there are.
const FAIR: usize = 1024;

#[derive(Default)]
struct Shared {
    wake: Notify,
    ended: AtomicBool,
}

/// The sending side.
pub(crate) struct Sender {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

/// The shard's side.
pub(crate) struct Receiver {
    commands: mpsc::Receiver<Command>,
    shared: Arc<Shared>,
    in_a_row: usize,
}

pub(crate) fn channel() -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::channel();
    let shared = Arc::<Shared>::default();
    (
        Sender { commands: sender, shared: shared.clone() },
        Receiver { commands: receiver, shared, in_a_row: 0 },
    )
}

impl Sender {
    /// Queues a command; false if the shard has ended.
    pub(crate) fn send(&self, command: Command) -> bool {
        if self.commands.send(command).is_err() {
            return false;
        }
        self.shared.wake.notify_one();
        true
    }

    /// The shard has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.ended.load(Ordering::Acquire)
    }
}

impl Receiver {
    /// Waits for the next batch of up to `max` commands. It always comes: the shard itself holds a sender.
    pub(crate) async fn recv_many(&mut self, out: &mut Vec<Command>, max: usize) {
        if self.in_a_row >= FAIR {
            self.in_a_row = 0;
            tokio::task::yield_now().await;
        }
        loop {
            let before = out.len();
            out.extend(self.commands.try_iter().take(max));
            if out.len() > before {
                self.in_a_row += out.len() - before;
                return;
            }
            // What is sent from here on leaves a permit: nothing is missed.
            self.shared.wake.notified().await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
    }
}
