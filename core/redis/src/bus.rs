//! The Redis bus of a fleet: publish, subscribe and count. It reconnects for as long as it exists.

use std::any::Any;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};

use crate::address::Address;
use crate::config::Config;
use crate::dial::Dial;
use crate::error::{Error, ErrorKind, Result};
use crate::lag::HeldBytes;
use crate::link::{Link, Role};
use crate::outgoing::{Ask, LinkId};
use crate::resp::{Value, command};
use crate::settings::{Settings, Site};
use crate::shared::{BusShared, BusState, COMMANDS, SUBSCRIPTIONS};
use crate::target::ConnectTarget;
use crate::topology::ClusterFollower;

/// Payload of a panic.
pub type Panic = Box<dyn Any + Send>;

/// A subscription to Redis.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subscription {
    /// SUBSCRIBE
    Channel(Box<[u8]>),
    /// PSUBSCRIBE
    Pattern(Box<[u8]>),
    /// SSUBSCRIBE
    Sharded(Box<[u8]>),
}

/// An event of the bus for the node.
#[derive(Debug)]
pub enum BusEvent {
    /// A published message arrived.
    Message {
        /// The pattern that matched, if the subscription is one.
        pattern: Option<Bytes>,
        /// The channel of the message.
        channel: Bytes,
        /// The payload of the message.
        payload: Bytes,
        /// Counts as lag until it is dropped; see [`HeldBytes`].
        held: HeldBytes,
    },
    /// Connected, and all subscriptions are confirmed, for the first time or again.
    Up,
    /// The connection is lost or could not be made, with the reason. The bus keeps trying to reconnect.
    Down(String),
}

/// Limit for a count to wait for pending subscriptions. A Redis Cluster without one of its masters can't confirm them
/// all.
const SETTLING: Duration = Duration::from_secs(1);

