//! Tests of the bus against real servers. Each test starts its own servers on free ports and ends them. Without
//! `redis-server` (Debian: `apt-get install redis-server`) the tests print a note and pass.

mod clusters;
mod failures;
mod sentinels;
mod server;
mod single;
mod tls;

use std::time::Duration;

use bytes::Bytes;
use server::Server;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::cluster::bus::{Bus, BusEvent, HeldBytes, Subscription};
use crate::options::cluster::{ClusterOptions, Mode, Overflow, Redis, Subscriptions};
use crate::shared::figures::BusStats;

/// Limit of every single wait, on any machine.
const LONG: Duration = Duration::from_secs(20);

fn options(redis: Redis, mode: Mode) -> ClusterOptions {
    ClusterOptions {
        redis,
        username: None,
        password: None,
        tls: None,
        protocol: None,
        mode,
        prefix: "socket.io".to_owned(),
        subscriptions: Subscriptions::Dynamic,
        requests_timeout: Duration::from_secs(5),
        specific_response_channel: false,
        wait_for_redis: true,
        redis_timeout: Duration::from_secs(2),
        queue_bytes: 16 << 20,
        overflow: Overflow::DropOldest,
        secret: None,
    }
}

fn classic(url: &str) -> ClusterOptions {
    options(Redis::Url(url.to_owned()), Mode::Classic)
}

fn sharded(url: &str) -> ClusterOptions {
    options(Redis::Url(url.to_owned()), Mode::Sharded)
}

/// A bus and its events.
struct Node {
    bus: Bus,
    events: mpsc::UnboundedReceiver<BusEvent>,
}

#[derive(Debug, PartialEq, Eq)]
struct Message {
    pattern: Option<Bytes>,
    channel: Bytes,
    payload: Bytes,
}

impl Node {
    fn start(options: &ClusterOptions) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        Self { bus: Bus::start(options, sender).unwrap(), events }
    }

    /// Starts a bus and waits until it is up.
    async fn ready(options: &ClusterOptions) -> Self {
        let mut node = Self::start(options);
        node.bus.ready(LONG).await.unwrap();
        node.up().await;
        node
    }

    /// A bus that is up and has these subscriptions confirmed.
    async fn subscribed(options: &ClusterOptions, subscriptions: &[Subscription]) -> Self {
        let node = Self::ready(options).await;
        for what in subscriptions {
            node.bus.subscribe(what.clone());
        }
        node.bus.count(b"any").await.unwrap();
        node
    }

    async fn event(&mut self) -> BusEvent {
        timeout(LONG, self.events.recv()).await.expect("no event came").expect("the bus is there")
    }

    /// The next event, which must be a message.
    async fn message(&mut self) -> Message {
        self.held_message().await.0
    }

    async fn held_message(&mut self) -> (Message, HeldBytes) {
        match self.event().await {
            BusEvent::Message { pattern, channel, payload, held } => {
                (Message { pattern, channel, payload }, held)
            }
            other => panic!("a message was expected, not {other:?}"),
        }
    }

    async fn payload(&mut self) -> String {
        String::from_utf8(self.message().await.payload.to_vec()).unwrap()
    }

    /// Waits for `Up`, skipping messages.
    async fn up(&mut self) {
        loop {
            match self.event().await {
                BusEvent::Message { .. } => {}
                BusEvent::Up => return,
                BusEvent::Down(reason) => panic!("Up was expected, not Down: {reason}"),
            }
        }
    }

    /// Waits for `Down`, skipping messages; returns the reason.
    async fn down(&mut self) -> String {
        loop {
            match self.event().await {
                BusEvent::Message { .. } => {}
                BusEvent::Down(reason) => return reason,
                BusEvent::Up => panic!("Down was expected, not Up"),
            }
        }
    }

    fn publish(&self, channel: &str, payload: impl Into<Bytes>) {
        self.bus.publish(channel.as_bytes().into(), payload.into());
    }

    fn stats(&self) -> BusStats {
        self.bus.stats()
    }
}

fn channel(name: &str) -> Subscription {
    Subscription::Channel(name.as_bytes().into())
}

fn pattern(name: &str) -> Subscription {
    Subscription::Pattern(name.as_bytes().into())
}

fn shard(name: &str) -> Subscription {
    Subscription::Sharded(name.as_bytes().into())
}

/// Polls a condition that no event reports.
async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let waited = timeout(LONG, async {
        while !is().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}: not within {LONG:?}");
}
