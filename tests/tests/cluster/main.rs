//! Several servers as one fleet, over a real Redis: in both wire formats, every operation of one node reaches the
//! clients of the others.

mod broadcasts;
mod emitter;
mod limits;
mod members;
mod redis;
mod rooms;
mod sockets;
mod trust;

use std::time::{Duration, Instant};

use bytes::Bytes;
use kraken_ws_core::{Event, Reply, Target};
use kraken_ws_tests::{Host, PATIENCE, Redis, TcpClient, eventually};
use serde_json::{Value, json};

/// The wire formats and their subscription modes.
const MODES: [(&str, &str); 4] =
    [("classic", "static"), ("sharded", "static"), ("sharded", "dynamic"), ("sharded", "dynamic-private")];

fn options(redis: &Redis, (mode, subscriptions): (&str, &str)) -> Value {
    json!({ "redis": redis.url(), "mode": mode, "subscriptionMode": subscriptions, "waitForRedis": true })
}

/// A node of the fleet with one shard or two.
fn node(cluster: &Value, shards: u8) -> Host {
    Host::start(&json!({ "shards": shards, "cluster": cluster }))
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await }).expect("an answer in time")
}

fn count(host: &Host) -> usize {
    wait(host.server.node_count(&host.main)).unwrap()
}

/// Two nodes that know each other.
fn pair(cluster: &Value) -> [Host; 2] {
    let pair = [node(cluster, 1), node(cluster, 2)];
    for host in &pair {
        eventually("both nodes are counted", || count(host) == 2);
    }
    pair
}

/// Runs a test in each mode, on a Redis of its own.
fn in_each_mode(test: impl Fn(&Value, &str)) {
    let Some(redis) = Redis::start() else { return };
    for mode in MODES {
        // Nodes of the last round may not have left yet, so each round has a fleet of its own.
        let mut cluster = options(&redis, mode);
        cluster["prefix"] = json!(format!("{}-{}", mode.0, mode.1));
        test(&cluster, &format!("{mode:?}"));
    }
}

/// Waits until `client` receives what other nodes send to a room that it has just joined: where rooms have channels
/// of their own, the subscription is not confirmed yet when the join returns.
fn heard(from: &Host, to: &str, client: &mut TcpClient) {
    let start = Instant::now();
    // A probe may be lost until the subscription is confirmed; the first one that arrives proves it.
    client.stream().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    for n in 0.. {
        assert!(start.elapsed() < PATIENCE, "the room {to} is never heard");
        from.publish(Target::room(to), &format!(r#"["probe",{n}]"#));
        let mut byte = [0];
        if client.stream().peek(&mut byte).is_ok() {
            client.stream().set_read_timeout(Some(PATIENCE)).unwrap();
            from.publish(Target::room(to), r#"["heard"]"#);
            while client.event() != json!(["heard"]) {}
            return;
        }
    }
}

/// The reply for a server-side emit, if one is wanted.
type AnswerTo = Option<Reply<(Box<str>, Vec<Bytes>)>>;

/// Waits for the next server-side emit.
fn server_side(host: &mut Host) -> (Value, Vec<Bytes>, AnswerTo) {
    loop {
        if let Event::ServerSide { data, attachments, reply, .. } = host.event() {
            return (serde_json::from_str(&data).unwrap(), attachments, reply);
        }
    }
}