/// The counters of a bus: a row has what a counter says, its name, and how it is read.
macro_rules! counters {
    ($($(#[doc = $about:literal])+ $name:ident = $read:expr;)+) => {
        /// What became of the messages of a bus. Every message that is published is in one of `published`, `lost` and
        /// `unconfirmed`, or in `queued_bytes`.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counters {
            /// Connected and subscribed.
            pub up: bool,
            $($(#[doc = $about])+ pub $name: u64,)+
        }

        impl Counters {
            fn of(state: &BusState) -> Self {
                Self {
                    up: state.health.is_up(),
                    $($name: { let read: fn(&BusState) -> u64 = $read; read(state) },)+
                }
            }
        }
    };
}

counters! {
    /// Messages published: Redis has confirmed them.
    published = |state| state.outgoing.counts().published;
    /// Messages that came.
    received = |state| state.received;
    /// Messages that are lost for certain.
    lost = |state| state.outgoing.counts().lost;
    /// Messages whose connection broke before Redis confirmed them; they may have arrived.
    unconfirmed = |state| state.outgoing.counts().unconfirmed;
    /// Connections made anew.
    reconnects = |state| state.reconnects;
    /// How often the bus was down after it had been up.
    gaps = |state| state.health.gaps().0;
    /// For how many milliseconds altogether.
    gap_ms = |state| state.health.gaps().1.as_millis() as u64;
    /// Bytes of messages that wait for Redis, to be written or to be confirmed.
    queued_bytes = |state| state.outgoing.bytes() as u64;
}

/// The connections to Redis. They end when the bus is dropped.
pub struct Bus {
    shared: Arc<BusShared>,
    tasks: Mutex<JoinSet<()>>,
    /// Redis Cluster: a link to each node for `PUBSUB … NUMSUB`, started on the first count.
    askers: Mutex<HashMap<Address, Asker>>,
}

struct Asker {
    link: LinkId,
    task: AbortHandle,
}

impl Bus {
    /// Checks the options and starts to connect on the current tokio runtime. Events are sent to `events` in order.
    pub fn start(
        config: &Config,
        dial: Arc<dyn Dial>,
        events: mpsc::UnboundedSender<BusEvent>,
    ) -> Result<Self> {
        let shared = Arc::new(BusShared::new(Settings::new(config, dial)?, events));
        let bus = Self { shared: shared.clone(), tasks: Mutex::default(), askers: Mutex::default() };
        let target = match &shared.settings.site {
            Site::Single(address) => ConnectTarget::Server(address.clone()),
            Site::Sentinel { .. } => ConnectTarget::Master,
            Site::Cluster(_) => ConnectTarget::Node,
        };
        if !shared.settings.by_slot() {
            for (id, role) in [(COMMANDS, Role::Commands), (SUBSCRIPTIONS, Role::Subscriptions)] {
                bus.spawn(Link { id, role, target: target.clone() }.start(&shared));
            }
        }
        match &shared.settings.site {
            Site::Cluster(seeds) => {
                bus.spawn(ClusterFollower::new(shared.clone(), seeds.clone()).follow());
            }
            Site::Single(_) | Site::Sentinel { .. } => shared.with(|state| state.health.complete()),
        }
        Ok(bus)
    }

    /// Spawns a task of the bus. A panic in it is not recovered here; the owner has to replace the whole bus.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let shared = self.shared.clone();
        self.tasks().spawn(async move {
            if let Err(panic) = AssertUnwindSafe(task).catch_unwind().await {
                shared.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
                shared.breaks.notify_one();
            }
        })
    }

    /// Waits for a panic in one of the tasks.
    pub async fn broken(&self) -> Panic {
        loop {
            if let Some(panic) = self.shared.broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return panic;
            }
            self.shared.breaks.notified().await;
        }
    }

    /// Waits until the bus is up; the error holds the reason why it is not.
    pub async fn ready(&self, within: Duration) -> Result<()> {
        let mut up = self.shared.up.clone();
        if let Ok(Ok(_)) = timeout(within, up.wait_for(|up| *up)).await {
            return Ok(());
        }
        let reason = self.shared.with(|state| state.health.reason().map(str::to_owned));
        Err(redis(reason.unwrap_or_else(|| format!("no connection within {} ms", within.as_millis()))))
    }

    /// Publishes a message, in the order of the calls. It is queued while there is no connection.
    pub fn publish(&self, channel: Box<[u8]>, payload: Bytes) {
        self.shared.with(|state| state.outgoing.publish(channel, payload));
    }

    /// Adds a subscription, now and after every reconnect. A second call has no effect.
    pub fn subscribe(&self, what: Subscription) {
        self.shared.with(|state| state.subscriptions.subscribe(what));
    }

    /// Ends a subscription.
    pub fn unsubscribe(&self, what: Subscription) {
        self.shared.with(|state| state.subscriptions.unsubscribe(what));
    }

    /// Whether Redis has confirmed a subscription.
    pub fn hears(&self, what: &Subscription) -> bool {
        self.shared.with(|state| state.subscriptions.is_on(what))
    }

    /// Number of subscribers of a channel; on Redis Cluster, the sum over all nodes that answer. Subscriptions that
    /// this bus made before the call are included.
    pub async fn count(&self, channel: &[u8]) -> Result<usize> {
        let limit = self.shared.settings.timeout;
        let counted = async {
            let _ = timeout(SETTLING, self.shared.until(|state| state.subscriptions.all_settled())).await;
            if self.shared.settings.is_cluster() {
                self.count_on_all(channel).await
            } else {
                let answer = self.ask(COMMANDS, channel);
                answer
                    .await
                    .map_err(|_| redis("the connection to Redis is gone".to_owned()))
                    .and_then(|value| number(&value))
            }
        };
        match timeout(limit, counted).await {
            Ok(counted) => counted,
            Err(_) => {
                let reason = self.shared.with(|state| state.health.reason().map(str::to_owned));
                Err(redis(
                    reason.unwrap_or_else(|| format!("no answer from Redis within {} ms", limit.as_millis())),
                ))
            }
        }
    }

    async fn count_on_all(&self, channel: &[u8]) -> Result<usize> {
        self.shared.until(|state| state.health.is_complete()).await;
        // Half of the total limit, so that one silent node does not discard the answers of the others.
        let until = Instant::now() + self.shared.settings.timeout / 2;
        let answers: Vec<_> = self.ask_links().into_iter().map(|link| self.ask(link, channel)).collect();
        let mut sum = None;
        for answer in answers {
            // A node that can't be reached has no subscribers that a message could reach.
            if let Ok(Ok(value)) = timeout_at(until, answer).await {
                sum = Some(sum.unwrap_or(0) + number(&value)?);
            }
        }
        sum.ok_or_else(|| redis("no node of the cluster answers".to_owned()))
    }

    /// The links for counting: exactly one to each current node of the cluster.
    fn ask_links(&self) -> Vec<LinkId> {
        let nodes = self.shared.nodes.borrow().clone();
        let mut askers = self.askers.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        askers.retain(|address, asker| {
            let stays = nodes.contains(address);
            if !stays {
                asker.task.abort();
                self.shared.with(|state| state.outgoing.remove_link(asker.link));
            }
            stays
        });
        nodes
            .iter()
            .map(|address| {
                let make = || {
                    let link = self.shared.with(BusState::new_link);
                    let asker = Link {
                        id: link,
                        role: Role::Questions,
                        target: ConnectTarget::Server(address.clone()),
                    };
                    let task = self.spawn(asker.start(&self.shared));
                    Asker { link, task }
                };
                askers.entry(address.clone()).or_insert_with(make).link
            })
            .collect()
    }

    fn ask(&self, link: LinkId, channel: &[u8]) -> oneshot::Receiver<Value> {
        let what: &[u8] = if self.shared.settings.sharded { b"SHARDNUMSUB" } else { b"NUMSUB" };
        let mut wire = BytesMut::new();
        command(&mut wire, &[b"PUBSUB", what, channel]);
        let (answer, answered) = oneshot::channel();
        self.shared.with(|state| state.outgoing.ask(link, Ask { command: wire.freeze(), answer }));
        answered
    }

    /// The current counters.
    pub fn stats(&self) -> Counters {
        self.shared.with(|state| Counters::of(state))
    }

    /// Publishes that are neither confirmed nor lost yet.
    pub fn open(&self) -> u64 {
        self.shared.with(|state| state.outgoing.open())
    }

    /// Whether any link works. The bus can be down while this is true.
    #[cfg(test)]
    pub fn is_partly_up(&self) -> bool {
        self.shared.with(|state| state.health.is_partly_up())
    }

    /// Waits until everything published so far is confirmed. It is an error if some of it was lost, or the time is
    /// up.
    pub async fn flush(&self, within: Duration) -> Result<()> {
        let failures =
            |state: &mut BusState| state.outgoing.counts().lost + state.outgoing.counts().unconfirmed;
        let (mark, before) = self.shared.with(|state| (state.outgoing.mark(), failures(state)));
        if timeout(within, self.shared.until(|state| state.outgoing.is_done(mark))).await.is_err() {
            let reason = self.shared.with(|state| state.health.reason().map(str::to_owned));
            let reason = reason.unwrap_or_else(|| "Redis is slow".to_owned());
            return Err(Error::new(
                ErrorKind::Timeout,
                format!("not all was published within {} ms: {reason}", within.as_millis()),
            ));
        }
        match self.shared.with(failures) - before {
            0 => Ok(()),
            lost => Err(redis(format!("publishes lost or not confirmed: {lost}"))),
        }
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Closes the connections and waits for their tasks. Queued publishes are dropped; call [`Bus::flush`] first.
    pub async fn close(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks());
        tasks.shutdown().await;
    }
}

/// The number in a reply `[channel, number]`.
fn number(answer: &Value) -> Result<usize> {
    match answer.items() {
        [_, count] => count.int().and_then(|count| usize::try_from(count).ok()),
        _ => None,
    }
    .ok_or_else(|| redis(answer.error().unwrap_or_else(|| "Redis counted in an unknown way".to_owned())))
}

fn redis(message: String) -> Error {
    Error::new(ErrorKind::Redis, message)
}
