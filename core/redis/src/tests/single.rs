//! Tests with a single working server.

use super::*;

#[tokio::test]
async fn what_is_published_comes_to_channels_and_patterns() {
    let Some(server) = Server::start(&[]) else { return };
    for protocol in [None, Some(3)] {
        let options = Config { protocol, ..server.options() };
        let mut node = Node::subscribed(&options, &[channel("a#"), pattern("b#*")]).await;
        let other = Node::ready(&options).await;
        other.publish("a#", "one");
        other.publish("nobody", "two");
        other.publish("b#room#", vec![0, 255, 13, 10]);
        let bytes = Bytes::from_static;
        assert_eq!(
            node.message().await,
            Message { pattern: None, channel: bytes(b"a#"), payload: bytes(b"one") }
        );
        let expected = Message {
            pattern: Some(bytes(b"b#*")),
            channel: bytes(b"b#room#"),
            payload: bytes(&[0, 255, 13, 10]),
        };
        assert_eq!(node.message().await, expected);
        other.bus.flush(LONG).await.unwrap();
        let stats = other.stats();
        assert_eq!((stats.published, stats.lost, stats.unconfirmed, stats.queued_bytes), (3, 0, 0, 0));
        assert_eq!(node.stats().received, 2);
        assert!(stats.up);
    }
}

#[tokio::test]
async fn what_is_published_comes_to_sharded_channels() {
    let Some(server) = Server::start(&[]) else { return };
    for protocol in [Some(2), Some(3)] {
        let options = Config { protocol, ..sharded(&server.url()) };
        let mut node = Node::subscribed(&options, &[shard("a#"), shard("b#")]).await;
        assert_eq!(node.bus.count(b"a#").await.unwrap(), 1);
        let other = Node::subscribed(&options, &[shard("a#")]).await;
        assert_eq!(node.bus.count(b"a#").await.unwrap(), 2);
        other.publish("b#", "to b");
        other.publish("a#", "to a");
        assert_eq!(node.payload().await, "to b");
        assert_eq!(node.payload().await, "to a");
    }
}

#[tokio::test]
async fn ten_thousand_messages_arrive_in_order() {
    let Some(server) = Server::start(&[]) else { return };
    for options in [server.options(), sharded(&server.url())] {
        let what = if options.sharded { shard("x") } else { pattern("x*") };
        let mut node = Node::subscribed(&options, &[what]).await;
        let other = Node::ready(&options).await;
        for number in 0..10_000 {
            other.publish("x", number.to_string());
        }
        for number in 0..10_000 {
            assert_eq!(node.payload().await, number.to_string());
        }
        other.bus.flush(LONG).await.unwrap();
        assert_eq!(other.stats().published, 10_000);
    }
}

#[tokio::test]
async fn payloads_of_every_size_arrive_whole_and_in_order() {
    let Some(server) = Server::start(&[]) else { return };
    let mut node = Node::subscribed(&server.options(), &[channel("x")]).await;
    let other = Node::ready(&server.options()).await;
    let sizes = [0, 1, 8191, 8192, 8193, 65_536, 1 << 20, 0, 300_000, 5 << 20, 1];
    let payload = |size: usize| (0..size).map(|index| (index % 251) as u8).collect::<Vec<_>>();
    for size in sizes {
        other.publish("x", payload(size));
    }
    for size in sizes {
        let message = node.message().await;
        assert!(message.payload == payload(size), "{size} bytes became {}", message.payload.len());
    }
    other.bus.flush(LONG).await.unwrap();
    assert_eq!(other.stats().published, sizes.len() as u64);
}

#[tokio::test]
async fn subscriptions_end_as_the_node_wants_them() {
    let Some(server) = Server::start(&[]) else { return };
    let mut node = Node::ready(&server.options()).await;
    for _ in 0..100 {
        node.bus.subscribe(channel("on"));
        node.bus.subscribe(channel("on"));
        node.bus.unsubscribe(channel("on"));
        node.bus.subscribe(channel("off"));
        node.bus.unsubscribe(channel("off"));
        node.bus.unsubscribe(channel("never"));
        node.bus.subscribe(channel("on"));
        tokio::task::yield_now().await;
    }
    assert_eq!(node.bus.count(b"on").await.unwrap(), 1);
    assert_eq!(node.bus.count(b"off").await.unwrap(), 0);
    node.publish("off", "not for us");
    node.publish("on", "for us");
    assert_eq!(node.payload().await, "for us");
    // Subscribed again after a reconnect, and still only once.
    server.kill_clients("kraken-ws-subscribe").await;
    node.down().await;
    node.bus.subscribe(channel("later"));
    node.bus.unsubscribe(channel("on"));
    node.up().await;
    assert_eq!(node.bus.count(b"later").await.unwrap(), 1);
    assert_eq!(node.bus.count(b"on").await.unwrap(), 0);
}

