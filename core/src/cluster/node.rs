//! The thread of the cluster. It publishes queued commands, passes received messages to `incoming`, and keeps the
//! subscriptions equal to the server's namespaces and rooms.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use kraken_ws_codec::packet::PacketError;
use kraken_ws_redis::{Bus, Subscription};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::Instant;

use crate::cluster::broker;
use crate::cluster::dial::{self, Dialer};
use crate::cluster::joining::Joining;
use crate::cluster::message::FleetMessage;
use crate::cluster::peers::Peers;
use crate::cluster::queue::{FleetCommand, Queue};
use crate::cluster::requests::Pending;
use crate::cluster::stats::Figures;
use crate::cluster::wire::{Kind, Malformed, Names, Published, Wire};
use crate::local::{Server, WeakServer};
use crate::options::cluster::{ClusterOptions, Mode, RoomKind};
use crate::shared::event::{ClusterChange, Event};
use crate::shared::host_queue::HostQueue;
use crate::shared::namespaces::Namespace;
use crate::shared::panics::Panics;
use crate::types::change::Change;
use crate::types::error::{Error, ErrorCode, Result};
use crate::types::ids::NspId;

/// Limit for Redis to confirm the last publishes when a server closes.
const FINAL_FLUSH: Duration = Duration::from_secs(1);
/// Shortest time between two `Lost` events.
const LOSS_REPORTS: Duration = Duration::from_secs(1);

/// Pause between a panic of the thread and its restart.
const RESTART_PAUSE: Duration = Duration::from_millis(200);
/// Name of this thread in logs of panics.
const CLUSTER: &str = "cluster";
/// Number of namespaces in `moved` above which entries without recent moves are removed.
const NAMESPACES: usize = 64;

/// Number of commands after which the command loop yields to other tasks.
const FAIR: usize = 256;

/// Everything that [`Node::new`] needs.
#[derive(Clone)]
pub(crate) struct NodeParts {
    pub options: ClusterOptions,
    pub names: Arc<Names>,
    pub queue: Arc<Queue>,
    pub figures: Arc<Figures>,
    /// The server, its host queue, and the lane of the cluster in that queue. `None` for an emitter.
    pub server: Option<(WeakServer, Arc<HostQueue>, usize)>,
    pub panics: Arc<Panics>,
}

impl NodeParts {
    fn server(&self) -> Option<Server> {
        self.server.as_ref().and_then(|(server, ..)| server.upgrade())
    }

    /// Queues an event for the host.
    fn event(&self, event: Event) {
        if let Some((_, host, lane)) = &self.server {
            host.push(*lane, &mut vec![event]);
        }
    }
}

/// Commands taken from the queue but not yet executed. The backlog outlives a node that panics.
type Backlog = Rc<RefCell<VecDeque<FleetCommand>>>;

/// The namespace that a channel belongs to, and the kind of its messages.
type Route = (Arc<str>, Kind);

/// The cluster's view of one namespace of the server.
pub(super) struct Space {
    pub nsp: Namespace,
    /// Rooms with a channel of their own; the value is a bit set of [`RoomKind`].
    rooms: HashMap<Box<str>, u8>,
    pub peers: Peers,
    pub joining: Joining,
    /// Number of other nodes at the last count.
    pub others: usize,
}

/// The state of the cluster's thread.
pub(super) struct Node {
    pub options: ClusterOptions,
    pub names: Arc<Names>,
    pub wire: Wire,
    pub bus: Arc<Bus>,
    pub queue: Arc<Queue>,
    pub figures: Arc<Figures>,
    server: Option<(WeakServer, Arc<HostQueue>, usize)>,
    pub spaces: RefCell<HashMap<Arc<str>, Space>>,
    /// Names of the namespaces by id.
    numbers: RefCell<HashMap<NspId, Arc<str>>>,
    /// Namespace and message kind of each channel and pattern.
    pub routes: RefCell<HashMap<Box<[u8]>, Route>>,
    /// Reference counts. Namespace and room are joined with `#` unescaped, so two pairs of them can share a channel.
    wanted: RefCell<HashMap<Subscription, usize>>,
    pub requests: RefCell<HashMap<Box<str>, Rc<Pending>>>,
    /// By namespace, the rooms that sockets moved into or out of recently. Used only where rooms have channels of
    /// their own.
    moved: RefCell<HashMap<Box<str>, Joining>>,
    /// `None` until the bus has reported its first state.
    up: Cell<Option<bool>>,
    pub up_changed: Notify,
    loss_report_due: Cell<bool>,
    logged: RefCell<HashSet<&'static str>>,
    backlog: Backlog,
    panics: Arc<Panics>,
    /// Notified when a task of this node panics.
    panicked: Notify,
}

