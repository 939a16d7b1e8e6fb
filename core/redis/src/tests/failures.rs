//! Tests of failures of Redis and of the network.

use std::sync::Arc;
use std::time::Instant;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::*;
use crate::error::ErrorKind;
use crate::resp::Value;

#[tokio::test]
async fn redis_restarts_five_times_under_traffic() {
    let Some(mut server) = Server::start(&[]) else { return };
    let mut node = Node::subscribed(&server.options(), &[pattern("x*")]).await;
    let mut other = Node::ready(&server.options()).await;
    let mut next = 0;
    let mut send = |other: &Node, count: u32| {
        for _ in 0..count {
            other.publish("x", next.to_string());
            next += 1;
        }
        next
    };
    let mut last = None;
    for _ in 0..5 {
        // While Redis is up, every message arrives once and in order.
        let end = send(&other, 500);
        while last != Some(end - 1) {
            let number: u32 = node.payload().await.parse().unwrap();
            if let Some(last) = last {
                assert!(number > last, "{number} came after {last}");
            }
            if number + 500 >= end && number != end - 500 {
                assert_eq!(Some(number - 1), last);
            }
            last = Some(number);
        }
        other.bus.flush(LONG).await.unwrap();
        // These are cut off in flight; the following ones wait for Redis.
        send(&other, 200);
        tokio::task::yield_now().await;
        server.kill();
        node.down().await;
        other.down().await;
        send(&other, 100);
        assert!(server.run());
        // Messages that the node missed meanwhile are lost: pub/sub keeps none.
        node.up_behind_messages(&mut last).await;
        other.up().await;
        node.bus.count(b"x").await.unwrap();
    }
    other.bus.flush(LONG).await.unwrap();
    let stats = other.stats();
    assert_eq!(stats.published + stats.unconfirmed + stats.lost, 5 * 800);
    assert_eq!((stats.lost, stats.reconnects), (0, 10));
}

impl Node {
    /// Waits for `Up`; the numbers of messages before it must rise.
    async fn up_behind_messages(&mut self, last: &mut Option<u32>) {
        loop {
            match self.event().await {
                BusEvent::Up => return,
                BusEvent::Down(reason) => panic!("down again: {reason}"),
                BusEvent::Message { payload, .. } => {
                    let number = std::str::from_utf8(&payload).unwrap().parse().unwrap();
                    assert!(last.is_none_or(|last| number > last), "{number} came after {last:?}");
                    *last = Some(number);
                }
            }
        }
    }
}

#[tokio::test]
async fn killed_connections_are_made_anew() {
    let Some(server) = Server::start(&[]) else { return };
    let mut node = Node::subscribed(&server.options(), &[channel("x")]).await;
    for name in ["kraken-ws-subscribe", "kraken-ws-publish"] {
        server.kill_clients(name).await;
        let reason = node.down().await;
        assert!(reason.starts_with("127.0.0.1:"), "{reason}");
        node.publish("x", format!("waits or goes, without {name}"));
        node.up().await;
        node.bus.flush(LONG).await.unwrap();
        node.publish("x", name);
        while node.payload().await != name {}
    }
    assert_eq!(node.stats().reconnects, 2);
    assert_eq!(node.stats().unconfirmed, 0);
}

#[tokio::test]
async fn a_server_that_comes_later_is_found() {
    if !server::installed("redis-server") {
        return;
    }
    let mut server = Server::stopped(&[]);
    let mut node = Node::start(&server.options());
    node.bus.subscribe(channel("x"));
    node.publish("x", "early");
    let reason = node.down().await;
    assert!(reason.contains("refused"), "{reason}");
    let error = node.bus.ready(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redis);
    assert!(error.message().contains("refused"), "{error}");
    assert!(node.bus.flush(Duration::from_millis(50)).await.is_err());
    assert!(server.run());
    node.bus.ready(LONG).await.unwrap();
    // The message may have been published before the subscription was confirmed.
    node.bus.flush(LONG).await.unwrap();
    assert_eq!(node.stats().published, 1);
    assert_eq!(node.stats().reconnects, 0);
}

#[tokio::test]
async fn a_wrong_password_is_said_and_tried_until_it_is_right() {
    let Some(server) = Server::start(&["--requirepass", "right"]) else { return };
    for (protocol, password, expected) in [
        (2, None, "NOAUTH"),
        (3, None, "NOAUTH"),
        (2, Some("wrong"), "WRONGPASS"),
        (3, Some("wrong"), "WRONGPASS"),
    ] {
        let password = password.map(str::to_owned);
        let options = Config { password: password.clone(), protocol: Some(protocol), ..server.options() };
        let mut node = Node::start(&options);
        let reason = node.down().await;
        assert!(reason.contains(expected), "{reason}");
        assert!(!reason.contains("right") && !reason.contains("wrong "), "{reason}");
        assert!(node.bus.ready(Duration::from_millis(300)).await.unwrap_err().message().contains(expected));
        // The password is correct from here on.
        let admin = |password: &str| Config { password: Some(password.to_owned()), ..server.options() };
        let now = password.as_deref().unwrap_or("nopass");
        let set = if now == "nopass" {
            "CONFIG SET requirepass ".to_owned()
        } else {
            format!("CONFIG SET requirepass {now}")
        };
        server.ask_as(&admin("right"), &set).await;
        node.bus.ready(LONG).await.unwrap();
        let back = if now == "nopass" { server.options() } else { admin(now) };
        server.ask_as(&back, "CONFIG SET requirepass right").await;
    }
}