#[tokio::test]
async fn five_thousand_channels_are_subscribed_again() {
    let Some(server) = Server::start(&[]) else { return };
    let mut node = Node::ready(&server.options()).await;
    for number in 0..5000 {
        node.bus.subscribe(channel(&format!("room {number}")));
    }
    assert_eq!(node.bus.count(b"room 4999").await.unwrap(), 1);
    server.kill_clients("kraken-ws-subscribe").await;
    node.down().await;
    node.up().await;
    let counted = server.ask("PUBSUB CHANNELS").await.items().len();
    assert_eq!(counted, 5000);
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_serves_too() {
    let folder = server::Folder::new();
    let path = folder.0.join("redis.sock").display().to_string();
    let Some(_server) = Server::start(&["--unixsocket", &path]) else { return };
    let options = classic(&format!("redis+unix://{path}"));
    let mut node = Node::subscribed(&options, &[channel("x")]).await;
    node.publish("x", "hello");
    assert_eq!(node.payload().await, "hello");
}

#[tokio::test]
async fn a_user_of_the_acl_logs_in() {
    // An ACL allows a pattern only if it lists exactly that pattern.
    let acl =
        "user ada on >s3cret resetchannels &socket.io#/#* +publish +psubscribe +subscribe +pubsub +ping";
    let folder = server::Folder::new();
    let file = folder.file("users.acl", &format!("{acl}\nuser default on nopass ~* &* +@all\n"));
    let Some(server) = Server::start(&["--aclfile", &file]) else { return };
    for protocol in [2, 3] {
        let options = Config {
            username: Some("ada".to_owned()),
            password: Some("s3cret".to_owned()),
            protocol: Some(protocol),
            ..server.options()
        };
        let mut node = Node::subscribed(&options, &[pattern("socket.io#/#*")]).await;
        node.publish("socket.io#/#room#", "hello");
        assert_eq!(node.payload().await, "hello");
        // A publish that the ACL forbids is lost; the others go on.
        node.publish("elsewhere", "no");
        node.publish("socket.io#/#room#", "again");
        assert_eq!(node.payload().await, "again");
        // Either the refusal or the message behind it was seen first.
        let _ = node.bus.flush(LONG).await;
        assert_eq!((node.stats().published, node.stats().lost), (2, 1));
        node.bus.subscribe(channel("elsewhere"));
        let reason = node.down().await;
        assert!(reason.contains("SUBSCRIBE elsewhere: NOPERM"), "{reason}");
        node.bus.unsubscribe(channel("elsewhere"));
        node.up().await;
        // The same with the credentials in the URL.
        let url = format!("redis://ada:s3cret@127.0.0.1:{}", server.port);
        Node::ready(&Config { protocol: Some(protocol), ..classic(&url) }).await;
    }
}

#[tokio::test]
async fn wrong_options_are_refused_at_start() {
    let refused = |options: &Config| {
        let (sender, _events) = mpsc::unbounded_channel();
        Bus::start(options, Arc::new(Dialer), sender).err().expect("refused").to_string()
    };
    let good = || classic("redis://127.0.0.1");
    for (options, message) in [
        (classic("http://h"), "redis: expected redis://"),
        (Config { protocol: Some(4), ..good() }, "protocol: expected 2 or 3, got 4"),
        (
            Config { tls: Some(Default::default()), ..good() },
            "tls: expected a redis URL that begins with rediss://",
        ),
        (Config { username: Some("ada".to_owned()), ..good() }, "password: expected a password for the user"),
        (
            config(Servers::Cluster(vec![]), Mode::Classic),
            "redis.cluster: expected one URL or more, got none",
        ),
        (
            config(Servers::Cluster(vec!["redis://a".into(), "rediss://b".into()]), Mode::Classic),
            "redis.cluster: expected redis:// for all or rediss:// for all",
        ),
        (
            config(
                Servers::Sentinel { sentinels: vec!["redis://a".into()], master: String::new() },
                Mode::Classic,
            ),
            "redis.sentinel.master: expected",
        ),
    ] {
        let error = refused(&options);
        assert!(error.starts_with(message), "{error}");
    }
}