/// The main function of the thread. `ready` receives the result of the start. After a panic, a new node starts with
/// the same uid and subscribes to all current namespaces and rooms.
pub(crate) fn run(parts: NodeParts, ready: mpsc::Sender<Result<()>>) {
    let queue = parts.queue.clone();
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let (backlog, mut ready) = (Backlog::default(), Some(ready));
            loop {
                let local = LocalSet::new();
                let life = run_node(parts.clone(), backlog.clone(), &mut ready);
                let outcome = parts.panics.catch(CLUSTER, || local.block_on(&runtime, life));
                parts.panics.catch(CLUSTER, || drop(local));
                if outcome == Some(NodeEnd::Closed) || ready.is_some() {
                    break;
                }
                parts.event(Event::Cluster {
                    change: ClusterChange::Down { reason: "internal error".into() },
                });
                std::thread::sleep(RESTART_PAUSE);
                if let Some(server) = parts.server() {
                    parts.panics.catch(CLUSTER, || broker::show_all(&server, &queue, &parts.names));
                }
            }
        }
        Err(e) => {
            let what = format!("cluster: its thread could not start: {e}");
            let _ = ready.send(Err(Error::new(ErrorCode::System, what)));
        }
    }
    queue.end();
}

/// How [`run_node`] ended.
#[derive(PartialEq, Eq)]
enum NodeEnd {
    Closed,
    Panicked,
}

/// Runs one node until it closes or panics. `ready` is `None` after the result of the start was sent.
async fn run_node(
    parts: NodeParts,
    backlog: Backlog,
    ready: &mut Option<mpsc::Sender<Result<()>>>,
) -> NodeEnd {
    let mut report = |result| {
        if let Some(ready) = ready.take() {
            let _ = ready.send(result);
        }
    };
    let (events, messages) = tokio::sync::mpsc::unbounded_channel();
    let bus = match Bus::start(&dial::config(&parts.options), Arc::new(Dialer), events) {
        Ok(bus) => Arc::new(bus),
        Err(error) => {
            report(Err(error.into()));
            return NodeEnd::Closed;
        }
    };
    parts.figures.watch(&bus);
    let node = Rc::new(Node::new(parts, bus, backlog));
    let reader = node.spawn(node.clone().take_messages(messages));
    let (end, ended) = oneshot::channel();
    let writer = node.clone();
    node.spawn(async move {
        writer.take_commands().await;
        let _ = end.send(());
    });
    let mut outcome = NodeEnd::Closed;
    let waits = node.options.wait_for_redis;
    if waits && let Err(error) = node.bus.ready(node.options.redis_timeout).await {
        report(Err(error.into()));
    } else {
        report(Ok(()));
        tokio::select! {
            biased;
            panic = node.bus.broken() => {
                node.panics.note(CLUSTER, panic);
                outcome = NodeEnd::Panicked;
            }
            () = node.panicked.notified() => outcome = NodeEnd::Panicked,
            Ok(()) = ended => node.flush_at_close().await,
        }
    }
    reader.abort();
    match outcome {
        NodeEnd::Closed => node.figures.keep_final(&node.bus),
        NodeEnd::Panicked => node.figures.add_to_past(&node.bus),
    }
    // Pending requests are dropped with their tasks.
    node.bus.close().await;
    outcome
}

