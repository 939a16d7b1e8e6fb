//! Requests to the other nodes: how many answers are expected, and until when.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::cluster::message::{FleetMessage, NodeAnswer, NodeQuestion};
use crate::cluster::node::Node;
use crate::cluster::queue::FleetCommand;
use crate::shared::answer_room::Collected;
use crate::shared::broadcast_acks::BroadcastAcks;
use crate::shared::event::Event;
use crate::shared::fleet_reply::FleetReply;
use crate::types::error::{Error, ErrorCode, Result};

/// Interval at which nodes are counted again while answers are missing. A node that died is no longer expected to
/// answer.
const RECOUNT: Duration = Duration::from_millis(250);
/// Limit for finding out which nodes did not answer.
const NAMING: Duration = Duration::from_millis(500);
/// Upper bound for a timeout, so that `Instant` arithmetic can't overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// Maximum number of silent nodes that are checked for being alive.
const SUSPECTS: usize = 32;

/// The state of a request that waits for answers.
pub(super) struct Pending {
    /// For a broadcast with acks: the collector that receives them.
    acks: Option<Arc<BroadcastAcks>>,
    progress: RefCell<Progress>,
    changed: Notify,
}

#[derive(Default)]
struct Progress {
    answers: Vec<NodeAnswer>,
    /// Number of nodes that have answered.
    nodes: usize,
    /// Uids of the nodes that have answered and gave their uid.
    uids: HashSet<Box<str>>,
    /// Number of answers that were dropped because the [`AnswerRoom`](crate::shared::answer_room::AnswerRoom) was
    /// full.
    refused: usize,
    /// The share of the answer room that `answers` occupies.
    room: Option<Collected>,
}

/// The result of a request.
#[derive(Default)]
struct Gathered {
    answers: Vec<NodeAnswer>,
    expected: usize,
    missing: usize,
    missing_nodes: Vec<Box<str>>,
}

impl Gathered {
    fn fleet<T>(self, read: impl FnMut(NodeAnswer) -> Vec<T>) -> FleetReply<Vec<T>> {
        let Gathered { answers, expected, missing, missing_nodes } = self;
        FleetReply { answers: answers.into_iter().flat_map(read).collect(), expected, missing, missing_nodes }
    }
}

/// Removes a request from [`Node::requests`] when its task ends.
struct Registration<'a>(&'a Node, Box<str>);

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.0.requests.borrow_mut().remove(&self.1);
    }
}

/// A registered request.
struct Request {
    nsp: Arc<str>,
    id: Box<str>,
    pending: Rc<Pending>,
    deadline: Instant,
    publication: Publication,
}

/// Whether the request has been published.
enum Publication {
    /// Published, or queued in the bus until Redis is back.
    Sent,
    /// To be published once the subscriptions for the answers are confirmed.
    Deferred(FleetMessage),
    /// Not published: the bus would deliver it only after the request has ended.
    Skipped,
}

impl Node {
    /// Starts a request. Its message is published in order with all other commands of this node.
    pub(super) fn ask(self: &Rc<Self>, question: FleetCommand) {
        let node = self.clone();
        match question {
            FleetCommand::Sockets { nsp, target, timeout, reply } => {
                let request = self.question(nsp, NodeQuestion::Sockets(target), timeout);
                self.spawn(async move {
                    let _ = reply.send(node.gather(request).await.fleet(|answer| match answer {
                        NodeAnswer::Sockets(sockets) => sockets,
                        _ => Vec::new(),
                    }));
                });
            }
            FleetCommand::Rooms { nsp, timeout, reply } => {
                let request = self.question(nsp, NodeQuestion::Rooms, timeout);
                self.spawn(async move {
                    let _ = reply.send(node.gather(request).await.fleet(|answer| match answer {
                        NodeAnswer::Rooms(rooms) => rooms,
                        _ => Vec::new(),
                    }));
                });
            }
            FleetCommand::Hosts { nsp, data, attachments, timeout, reply } => {
                let id = self.names.request_id();
                let message = FleetMessage::ServerSide { data, attachments, id: Some(id.clone()) };
                let request = self.register(nsp, id, timeout, None, message);
                self.spawn(async move {
                    let _ = reply.send(node.gather(request).await.fleet(|answer| match answer {
                        NodeAnswer::ServerSide { data, attachments } => vec![(data, attachments)],
                        _ => Vec::new(),
                    }));
                });
            }
            FleetCommand::AskClients { nsp, message, timeout, acks } => {
                if let FleetMessage::Broadcast(broadcast) = &message
                    && let Some((id, _)) = &broadcast.ack
                {
                    let request = self.register(nsp, id.clone(), timeout, Some(acks), message);
                    self.spawn(async move {
                        node.gather(request).await;
                    });
                }
            }
            FleetCommand::Count { nsp, reply } => {
                self.spawn(async move {
                    let deadline = Instant::now() + node.options.redis_timeout;
                    let _ = reply.send(node.others(&nsp, deadline).await.map(|others| others + 1));
                });
            }
            _ => {}
        }
    }

