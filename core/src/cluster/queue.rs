//! The queue of commands for the cluster's thread. Any thread may push; the bytes of the host's messages are bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use crate::cluster::message::{FLAT, FleetMessage, NodeAnswer, target_weight};
use crate::cluster::stats::Figures;
use crate::options::cluster::{Overflow, RoomKind};
use crate::shared::broadcast_acks::BroadcastAcks;
use crate::shared::broker::HostAnswers;
use crate::shared::fleet_reply::{FleetReply, RemoteSocket};
use crate::shared::namespaces::NspShared;
use crate::types::change::Change;
use crate::types::error::Result;
use crate::types::ids::NspId;
use crate::types::target::Target;

/// A command for the cluster's thread.
pub(crate) enum FleetCommand {
    /// A message to all other nodes.
    Message {
        nsp: Arc<str>,
        message: FleetMessage,
    },
    /// An answer to node `to`, or to all nodes if it is unknown.
    Answer {
        nsp: Arc<str>,
        to: Option<Box<str>>,
        id: Box<str>,
        answer: NodeAnswer,
    },
    /// A broadcast with acks.
    AskClients {
        nsp: Arc<str>,
        message: FleetMessage,
        timeout: Duration,
        acks: Arc<BroadcastAcks>,
    },
    Sockets {
        nsp: Arc<str>,
        target: Target,
        timeout: Duration,
        reply: oneshot::Sender<FleetReply<Vec<RemoteSocket>>>,
    },
    Rooms {
        nsp: Arc<str>,
        timeout: Duration,
        reply: oneshot::Sender<FleetReply<Vec<Box<str>>>>,
    },
    Hosts {
        nsp: Arc<str>,
        data: Box<str>,
        attachments: Vec<Bytes>,
        timeout: Duration,
        reply: oneshot::Sender<FleetReply<HostAnswers>>,
    },
    Count {
        nsp: Arc<str>,
        reply: oneshot::Sender<Result<usize>>,
    },
    /// A namespace was created or removed.
    Namespace {
        nsp: Arc<NspShared>,
        change: Change,
    },
    /// A room of this server got its first member, or lost its last.
    Room {
        nsp: NspId,
        room: Box<str>,
        kind: RoomKind,
        change: Change,
    },
    Flush {
        timeout: Duration,
        reply: oneshot::Sender<Result<()>>,
    },
    Close,
}

impl FleetCommand {
    /// Approximate size in bytes of what the host passed in; 0 for commands that are bounded in other ways.
    fn weight(&self) -> usize {
        match self {
            FleetCommand::Message { message, .. } | FleetCommand::AskClients { message, .. } => {
                message.weight()
            }
            FleetCommand::Hosts { data, attachments, .. } => {
                FLAT + data.len() + attachments.iter().map(Bytes::len).sum::<usize>()
            }
            FleetCommand::Sockets { target, .. } => FLAT + target_weight(target),
            FleetCommand::Rooms { .. } => FLAT,
            _ => 0,
        }
    }

    /// Discards a command that overflowed. Its caller learns that nodes did not answer: for acks at their timeout,
    /// for other requests at once.
    fn discard(self, figures: &Figures) {
        Figures::count(&figures.overflowed);
        match self {
            FleetCommand::AskClients { acks, .. } => drop(acks.awaits_nodes(1)),
            FleetCommand::Sockets { reply, .. } => drop(reply.send(FleetReply::not_sent())),
            FleetCommand::Rooms { reply, .. } => drop(reply.send(FleetReply::not_sent())),
            FleetCommand::Hosts { reply, .. } => drop(reply.send(FleetReply::not_sent())),
            _ => {}
        }
    }
}

struct QueueState {
    /// Commands without a weight that preceded dropped messages. They are executed before `commands`.
    overtaken: VecDeque<FleetCommand>,
    commands: VecDeque<FleetCommand>,
    /// Sum of [`FleetCommand::weight`] over both queues.
    bytes: usize,
    closed: bool,
}

/// The command queue of one node.
pub(crate) struct Queue {
    state: Mutex<QueueState>,
    wake: Notify,
    limit: usize,
    overflow: Overflow,
    figures: Arc<Figures>,
}

