//! Commands on their way to the cluster's thread. Any thread puts them in; what hosts publish is bounded in bytes.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::config::Overflow;
use super::fleet::{Fleet, RemoteSocket};
use super::message::{Answer, Message};
use super::stats::Figures;
use crate::error::Result;
use crate::host::{BroadcastAcks, NspShared};
use crate::rooms::Target;

/// One JSON value of each host, with its attachments.
type HostAnswers = Vec<(Box<str>, Vec<Bytes>)>;

/// See the module's text.
pub(crate) enum Command {
    /// For the other nodes.
    Say {
        nsp: Arc<str>,
        message: Message,
    },
    /// An answer to the node `to`.
    Answer {
        nsp: Arc<str>,
        to: Option<Box<str>>,
        id: Box<str>,
        answer: Answer,
    },
    /// A broadcast whose acks are collected.
    AskClients {
        nsp: Arc<str>,
        message: Message,
        timeout: Duration,
        acks: Arc<BroadcastAcks>,
    },
    Sockets {
        nsp: Arc<str>,
        target: Target,
        timeout: Duration,
        reply: oneshot::Sender<Fleet<Vec<RemoteSocket>>>,
    },
    Rooms {
        nsp: Arc<str>,
        timeout: Duration,
        reply: oneshot::Sender<Fleet<Vec<Box<str>>>>,
    },
    Hosts {
        nsp: Arc<str>,
        data: Box<str>,
        attachments: Vec<Bytes>,
        timeout: Duration,
        reply: oneshot::Sender<Fleet<HostAnswers>>,
    },
    Count {
        nsp: Arc<str>,
        reply: oneshot::Sender<Result<usize>>,
    },
    /// A namespace of this server exists, or no more.
    Namespace {
        nsp: Arc<NspShared>,
        here: bool,
    },
    /// A room of this server has its first member, or lost its last.
    Room {
        nsp: u32,
        room: Box<str>,
        kind: RoomKind,
        here: bool,
    },
    Flush {
        timeout: Duration,
        reply: oneshot::Sender<Result<()>>,
    },
    Close,
}

/// Two kinds of rooms may have one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RoomKind {
    /// Sockets joined it.
    Joined = 1,
    /// Named by the id of a socket that sits in it.
    Own = 2,
}

struct State {
    /// What stood in front of messages that were dropped: it comes before `commands`.
    kept: VecDeque<Command>,
    commands: VecDeque<Command>,
    /// Weight of all [`Command::Say`] within.
    bytes: usize,
    closed: bool,
}

/// The queue of one node.
pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Notify,
    limit: usize,
    overflow: Overflow,
    figures: Arc<Figures>,
}

impl Queue {
    pub(crate) fn new(limit: usize, overflow: Overflow, figures: Arc<Figures>) -> Arc<Self> {
        let state = State { kept: VecDeque::new(), commands: VecDeque::new(), bytes: 0, closed: false };
        Arc::new(Self { state: Mutex::new(state), wake: Notify::new(), limit, overflow, figures })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Queues something for the other nodes; what is too much goes by the policy, and is counted. False if the node
    /// has ended.
    pub(crate) fn say(&self, nsp: &Arc<str>, message: Message) -> bool {
        let weight = message.weight();
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        if state.bytes > 0 && state.bytes + weight > self.limit {
            if self.overflow == Overflow::DropNewest {
                self.figures.overflowed.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            self.make_room(&mut state, weight);
        }
        state.bytes += weight;
        self.put(state, Command::Say { nsp: nsp.clone(), message });
        true
    }

    /// Drops the oldest messages. Each command is looked at once, however many have to go one by one.
    fn make_room(&self, state: &mut State, weight: usize) {
        while state.bytes > 0 && state.bytes + weight > self.limit {
            match state.commands.pop_front() {
                Some(Command::Say { message, .. }) => {
                    state.bytes -= message.weight();
                    self.figures.overflowed.fetch_add(1, Ordering::Relaxed);
                }
                Some(other) => state.kept.push_back(other),
                None => return,
            }
        }
    }

    /// Queues a command that is not dropped; false if the node has ended.
    pub(crate) fn send(&self, command: Command) -> bool {
        let state = self.lock();
        if state.closed {
            return false;
        }
        self.put(state, command);
        true
    }

    fn put(&self, mut state: MutexGuard<'_, State>, command: Command) {
        let was_empty = state.commands.is_empty() && state.kept.is_empty();
        state.commands.push_back(command);
        drop(state);
        if was_empty {
            self.wake.notify_one();
        }
    }

    /// Waits for commands and takes all that are there. `out` is empty.
    pub(crate) async fn take(&self, out: &mut VecDeque<Command>) {
        loop {
            {
                let mut state = self.lock();
                if !state.commands.is_empty() || !state.kept.is_empty() {
                    out.append(&mut state.kept);
                    out.append(&mut state.commands);
                    state.bytes = 0;
                    return;
                }
            }
            self.wake.notified().await;
        }
    }

    /// The node has ended: nothing is taken any more, and who waits for an answer hears that there is none.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.closed = true;
        let rest = (std::mem::take(&mut state.commands), std::mem::take(&mut state.kept));
        drop(state);
        drop(rest);
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(n: usize) -> Message {
        Message::ServerSide { data: "x".repeat(n).into(), attachments: Vec::new(), id: None }
    }

    fn taken(queue: &Queue) -> Vec<usize> {
        let mut out = VecDeque::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(queue.take(&mut out));
        let weight = |command| match command {
            Command::Say { message, .. } => message.weight() - 128,
            _ => 0,
        };
        out.into_iter().map(weight).collect()
    }

    #[test]
    fn beyond_its_limit_the_oldest_or_the_newest_go_and_are_counted() {
        let nsp: Arc<str> = "/".into();
        for (overflow, left) in [
            (Overflow::DropOldest, vec![0, 30_000, 40_000]),
            (Overflow::DropNewest, vec![10_000, 20_000, 0, 30_000]),
        ] {
            let figures = Arc::<Figures>::default();
            let queue = Queue::new(71_000, overflow, figures.clone());
            queue.say(&nsp, message(10_000));
            queue.say(&nsp, message(20_000));
            assert!(queue.send(Command::Close));
            queue.say(&nsp, message(30_000));
            queue.say(&nsp, message(40_000));
            assert_eq!(taken(&queue), left);
            assert_eq!(figures.overflowed.load(Ordering::Relaxed), if left.len() == 3 { 2 } else { 1 });
            assert_eq!(queue.bytes(), 0);
        }
    }

    #[test]
    fn one_message_may_be_larger_than_the_limit_and_nothing_enters_after_the_end() {
        let figures = Arc::<Figures>::default();
        let queue = Queue::new(65_536, Overflow::DropNewest, figures);
        queue.say(&"/".into(), message(100_000));
        assert_eq!(taken(&queue), [100_000]);
        queue.end();
        assert!(!queue.say(&"/".into(), message(1)) && !queue.send(Command::Close));
        assert_eq!(queue.bytes(), 0);
    }
}
