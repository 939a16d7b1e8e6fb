//! Tests of the bus against real servers. Each test starts its own servers on free ports and ends them. Without
//! `redis-server` (Debian: `apt-get install redis-server`) the tests print a note and pass.

mod clusters;
mod failures;
mod sentinels;
mod server;
mod single;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use server::Server;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::{
    Bus, BusEvent, Config, Counters, Dial, Dialed, Duplex, HeldBytes, Overflow, Servers, Subscription,
};

/// Limit of every single wait, on any machine.
const LONG: Duration = Duration::from_secs(20);

fn config(servers: Servers, mode: Mode) -> Config {
    Config {
        servers,
        username: None,
        password: None,
        tls: None,
        protocol: None,
        sharded: mode == Mode::Sharded,
        timeout: Duration::from_secs(2),
        queue_bytes: 16 << 20,
        overflow: Overflow::DropOldest,
    }
}

/// Sockets as tokio opens them.
struct Dialer;

impl Dial for Dialer {
    fn tcp<'a>(&'a self, host: &'a str, port: u16) -> Dialed<'a> {
        Box::pin(async move { Ok(Box::new(TcpStream::connect((host, port)).await?) as Box<dyn Duplex>) })
    }

    fn unix<'a>(&'a self, path: &'a str) -> Dialed<'a> {
        Box::pin(async move { Ok(Box::new(UnixStream::connect(path).await?) as Box<dyn Duplex>) })
    }
}

/// The kind of channels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Classic,
    Sharded,
}

fn classic(url: &str) -> Config {
    config(Servers::Url(url.to_owned()), Mode::Classic)
}

fn sharded(url: &str) -> Config {
    config(Servers::Url(url.to_owned()), Mode::Sharded)
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
    fn start(options: &Config) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        Self { bus: Bus::start(options, Arc::new(Dialer), sender).unwrap(), events }
    }

    /// Starts a bus and waits until it is up.
    async fn ready(options: &Config) -> Self {
        let mut node = Self::start(options);
        node.bus.ready(LONG).await.unwrap();
        node.up().await;
        node
    }

    /// A bus that is up and has these subscriptions confirmed.
    async fn subscribed(options: &Config, subscriptions: &[Subscription]) -> Self {
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

    fn stats(&self) -> Counters {
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