#[tokio::test]
async fn a_full_server_is_said_and_tried_until_there_is_room() {
    let Some(server) = Server::start(&["--maxclients", "1"]) else { return };
    let mut node = Node::start(&server.options());
    let reason = node.down().await;
    assert!(reason.contains("max number of clients"), "{reason}");
    // The only allowed connection belongs to the node, and the test can't raise the limit; Redis raises it by itself.
    drop(node);
    until("a free place", async || {
        let settings = crate::settings::Settings::new(&server.options(), Arc::new(Dialer)).unwrap();
        let address = crate::address::Address::parse("test", &server.url()).unwrap();
        crate::connection::Connection::open(&settings, &address, "test").await.is_ok()
    })
    .await;
    let mut node = Node::start(&server.options());
    node.down().await;
}

#[tokio::test]
async fn what_waits_is_bounded_by_queue_bytes() {
    for overflow in [Overflow::DropOldest, Overflow::DropNewest] {
        let Some(mut server) = Server::start(&[]) else { return };
        let mut node = Node::ready(&Config { queue_bytes: 11_000, overflow, ..server.options() }).await;
        server.kill();
        node.down().await;
        for _ in 0..40 {
            node.publish("x", vec![b'.'; 1000]);
            assert!(node.stats().queued_bytes <= 11_000);
        }
        node.publish("x", vec![b'.'; 12_000]);
        assert_eq!((node.stats().lost, node.stats().published), (31, 0));
        assert!(server.run());
        node.up().await;
        node.bus.flush(LONG).await.unwrap();
        assert_eq!((node.stats().lost, node.stats().published, node.stats().queued_bytes), (31, 10, 0));
    }
}

/// A TCP proxy that can be cut and stalled.
struct Proxy {
    port: u16,
    stalled: watch::Sender<bool>,
}

impl Proxy {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (stalled, seen) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut seen = seen.clone();
                tokio::spawn(async move {
                    // While stalled, connections are accepted and stay open, but no byte is forwarded.
                    let _ = seen.wait_for(|stalled| !stalled).await;
                    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    let stall = async {
                        let _ = seen.wait_for(|stalled| *stalled).await;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => return,
                        () = stall => {}
                    }
                    tokio::time::sleep(LONG).await;
                });
            }
        });
        Self { port: own, stalled }
    }
}

#[tokio::test]
async fn a_stalled_network_is_noticed_on_both_connections() {
    let Some(server) = Server::start(&[]) else { return };
    let proxy = Proxy::to(server.port).await;
    let options = Config {
        timeout: Duration::from_millis(400),
        ..classic(&format!("redis://127.0.0.1:{}", proxy.port))
    };
    let mut node = Node::subscribed(&options, &[channel("x")]).await;
    // Idle for longer than the timeout: heartbeats keep the connection.
    assert!(timeout(Duration::from_millis(1000), node.events.recv()).await.is_err());
    proxy.stalled.send_replace(true);
    let since = Instant::now();
    let reason = node.down().await;
    assert!(reason.contains("no answer from Redis within 400 ms"), "{reason}");
    assert!(since.elapsed() < Duration::from_millis(2500), "{:?}", since.elapsed());
    // `Down` is sent when the first of the two links breaks; a message on the other would be unconfirmed.
    until("both connections given up", async || !node.bus.is_partly_up()).await;
    node.publish("x", "waits");
    proxy.stalled.send_replace(false);
    node.up().await;
    node.bus.flush(LONG).await.unwrap();
    assert_eq!(node.stats().reconnects, 2, "both connections were given up");
    assert_eq!((node.stats().published, node.stats().unconfirmed), (1, 0));
}