impl Node {
    fn new(parts: NodeParts, bus: Arc<Bus>, backlog: Backlog) -> Self {
        let NodeParts { options, names, queue, figures, server, panics } = parts;
        Self {
            wire: Wire::new(names.clone(), options.specific_response_channel, options.secret.as_deref()),
            options,
            names,
            bus,
            queue,
            figures,
            server,
            spaces: RefCell::default(),
            numbers: RefCell::default(),
            routes: RefCell::default(),
            wanted: RefCell::default(),
            requests: RefCell::default(),
            moved: RefCell::default(),
            up: Cell::new(None),
            up_changed: Notify::new(),
            loss_report_due: Cell::new(false),
            logged: RefCell::default(),
            backlog,
            panics,
            panicked: Notify::new(),
        }
    }

    pub(super) fn server(&self) -> Option<Server> {
        self.server.as_ref().and_then(|(server, ..)| server.upgrade())
    }

    /// Queues an event for the host.
    pub(super) fn event(&self, event: Event) {
        if let Some((_, host, lane)) = &self.server {
            host.push(*lane, &mut vec![event]);
        }
    }

    /// Whether the host queue is at its limit.
    pub(super) fn is_host_full(&self) -> bool {
        self.server.as_ref().is_some_and(|(_, host, _)| host.is_full_with(0))
    }

    async fn take_commands(self: Rc<Self>) {
        let mut taken = VecDeque::new();
        loop {
            let next = || self.backlog.borrow_mut().pop_front();
            let mut count = 0;
            while let Some(command) = next() {
                // A host that sends without a pause must not starve the connections to Redis.
                count += 1;
                if count % FAIR == 0 {
                    tokio::task::yield_now().await;
                }
                if let FleetCommand::Close = command {
                    return;
                }
                self.execute(command);
            }
            self.report_losses();
            tokio::task::yield_now().await;
            self.queue.take(&mut taken).await;
            self.backlog.borrow_mut().append(&mut taken);
        }
    }

    /// Spawns a task of the node. A panic in it ends the node.
    pub(super) fn spawn(self: &Rc<Self>, task: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
        let node = self.clone();
        tokio::task::spawn_local(async move {
            if node.panics.catch_in(CLUSTER, pin!(task)).await.is_none() {
                node.panicked.notify_one();
            }
        })
    }

    fn execute(self: &Rc<Self>, command: FleetCommand) {
        match command {
            FleetCommand::Message { nsp, message } => self.send_message(&nsp, &message),
            FleetCommand::Answer { nsp, to, id, answer } => {
                self.publish(self.wire.answer(&nsp, to.as_deref(), &id, &answer));
            }
            FleetCommand::Namespace { nsp, change: Change::Added } => self.enter(Namespace(nsp)),
            FleetCommand::Namespace { nsp, change: Change::Removed } => self.leave(&Namespace(nsp)),
            FleetCommand::Room { nsp, room, kind, change } => self.room(nsp, room, kind, change),
            FleetCommand::Flush { timeout, reply } => {
                let node = self.clone();
                self.spawn(async move {
                    let _ = reply.send(node.bus.flush(timeout).await.map_err(Error::from));
                });
            }
            question => self.ask(question),
        }
    }

    /// Publishes a message to the other nodes.
    pub(super) fn send_message(&self, nsp: &str, message: &FleetMessage) {
        self.note_moves(nsp, message);
        let moved = |room: &str| {
            let moved = self.moved.borrow();
            moved.get(nsp).is_some_and(|rooms| rooms.has(room, Instant::now()))
        };
        self.publish(self.wire.message(nsp, message, moved));
    }

    /// Remembers the rooms of a join or leave, whichever node it came from.
    pub(super) fn note_moves(&self, nsp: &str, message: &FleetMessage) {
        let FleetMessage::Move { rooms, .. } = message else { return };
        if !self.names.has_channels(RoomKind::Joined) {
            return;
        }
        let mut moved = self.moved.borrow_mut();
        let now = Instant::now();
        // An emitter may send moves for any number of namespaces.
        if moved.len() >= NAMESPACES && !moved.contains_key(nsp) {
            moved.retain(|_, rooms| rooms.is_recent(now));
        }
        moved.entry(nsp.into()).or_default().add(rooms, now);
    }