    /// Registers a request and publishes it if answers can be received.
    fn register(
        &self,
        nsp: Arc<str>,
        id: Box<str>,
        timeout: Duration,
        acks: Option<Arc<BroadcastAcks>>,
        message: FleetMessage,
    ) -> Request {
        let pending = Rc::new(Pending { acks, progress: RefCell::default(), changed: Notify::new() });
        self.requests.borrow_mut().insert(id.clone(), pending.clone());
        let receives = || self.channels(&nsp).iter().all(|(channel, _)| self.bus.hears(channel));
        let publication = match self.is_up() {
            Some(false) if matches!(message, FleetMessage::Ask { .. }) => Publication::Skipped,
            Some(true) if !receives() => Publication::Deferred(message),
            None => Publication::Deferred(message),
            Some(_) => {
                self.send_message(&nsp, &message);
                Publication::Sent
            }
        };
        Request { nsp, id, pending, deadline: Instant::now() + timeout.min(LONGEST), publication }
    }

    /// Starts a request that asks the other nodes for their sockets or rooms.
    fn question(&self, nsp: Arc<str>, question: NodeQuestion, timeout: Duration) -> Request {
        let id = self.names.request_id();
        self.register(nsp, id.clone(), timeout, None, FleetMessage::Ask { id, question })
    }

    /// Counts the nodes of the main namespace, for the statistics.
    pub(super) fn count_nodes(self: &Rc<Self>) {
        let node = self.clone();
        self.spawn(async move {
            // `others` stores the count; after a failure the next `Up` counts again.
            let _ = node.others("/", Instant::now() + node.options.redis_timeout).await;
        });
    }

    /// Number of other nodes that serve a namespace.
    async fn others(&self, nsp: &str, deadline: Instant) -> Result<usize> {
        let late = || Error::new(ErrorCode::Redis, "cluster: no answer from Redis in time");
        let up = async {
            loop {
                let changed = self.up_changed.notified();
                if let Some(up) = self.is_up() {
                    return up;
                }
                changed.await;
            }
        };
        if !timeout_at(deadline, up).await.map_err(|_| late())? {
            return Err(Error::new(ErrorCode::Redis, "cluster: not connected to Redis"));
        }
        let channel = self.names.requests(nsp);
        let count = timeout_at(deadline, self.bus.count(&channel)).await.map_err(|_| late())??;
        let others = count.saturating_sub(1);
        self.store_others(nsp, others);
        Ok(others)
    }

    /// Waits for the answers of all other nodes.
    async fn gather(self: &Rc<Self>, request: Request) -> Gathered {
        let Request { nsp, id, pending, deadline, publication } = request;
        let nsp = &*nsp;
        let registration = Registration(self, id);
        let acks = pending.acks.as_ref();
        let report_missing = |missing: usize| {
            self.report(acks.and_then(|acks| match missing {
                0 => acks.nodes_done(0),
                _ => acks.awaits_nodes(missing),
            }));
        };
        let counted = self.others(nsp, deadline).await;
        let all = match (counted, publication) {
            (Ok(0), _) => {
                report_missing(0);
                return Gathered::default();
            }
            (Ok(others), Publication::Sent) => others,
            (Ok(others), Publication::Deferred(message)) => {
                self.send_message(nsp, &message);
                others
            }
            // The request is published, but the nodes could not be counted: expect as many answers as at the last
            // count.
            (Err(_), Publication::Sent) if self.is_up() == Some(true) => self.known(nsp).max(1),
            _ => {
                let gathered = self.unreachable(nsp, pending.progress.take());
                self.report(acks.and_then(|acks| acks.nodes_done(gathered.missing)));
                return gathered;
            }
        };
        let mut expected = all;
        let mut recount = Instant::now() + RECOUNT;
        loop {
            let missing = expected.saturating_sub(pending.progress.borrow().nodes);
            report_missing(missing);
            let over = match acks {
                Some(acks) => acks.is_done(),
                None => missing == 0,
            };
            if over || Instant::now() >= deadline {
                break;
            }
            tokio::select! {
                () = pending.changed.notified() => continue,
                () = sleep_until(recount.min(deadline)) => {}
            }
            if missing > 0
                && Instant::now() < deadline
                && let Ok(others) = self.others(nsp, deadline).await
                && others < all
            {
                // Subtract nodes that answered and then left: the new count no longer includes them.
                let answered: Vec<_> = pending.progress.borrow().uids.iter().cloned().collect();
                let count = answered.len();
                if let Ok(living) = timeout_at(deadline, self.living(nsp, answered)).await {
                    expected = expected.min(others + count - living.len());
                }
            }
            recount = Instant::now() + RECOUNT;
        }
        drop(registration);
        let Progress { answers, nodes, uids, refused, .. } = pending.progress.take();
        let missing = expected.saturating_sub(nodes) + refused;
        let missing_nodes = match missing {
            0 => Vec::new(),
            _ if acks.is_some() => Vec::new(),
            _ => self.unanswering(nsp, &uids, missing).await,
        };
        Gathered { answers, expected: expected.max(nodes), missing, missing_nodes }
    }