#[tokio::test]
async fn what_is_written_and_not_confirmed_is_not_sent_again() {
    let Some(server) = Server::start(&[]) else { return };
    let proxy = Proxy::to(server.port).await;
    let options = Config {
        timeout: Duration::from_millis(400),
        ..classic(&format!("redis://127.0.0.1:{}", proxy.port))
    };
    let mut node = Node::subscribed(&server.options(), &[channel("x")]).await;
    let mut other = Node::ready(&options).await;
    proxy.stalled.send_replace(true);
    tokio::task::yield_now().await;
    // More than the socket buffers hold, so some of it is written and some is not.
    let mut payload = vec![b'.'; 64 * 1024];
    for number in 0..200 {
        payload[0] = number;
        other.publish("x", payload.clone());
    }
    other.down().await;
    proxy.stalled.send_replace(false);
    other.up().await;
    assert!(other.bus.flush(LONG).await.is_ok());
    let stats = other.stats();
    assert!(stats.unconfirmed > 0 && stats.published > 0, "{stats:?}");
    assert_eq!(stats.published + stats.unconfirmed, 200);
    other.publish("x", "end");
    let mut last = None;
    loop {
        let payload = node.message().await.payload;
        if payload == "end" {
            break;
        }
        assert!(last.is_none_or(|last| payload[0] > last), "{} after {last:?}", payload[0]);
        last = Some(payload[0]);
    }
}

#[tokio::test]
async fn what_a_slow_redis_gets_to_in_the_end_comes_once() {
    let Some(server) = Server::start(&["--enable-debug-command", "yes"]) else { return };
    let mut node = Node::subscribed(&server.options(), &[channel("x")]).await;
    let options = Config { timeout: Duration::from_millis(300), ..server.options() };
    let mut other = Node::ready(&options).await;
    let slow = Config { timeout: LONG, ..server.options() };
    let sleep = server.ask_as(&slow, "DEBUG SLEEP 1.5");
    let traffic = async {
        for number in 0..100 {
            other.publish("x", number.to_string());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        other.down().await;
        other.up().await;
        other.bus.flush(LONG).await.unwrap();
        other.publish("x", "100");
    };
    tokio::join!(sleep, traffic);
    let mut seen = Vec::new();
    while seen.last() != Some(&100) {
        seen.push(node.payload().await.parse::<u32>().unwrap());
    }
    other.bus.flush(LONG).await.unwrap();
    let stats = other.stats();
    assert!(stats.unconfirmed > 0, "{stats:?}");
    assert_eq!(stats.published + stats.unconfirmed, 101);
    assert!(seen.is_sorted_by(|earlier, later| earlier < later), "{seen:?}");
    assert!(seen.len() as u64 >= stats.published, "{} of {stats:?}", seen.len());
}

#[tokio::test]
async fn a_node_that_lags_holds_no_more_than_queue_bytes_and_recovers() {
    let limits = ["--client-output-buffer-limit", "pubsub 1mb 0 0"];
    let Some(server) = Server::start(&limits) else { return };
    let options = Config { queue_bytes: 1 << 20, ..server.options() };
    let mut node = Node::subscribed(&options, &[channel("x")]).await;
    let other = Node::ready(&server.options()).await;
    // The node holds on to every message.
    let mut held = Vec::new();
    let payload = Bytes::from(vec![b'.'; 10_000]);
    for _ in 0..40 {
        for _ in 0..100 {
            other.publish("x", payload.clone());
        }
        other.bus.flush(LONG).await.unwrap();
        while let Ok(event) = node.events.try_recv() {
            held.push(event);
        }
    }
    let bytes = held.len() * payload.len();
    assert!(bytes < 2 << 20, "{bytes} bytes of 40 MB were taken in");
    until("Redis to give up on the node", async || {
        server.ask("PUBSUB NUMSUB x").await.items()[1] == Value::Int(0)
    })
    .await;
    drop(held);
    let reason = node.down().await;
    assert!(reason.contains("lagged"), "{reason}");
    node.up().await;
    assert_eq!(node.bus.count(b"x").await.unwrap(), 1);
    other.publish("x", "hello");
    assert_eq!(node.payload().await, "hello");
}

#[tokio::test]
async fn who_takes_and_closes_is_not_hammered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let accepted = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = accepted.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let mut node = Node::start(&classic(&url));
    node.down().await;
    assert!(timeout(Duration::from_secs(2), node.events.recv()).await.is_err(), "Down is said once");
    // Two links, each with attempts after 0, 50–100, 100–200, 200–400, 400–800, 800–1600 ms …
    let attempts = accepted.load(std::sync::atomic::Ordering::Relaxed);
    assert!((4..=14).contains(&attempts), "{attempts}");
}

#[tokio::test]
async fn a_server_that_is_no_redis_is_said_to_be_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://127.0.0.1:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let reason = Node::start(&classic(&url)).down().await;
    assert!(reason.contains("does not speak RESP"), "{reason}");
}

#[tokio::test]
async fn the_connections_end_with_the_bus() {
    let Some(server) = Server::start(&[]) else { return };
    let node = Node::ready(&server.options()).await;
    let closed = Node::ready(&server.options()).await;
    assert_eq!(server.clients().await.len(), 4);
    closed.bus.close().await;
    until("two are gone", async || server.clients().await.len() == 2).await;
    drop(node);
    until("all are gone", async || server.clients().await.is_empty()).await;
}