    fn publish(&self, published: Result<Published, PacketError>) {
        match published {
            Ok((channel, payload)) => self.bus.publish(channel, payload),
            Err(error) => {
                Figures::count(&self.figures.unsendable);
                tracing::warn!(%error, "a message can't be written for the other nodes");
            }
        }
    }

    pub(super) fn answer(&self, nsp: &str, to: Option<&str>, id: &str, answer: &super::message::NodeAnswer) {
        self.publish(self.wire.answer(nsp, to, id, answer));
    }

    /// The channels of a namespace, with the kind of their messages.
    pub(super) fn channels(&self, nsp: &str) -> Vec<(Subscription, Kind)> {
        let names = &self.names;
        let own = names.answers_to(nsp, &names.uid);
        match names.mode {
            Mode::Classic => vec![
                (Subscription::Pattern(names.pattern(nsp)), Kind::Request),
                (Subscription::Channel(names.requests(nsp)), Kind::Request),
                (Subscription::Channel(names.answers(nsp)), Kind::Answer),
                (Subscription::Channel(own), Kind::Answer),
            ],
            Mode::Sharded => vec![
                (Subscription::Sharded(names.main(nsp)), Kind::Sharded),
                (Subscription::Sharded(own), Kind::Sharded),
            ],
        }
    }

    fn enter(&self, nsp: Namespace) {
        let name = nsp.0.name.clone();
        // After a panic a namespace can be announced twice.
        if self.numbers.borrow().contains_key(&nsp.0.id) {
            return;
        }
        for (subscription, kind) in self.channels(&name) {
            let (Subscription::Channel(channel)
            | Subscription::Pattern(channel)
            | Subscription::Sharded(channel)) = &subscription;
            self.routes.borrow_mut().insert(channel.clone(), (name.clone(), kind));
            self.subscribe(subscription);
        }
        self.numbers.borrow_mut().insert(nsp.0.id, name.clone());
        let space = Space {
            nsp,
            rooms: HashMap::new(),
            peers: Peers::default(),
            joining: Joining::default(),
            others: 0,
        };
        self.spaces.borrow_mut().insert(name.clone(), space);
        if self.up.get() == Some(true) {
            self.send_message(&name, &FleetMessage::Hello);
        }
    }

    fn leave(&self, nsp: &Namespace) {
        let name = &nsp.0.name;
        self.numbers.borrow_mut().remove(&nsp.0.id);
        self.moved.borrow_mut().remove(&**name);
        let Some(space) = self.spaces.borrow_mut().remove(name) else { return };
        for (subscription, _) in self.channels(name) {
            let (Subscription::Channel(channel)
            | Subscription::Pattern(channel)
            | Subscription::Sharded(channel)) = &subscription;
            self.routes.borrow_mut().remove(channel);
            self.unsubscribe(subscription);
        }
        for room in space.rooms.keys() {
            self.unsubscribe(Subscription::Sharded(self.names.room(name, room)));
        }
    }

    /// Subscribes to a room's own channel when it gets its first member, and unsubscribes after the last.
    fn room(&self, nsp: NspId, room: Box<str>, kind: RoomKind, change: Change) {
        // A namespace can be removed while sockets are still in it.
        let Some(name) = self.numbers.borrow().get(&nsp).cloned() else { return };
        let mut spaces = self.spaces.borrow_mut();
        let Some(space) = spaces.get_mut(&name) else { return };
        let channel = Subscription::Sharded(self.names.room(&name, &room));
        let kinds = space.rooms.get(&room).copied().unwrap_or(0);
        let now = match change {
            Change::Added => kinds | kind as u8,
            Change::Removed => kinds & !(kind as u8),
        };
        match (kinds, now) {
            (0, 0) => {}
            (0, _) => {
                space.rooms.insert(room, now);
                self.subscribe(channel);
            }
            (_, 0) => {
                space.rooms.remove(&room);
                self.unsubscribe(channel);
            }
            _ => {
                space.rooms.insert(room, now);
            }
        }
    }

