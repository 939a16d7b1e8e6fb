//! What the tasks of one bus share.

use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, mpsc, watch};

use crate::cluster::bus::BusEvent;
use crate::cluster::redis::address::Address;
use crate::cluster::redis::health::Health;
use crate::cluster::redis::lag::Lag;
use crate::cluster::redis::outgoing::{LinkId, Outgoing};
use crate::cluster::redis::settings::Settings;
use crate::cluster::redis::slot::Routes;
use crate::cluster::redis::subscriptions::Subscriptions;
use crate::shared::panics::Panic;

/// See the module.
pub(crate) struct Shared {
    pub settings: Settings,
    pub state: Mutex<State>,
    pub lag: Arc<Lag>,
    /// Something was confirmed, a connection broke, or a cluster's nodes are known: see [`Shared::until`].
    pub settled: Notify,
    /// Redis Cluster: slots or nodes may not be as they were.
    pub refresh: Notify,
    /// Redis Cluster: its nodes; none until it was asked.
    pub nodes: watch::Sender<Arc<[Address]>>,
    /// Whether the bus is up.
    pub up: watch::Receiver<bool>,
    /// A task of the bus panicked, and with what.
    pub broken: Mutex<Option<Panic>>,
    pub breaks: Notify,
}

/// All that changes. Tasks hold the lock between two awaits only.
pub(crate) struct State {
    pub outgoing: Outgoing,
    pub subscriptions: Subscriptions,
    pub health: Health,
    pub received: u64,
    pub reconnects: u64,
    next_link: LinkId,
}

impl State {
    /// A name for another link.
    pub fn new_link(&mut self) -> LinkId {
        self.next_link += 1;
        self.next_link - 1
    }
}

impl Shared {
    pub fn new(settings: Settings, events: mpsc::UnboundedSender<BusEvent>) -> Self {
        let routes = || if settings.by_slot() { Routes::nowhere() } else { Routes::One(COMMANDS) };
        let subscribed = if settings.by_slot() { Routes::nowhere() } else { Routes::One(SUBSCRIPTIONS) };
        let (up, up_seen) = watch::channel(false);
        let state = State {
            outgoing: Outgoing::new(settings.sharded, routes(), settings.queue_bytes, settings.overflow),
            subscriptions: Subscriptions::new(subscribed),
            health: Health::new(events, up),
            received: 0,
            reconnects: 0,
            next_link: SUBSCRIPTIONS + 1,
        };
        Self {
            lag: Lag::new(settings.queue_bytes),
            settings,
            state: Mutex::new(state),
            settled: Notify::new(),
            refresh: Notify::new(),
            nodes: watch::Sender::default(),
            up: up_seen,
            broken: Mutex::default(),
            breaks: Notify::new(),
        }
    }

    /// Waits for something that an answer, a broken connection or a look at the cluster brings about.
    pub async fn until(&self, mut is: impl FnMut(&mut State) -> bool) {
        loop {
            // Made before the look, so that nothing is missed in between.
            let settled = self.settled.notified();
            if self.with(&mut is) {
                return;
            }
            settled.await;
        }
    }

    pub fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

/// The link that publishes, where there is one for all channels.
pub(crate) const COMMANDS: LinkId = 0;
/// The link that subscribes, where there is one for all channels.
pub(crate) const SUBSCRIPTIONS: LinkId = 1;