    /// Number of other nodes at the last count.
    fn known(&self, nsp: &str) -> usize {
        self.spaces.borrow().get(nsp).map_or(0, |space| space.others)
    }

    /// The result of a request that Redis could not deliver.
    fn unreachable(&self, nsp: &str, progress: Progress) -> Gathered {
        let Progress { answers, nodes, uids, .. } = progress;
        let missing = self.known(nsp).saturating_sub(nodes).max(usize::from(nodes == 0));
        let spaces = self.spaces.borrow();
        let mut missing_nodes = spaces.get(nsp).map_or_else(Vec::new, |space| space.peers.silent(&uids));
        missing_nodes.truncate(missing);
        Gathered { answers, expected: nodes + missing, missing, missing_nodes }
    }

    /// Those of `uids` that still subscribe to their own answer channel. The others are removed from the peers.
    async fn living(&self, nsp: &str, uids: Vec<Box<str>>) -> Vec<Box<str>> {
        let mut living = Vec::new();
        for uid in uids {
            let channel = self.names.answers_to(nsp, &uid);
            match self.bus.count(&channel).await {
                Ok(0) => {
                    if let Some(space) = self.spaces.borrow_mut().get_mut(nsp) {
                        space.peers.forget(&uid);
                    }
                }
                _ => living.push(uid),
            }
        }
        living
    }

    /// Uids of the nodes that did not answer, as far as they are known.
    async fn unanswering(&self, nsp: &str, answered: &HashSet<Box<str>>, missing: usize) -> Vec<Box<str>> {
        let mut silent = match self.spaces.borrow().get(nsp) {
            Some(space) => space.peers.silent(answered),
            None => return Vec::new(),
        };
        silent.truncate(SUSPECTS);
        let living = tokio::time::timeout(NAMING, self.living(nsp, silent)).await.unwrap_or_default();
        let spaces = self.spaces.borrow();
        spaces.get(nsp).map_or_else(Vec::new, |space| space.peers.unanswering(living, missing))
    }

    /// Handles an answer of another node.
    pub(super) fn on_answer(&self, nsp: &str, uid: Option<Box<str>>, id: &str, answer: NodeAnswer) {
        if let (Some(uid), Some(space)) = (&uid, self.spaces.borrow_mut().get_mut(nsp)) {
            space.peers.note_message(uid, true);
        }
        // The request has ended, or belongs to another node.
        let Some(pending) = self.requests.borrow().get(id).cloned() else { return };
        if let NodeAnswer::Ack { data, attachments } = answer {
            self.report(pending.acks.as_ref().and_then(|acks| acks.answered(None, &data, attachments)));
            return pending.changed.notify_one();
        }
        let mut progress = pending.progress.borrow_mut();
        if uid.as_ref().is_some_and(|uid| !progress.uids.insert(uid.clone())) {
            return;
        }
        progress.nodes += 1;
        match answer {
            NodeAnswer::Clients(count) => {
                self.report(pending.acks.as_ref().and_then(|acks| acks.node_sent(count)));
            }
            answer => {
                let room = self.server().map(|server| server.core().answers.clone());
                if room.is_none_or(|room| {
                    progress.room.get_or_insert_with(|| Collected::new(&room)).add(answer.weight())
                }) {
                    progress.answers.push(answer);
                } else {
                    progress.refused += 1;
                    uid.iter().for_each(|uid| {
                        progress.uids.remove(uid);
                    });
                }
            }
        }
        pending.changed.notify_one();
    }

    fn report(&self, event: Option<Event>) {
        if let Some(event) = event {
            self.event(event);
        }
    }
}
