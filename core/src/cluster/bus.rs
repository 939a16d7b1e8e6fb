//! The bus of a fleet: publishes, subscribes and counts by way of Redis, and stays at it whatever happens to Redis.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};

use crate::cluster::redis::{
    Address, Ask, COMMANDS, Cluster, Link, LinkId, Role, SUBSCRIPTIONS, Settings, Shared, Site, State,
    Target, Value, command,
};
use crate::options::cluster::ClusterOptions;
use crate::shared::figures::BusStats;
use crate::shared::panics::{Panic, caught};
use crate::types::error::{Error, ErrorCode, Result};

pub(crate) use crate::cluster::redis::Held;

/// What is subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subscription {
    /// SUBSCRIBE
    Channel(Box<[u8]>),
    /// PSUBSCRIBE
    Pattern(Box<[u8]>),
    /// SSUBSCRIBE
    Sharded(Box<[u8]>),
}

/// What the bus tells the node.
#[derive(Debug)]
pub(crate) enum BusEvent {
    /// A message; `pattern` if it came through one.
    Message {
        /// The pattern that it came through.
        pattern: Option<Bytes>,
        /// Where it was published.
        channel: Bytes,
        /// What was published.
        payload: Bytes,
        /// Dropped when the node is done with the message; see [`Held`].
        held: Held,
    },
    /// Connected, and everything is subscribed (again).
    Up,
    /// Not connected any more, and why. Attempts to reconnect are under way.
    Down(String),
}

/// How long a count waits for what is being subscribed. A cluster that lacks a master can't confirm everything.
const SETTLING: Duration = Duration::from_secs(1);

/// The connections to Redis. Dropping it ends them.
pub(crate) struct Bus {
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
    /// Redis Cluster: who asks each node, made when first asked.
    askers: Mutex<HashMap<Address, Asker>>,
}

struct Asker {
    link: LinkId,
    task: AbortHandle,
}

impl Bus {
    /// Checks the options and begins to connect, on the current tokio runtime. Events go to `events`, in order.
    pub fn start(options: &ClusterOptions, events: mpsc::UnboundedSender<BusEvent>) -> Result<Self> {
        let shared = Arc::new(Shared::new(Settings::new(options)?, events));
        let bus = Self { shared: shared.clone(), tasks: Mutex::default(), askers: Mutex::default() };
        let target = match &shared.settings.site {
            Site::Single(address) => Target::Server(address.clone()),
            Site::Sentinel { .. } => Target::Master,
            Site::Cluster(_) => Target::Node,
        };
        if !shared.settings.by_slot() {
            for (id, role) in [(COMMANDS, Role::Commands), (SUBSCRIPTIONS, Role::Subscriptions)] {
                bus.spawn(Link { id, role, target: target.clone() }.start(&shared));
            }
        }
        match &shared.settings.site {
            Site::Cluster(seeds) => {
                bus.spawn(Cluster::new(shared.clone(), seeds.clone()).follow());
            }
            Site::Single(_) | Site::Sentinel { .. } => shared.with(|state| state.health.complete()),
        }
        Ok(bus)
    }

    /// Runs a task of the bus. One that panics is not made again: the whole bus has to be.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let shared = self.shared.clone();
        self.tasks().spawn(async move {
            if let Err(panic) = caught(pin!(task)).await {
                shared.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
                shared.breaks.notify_one();
            }
        })
    }

    /// Waits for a panic of one of the tasks.
    pub async fn broken(&self) -> Panic {
        loop {
            if let Some(panic) = self.shared.broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return panic;
            }
            self.shared.breaks.notified().await;
        }
    }

    /// Waits until the bus is up; an error says why it isn't.
    pub async fn ready(&self, within: Duration) -> Result<()> {
        let mut up = self.shared.up.clone();
        if let Ok(Ok(_)) = timeout(within, up.wait_for(|up| *up)).await {
            return Ok(());
        }
        let reason = self.shared.with(|state| state.health.reason().map(str::to_owned));
        Err(redis(reason.unwrap_or_else(|| format!("no connection within {} ms", within.as_millis()))))
    }

    /// Publishes, in the order of the calls. Without a connection the message waits for one.
    pub fn publish(&self, channel: Box<[u8]>, payload: Bytes) {
        self.shared.with(|state| state.outgoing.publish(channel, payload));
    }

    /// Subscribes, now and after every reconnect. Twice is once.
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

    /// How many subscribe to a channel; on Redis Cluster, over all nodes that answer. What this bus has subscribed to
    /// before the call is counted.
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
        // Half of the time that all may take, so that one silent node does not cost the answers of the others.
        let until = Instant::now() + self.shared.settings.timeout / 2;
        let answers: Vec<_> = self.ask_links().into_iter().map(|link| self.ask(link, channel)).collect();
        let mut sum = None;
        for answer in answers {
            // A node that can't be reached has no subscribers that can be.
            if let Ok(Ok(value)) = timeout_at(until, answer).await {
                sum = Some(sum.unwrap_or(0) + number(&value)?);
            }
        }
        sum.ok_or_else(|| redis("no node of the cluster answers".to_owned()))
    }

    /// A link to each node of the cluster, and to no other.
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
                    let link = self.shared.with(State::new_link);
                    let asker =
                        Link { id: link, role: Role::Questions, target: Target::Server(address.clone()) };
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

    /// Figures of this moment.
    pub fn stats(&self) -> BusStats {
        self.shared.with(|state| {
            let counts = state.outgoing.counts();
            let (gaps, gap) = state.health.gaps();
            BusStats {
                gaps,
                gap_ms: gap.as_millis() as u64,
                published: counts.published,
                received: state.received,
                lost: counts.lost,
                unconfirmed: counts.unconfirmed,
                reconnects: state.reconnects,
                queued_bytes: state.outgoing.bytes() as u64,
                up: state.health.is_up(),
            }
        })
    }

    /// Publishes of which nobody knows yet what becomes of them.
    pub fn open(&self) -> u64 {
        self.shared.with(|state| state.outgoing.open())
    }

    /// Whether some connection still works, which being down does not rule out.
    #[cfg(test)]
    pub fn is_partly_up(&self) -> bool {
        self.shared.with(|state| state.health.is_partly_up())
    }

    /// Waits until all that was published so far is confirmed; an error if some of it was lost meanwhile, or time is up.
    pub async fn flush(&self, within: Duration) -> Result<()> {
        let failures = |state: &mut State| state.outgoing.counts().lost + state.outgoing.counts().unconfirmed;
        let (mark, before) = self.shared.with(|state| (state.outgoing.mark(), failures(state)));
        if timeout(within, self.shared.until(|state| state.outgoing.is_done(mark))).await.is_err() {
            let reason = self.shared.with(|state| state.health.reason().map(str::to_owned));
            let reason = reason.unwrap_or_else(|| "Redis is slow".to_owned());
            return Err(Error::new(
                ErrorCode::Timeout,
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

    /// Ends the connections and waits until they are gone. What still waits is not published: [`Bus::flush`] first.
    pub async fn close(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks());
        tasks.shutdown().await;
    }
}

/// The number in `[channel, number]`.
fn number(answer: &Value) -> Result<usize> {
    match answer.items() {
        [_, count] => count.int().and_then(|count| usize::try_from(count).ok()),
        _ => None,
    }
    .ok_or_else(|| redis(answer.error().unwrap_or_else(|| "Redis counted in an unknown way".to_owned())))
}

fn redis(message: String) -> Error {
    Error::new(ErrorCode::Redis, message)
}
