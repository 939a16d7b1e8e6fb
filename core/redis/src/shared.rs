//! The state that the tasks of one bus share.

use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, mpsc, watch};

use crate::address::Address;
use crate::bus::{BusEvent, Panic};
use crate::health::Health;
use crate::lag::Lag;
use crate::outgoing::{LinkId, Outgoing};
use crate::settings::Settings;
use crate::slot::Routes;
use crate::subscriptions::Subscriptions;

/// Everything shared by the tasks of a bus.
pub(crate) struct BusShared {
    pub settings: Settings,
    pub state: Mutex<BusState>,
    pub lag: Arc<Lag>,
    /// Notified after a confirmation, a broken connection or a refreshed topology; see [`BusShared::until`].
    pub settled: Notify,
    /// Redis Cluster: notified when slots or nodes may have changed.
    pub refresh: Notify,
    /// Redis Cluster: the addresses of its nodes; empty until the topology is known.
    pub nodes: watch::Sender<Arc<[Address]>>,
    /// Whether the bus is up.
    pub up: watch::Receiver<bool>,
    /// The first panic of a task of the bus.
    pub broken: Mutex<Option<Panic>>,
    pub breaks: Notify,
}

/// The mutable part. No task holds the lock across an await.
pub(crate) struct BusState {
    pub outgoing: Outgoing,
    pub subscriptions: Subscriptions,
    pub health: Health,
    pub received: u64,
    pub reconnects: u64,
    next_link: LinkId,
}

impl BusState {
    /// Allocates the id of a new link.
    pub(crate) fn new_link(&mut self) -> LinkId {
        self.next_link += 1;
        self.next_link - 1
    }
}

impl BusShared {
    pub(crate) fn new(settings: Settings, events: mpsc::UnboundedSender<BusEvent>) -> Self {
        let routes = || if settings.by_slot() { Routes::nowhere() } else { Routes::One(COMMANDS) };
        let subscribed = if settings.by_slot() { Routes::nowhere() } else { Routes::One(SUBSCRIPTIONS) };
        let (up, up_seen) = watch::channel(false);
        let state = BusState {
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

    /// Waits until a condition holds. It is checked again after every notification of `settled`.
    pub(crate) async fn until(&self, mut is: impl FnMut(&mut BusState) -> bool) {
        loop {
            // Register before the check, so that a notification in between is not missed.
            let settled = self.settled.notified();
            if self.with(&mut is) {
                return;
            }
            settled.await;
        }
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut BusState) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

/// The only publishing link, where publishes are not routed by slot.
pub(crate) const COMMANDS: LinkId = 0;
/// The only subscribing link, where subscriptions are not routed by slot.
pub(crate) const SUBSCRIPTIONS: LinkId = 1;