impl Queue {
    pub(crate) fn new(limit: usize, overflow: Overflow, figures: Arc<Figures>) -> Arc<Self> {
        let state =
            QueueState { overtaken: VecDeque::new(), commands: VecDeque::new(), bytes: 0, closed: false };
        Arc::new(Self { state: Mutex::new(state), wake: Notify::new(), limit, overflow, figures })
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Queues a message to the other nodes; false if the node has ended.
    pub(crate) fn send_message(&self, nsp: &Arc<str>, message: FleetMessage) -> bool {
        self.send(FleetCommand::Message { nsp: nsp.clone(), message })
    }

    /// Queues a command; false if the node has ended. Above the limit, commands with a weight are dropped by the
    /// overflow policy and counted.
    pub(crate) fn send(&self, command: FleetCommand) -> bool {
        let weight = command.weight();
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        // Drop outside the lock: a waiting caller is woken by the drop and may send again.
        let mut dropped = Vec::new();
        let mut given = Some(command);
        if weight > 0 && state.bytes > 0 && state.bytes + weight > self.limit {
            match self.overflow {
                Overflow::DropNewest => dropped.extend(given.take()),
                Overflow::DropOldest => self.make_room(&mut state, weight, &mut dropped),
            }
        }
        match given {
            Some(command) => {
                state.bytes += weight;
                self.put(state, command);
            }
            None => drop(state),
        }
        for command in dropped {
            command.discard(&self.figures);
        }
        true
    }

    /// Drops the oldest messages until `weight` fits. Each command is moved at most once, so the cost stays linear.
    fn make_room(&self, state: &mut QueueState, weight: usize, dropped: &mut Vec<FleetCommand>) {
        while state.bytes > 0 && state.bytes + weight > self.limit {
            match state.commands.pop_front() {
                Some(command) if command.weight() > 0 => {
                    state.bytes -= command.weight();
                    dropped.push(command);
                }
                Some(other) => state.overtaken.push_back(other),
                None => return,
            }
        }
    }

    fn put(&self, mut state: MutexGuard<'_, QueueState>, command: FleetCommand) {
        let was_empty = state.commands.is_empty() && state.overtaken.is_empty();
        state.commands.push_back(command);
        drop(state);
        if was_empty {
            self.wake.notify_one();
        }
    }

    /// Waits for commands and moves all of them to `out`, which is empty.
    pub(crate) async fn take(&self, out: &mut VecDeque<FleetCommand>) {
        loop {
            {
                let mut state = self.lock();
                if !state.commands.is_empty() || !state.overtaken.is_empty() {
                    out.append(&mut state.overtaken);
                    out.append(&mut state.commands);
                    state.bytes = 0;
                    return;
                }
            }
            self.wake.notified().await;
        }
    }

    /// Closes the queue at the end of the node. Pending requests fail because their reply channels are dropped.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.closed = true;
        let rest = (std::mem::take(&mut state.commands), std::mem::take(&mut state.overtaken));
        drop(state);
        drop(rest);
    }

    /// Bytes of the queued commands.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::shared::answer_room::AnswerRoom;
    use crate::shared::event::Event;
    use crate::types::target::Reach;

    fn message_of(n: usize) -> FleetMessage {
        FleetMessage::ServerSide { data: "x".repeat(n).into(), attachments: Vec::new(), id: None }
    }

    fn taken(queue: &Queue) -> Vec<usize> {
        let mut out = VecDeque::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(queue.take(&mut out));
        let weight = |command| match command {
            FleetCommand::Message { message, .. } => message.weight() - 128,
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
            queue.send_message(&nsp, message_of(10_000));
            queue.send_message(&nsp, message_of(20_000));
            assert!(queue.send(FleetCommand::Close));
            queue.send_message(&nsp, message_of(30_000));
            queue.send_message(&nsp, message_of(40_000));
            assert_eq!(taken(&queue), left);
            assert_eq!(figures.overflowed.load(Ordering::Relaxed), if left.len() == 3 { 2 } else { 1 });
            assert_eq!(queue.bytes(), 0);
        }
    }

    #[test]
    fn one_message_may_be_larger_than_the_limit_and_nothing_enters_after_the_end() {
        let figures = Arc::<Figures>::default();
        let queue = Queue::new(65_536, Overflow::DropNewest, figures);
        queue.send_message(&"/".into(), message_of(100_000));
        assert_eq!(taken(&queue), [100_000]);
        queue.end();
        assert!(!queue.send_message(&"/".into(), message_of(1)) && !queue.send(FleetCommand::Close));
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn questions_count_too_and_who_asks_hears_that_nobody_was_asked() {
        let figures = Arc::<Figures>::default();
        let queue = Queue::new(65_536, Overflow::DropOldest, figures.clone());
        let (reply, mut answer) = oneshot::channel();
        let data = "x".repeat(50_000).into();
        let timeout = Duration::from_secs(5);
        queue.send(FleetCommand::Hosts { nsp: "/".into(), data, attachments: Vec::new(), timeout, reply });
        let acks = BroadcastAcks::new(1, 1, Reach::Fleet, &AnswerRoom::new(1 << 20));
        assert!(acks.sent(0).is_none(), "other nodes may have clients");
        let message =
            FleetMessage::ServerSide { data: "x".repeat(40_000).into(), attachments: Vec::new(), id: None };
        queue.send(FleetCommand::AskClients { nsp: "/".into(), message, timeout, acks: acks.clone() });
        assert_eq!(queue.bytes(), 40_128);
        assert_eq!(answer.try_recv().unwrap().missing, 1);
        queue.send_message(&"/".into(), message_of(60_000));
        assert_eq!(queue.bytes(), 60_128);
        let Some(Event::BroadcastAck { missing, timed_out, .. }) = acks.timed_out(std::iter::empty()) else {
            panic!("it ends")
        };
        assert_eq!((missing, timed_out), (1, true));
        assert_eq!(figures.overflowed.load(Ordering::Relaxed), 2);
    }
}