    fn subscribe(&self, what: Subscription) {
        let mut wanted = self.wanted.borrow_mut();
        let count = wanted.entry(what.clone()).or_default();
        *count += 1;
        if *count == 1 {
            self.bus.subscribe(what);
        }
    }

    fn unsubscribe(&self, what: Subscription) {
        let mut wanted = self.wanted.borrow_mut();
        let Some(count) = wanted.get_mut(&what) else { return };
        *count -= 1;
        if *count == 0 {
            wanted.remove(&what);
            self.bus.unsubscribe(what);
        }
    }

    /// Whether Redis is connected; `None` before the first connection attempt has ended.
    pub(super) fn is_up(&self) -> Option<bool> {
        self.up.get()
    }

    /// The bus is connected, for the first time or again.
    pub(super) fn on_up(self: &Rc<Self>) {
        self.up.set(Some(true));
        self.up_changed.notify_waiters();
        tracing::info!("cluster: connected to Redis");
        self.event(Event::Cluster { change: ClusterChange::Up });
        self.report_losses();
        if !self.names.is_emitter() {
            let names: Vec<_> = self.spaces.borrow().keys().cloned().collect();
            names.iter().for_each(|nsp| self.send_message(nsp, &FleetMessage::Hello));
            self.count_nodes();
        }
    }

    /// The bus has lost its connection, or could not connect.
    pub(super) fn on_down(self: &Rc<Self>, reason: String) {
        self.up.set(Some(false));
        self.up_changed.notify_waiters();
        tracing::warn!(
            reason,
            "cluster: not connected to Redis; local clients are served, and it is tried again"
        );
        self.event(Event::Cluster { change: ClusterChange::Down { reason: reason.into() } });
        self.report_losses();
    }

    /// Sends the host a `Lost` event after [`LOSS_REPORTS`], if publishes were lost since the last one.
    fn report_losses(self: &Rc<Self>) {
        if self.server.is_none()
            || self.figures.lost() == self.figures.reported_lost.load(Ordering::Relaxed)
            || self.loss_report_due.replace(true)
        {
            return;
        }
        let node = self.clone();
        self.spawn(async move {
            tokio::time::sleep(LOSS_REPORTS).await;
            node.loss_report_due.set(false);
            let lost = node.figures.lost();
            let publishes = lost - node.figures.reported_lost.swap(lost, Ordering::Relaxed);
            tracing::warn!(publishes, "cluster: messages for other nodes are lost");
            node.event(Event::Cluster { change: ClusterChange::Lost { publishes } });
        });
    }

    /// Counts a malformed message; only the first of each kind is logged.
    pub(super) fn malformed(&self, what: Malformed) {
        Figures::count(&self.figures.node.malformed);
        if self.logged.borrow_mut().insert(what.0) {
            tracing::warn!(
                kind = what.0,
                "cluster: a message from Redis can't be read; later ones are counted only"
            );
        }
    }

    /// Waits at the end for the remaining publishes to be confirmed.
    async fn flush_at_close(&self) {
        let time = match self.server {
            None => self.options.redis_timeout,
            Some(_) if self.up.get() == Some(true) => FINAL_FLUSH.min(self.options.redis_timeout),
            Some(_) => return,
        };
        if let Err(error) = self.bus.flush(time).await {
            tracing::warn!(%error, "cluster: the last messages may not have left");
        }
    }

    /// Stores the number of other nodes.
    pub(super) fn store_others(&self, nsp: &str, others: usize) {
        if nsp == "/" {
            self.figures.node.nodes.store(others as u64 + 1, Ordering::Relaxed);
        }
        if let Some(space) = self.spaces.borrow_mut().get_mut(nsp) {
            space.others = others;
        }
    }
}
