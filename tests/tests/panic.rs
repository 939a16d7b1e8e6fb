//! A panic on a thread of the library: the affected sockets are told, others are not, and the server goes on and can
//! be closed.
//!
//! The panics are real. The test's log panics, and it runs where the core logs, in the middle of an operation.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use kraken_ws_core::{
    ClusterChange, Disconnect, EmitFlags, Event, HttpReply, Options, Reason, RequestInfo, Server,
    SocketHandle, Target,
};
use kraken_ws_tests::{Host, PATIENCE, Redis, TcpClient, eventually, process};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

/// A log that panics at a line with a given beginning, as often as requested, and keeps the errors.
struct Log {
    trap: &'static str,
    left: AtomicUsize,
    errors: Mutex<Vec<String>>,
}

impl Log {
    fn with_trap(trap: &'static str, times: usize) -> Arc<Self> {
        let log = Arc::new(Self { trap, left: AtomicUsize::new(times), errors: Mutex::default() });
        // There is one test per process.
        tracing::subscriber::set_global_default(Shared(log.clone())).expect("the only log");
        log
    }

    fn errors(&self) -> Vec<String> {
        self.errors.lock().unwrap().clone()
    }
}

struct Shared(Arc<Log>);

impl Subscriber for Shared {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("kraken_ws")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let one_less = |left: usize| left.checked_sub(1);
        let trapped = text.0.starts_with(self.0.trap)
            && self.0.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        assert!(!trapped, "deliberate");
        if *event.metadata().level() == Level::ERROR {
            self.0.errors.lock().unwrap().push(text.0);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.0.insert_str(0, &format!("{value:?}")),
            name => self.0.push_str(&format!(" {name}={value:?}")),
        }
    }
}

/// A line that the core logs in the middle of a change of a shard's state.
const IN_A_SHARD: &str = "WebSocket error";

/// Makes the client's shard panic: an unmasked frame is logged.
fn break_shard(client: &mut TcpClient) {
    std::io::Write::write_all(client.stream(), &[0x81, 1, b'2']).unwrap();
}

fn shard_of(socket: SocketHandle) -> u64 {
    socket.0 & 0x3f
}

fn names(rooms: Vec<Box<str>>) -> Vec<String> {
    let mut rooms: Vec<_> = rooms.into_iter().map(String::from).collect();
    rooms.sort();
    rooms
}

/// Clients on two shards, the same number on each.
fn clients(host: &mut Host, count: usize) -> [Vec<(TcpClient, SocketHandle)>; 2] {
    let addr = host.listen();
    let mut sides = [Vec::new(), Vec::new()];
    for _ in 0..count {
        let (client, socket) = host.client(addr);
        sides[shard_of(socket) as usize].push((client, socket));
    }
    assert_eq!(sides[0].len(), sides[1].len());
    sides
}

/// Waits for the disconnect events of these sockets.
fn hear_of_the_end(host: &mut Host, hit: &[(TcpClient, SocketHandle)]) {
    let mut gone = Vec::new();
    while gone.len() < hit.len() {
        gone.push(host.find(|event| match event {
            Event::Disconnect { socket, reason, detail } => {
                assert_eq!((*reason, *detail), (Reason::TransportError, "internal error"));
                Some(*socket)
            }
            _ => None,
        }));
    }
    gone.sort();
    let mut sockets: Vec<_> = hit.iter().map(|(_, socket)| *socket).collect();
    sockets.sort();
    assert_eq!(gone, sockets);
}

#[test]
fn a_panic_in_a_shard_closes_its_clients_and_nobody_elses() {
    let log = Log::with_trap(IN_A_SHARD, 2);
    let mut host = Host::start(&json!({ "shards": 2 }));
    let addr = host.listen();
    let [mut hit, mut spared] = clients(&mut host, 8);
    host.server.join(hit[0].1, &["both", "one"]);
    host.server.join(hit[1].1, &["one"]);
    host.server.join(spared[0].1, &["both"]);
    host.settle();
    assert_eq!(names(host.server.rooms(&host.main)), ["both", "one"]);

    for round in 1..=2 {
        break_shard(&mut hit[0].0);
        hear_of_the_end(&mut host, &hit);
        for (client, _) in &mut hit {
            assert_eq!(client.ended(), Some(1011));
        }
        let stats = host.server.stats();
        assert_eq!((stats.panics, stats.connections, stats.sockets), (round, 4, 4));
        assert_eq!(names(host.server.rooms(&host.main)), ["both"]);
        assert_eq!(host.settle().len(), 4);
        assert_eq!(log.errors().len() as u64, round);
        assert!(log.errors()[0].contains("a bug in kraken_ws was caught"), "{:?}", log.errors());

        // The clients reconnect, to the same shard too, and get handles that were never used before.
        let old: Vec<_> = hit.iter().map(|(_, socket)| *socket).collect();
        let mut further = Vec::new();
        while further.len() < 4 {
            let (client, socket) = host.client(addr);
            match shard_of(socket) {
                0 => further.push((client, socket)),
                _ => host.server.disconnect(socket, Disconnect::Connection),
            }
            assert!(!old.contains(&socket));
        }
        host.server.join(further[0].1, &["both"]);
        eventually("the others have left", || host.server.stats().sockets == 8);
        host.publish(Target::room("both"), r#"["still here"]"#);
        assert_eq!(further[0].0.event(), json!(["still here"]));
        assert_eq!(spared[0].0.event(), json!(["still here"]));
        spared[0].0.send(r#"2["hello"]"#);
        host.find(|event| matches!(event, Event::Event { .. }).then_some(()));
        // An emit to a former socket reaches nobody.
        host.emit(old[0], r#"["late"]"#);
        assert_eq!(host.settle().len(), 8);
        hit = further;
    }
    host.publish(Target::all(), r#"["all"]"#);
    for (client, _) in hit.iter_mut().chain(&mut spared) {
        assert_eq!(client.event(), json!(["all"]));
    }
    host.close();
    eventually("the threads end", || process::shards().is_empty());
}

#[test]
fn who_waits_for_a_broken_shard_is_answered() {
    Log::with_trap(IN_A_SHARD, 1);
    let mut host = Host::start(&json!({ "shards": 2 }));
    let [mut hit, mut spared] = clients(&mut host, 4);
    let silent: Vec<Box<str>> = hit.iter().map(|(client, _)| client.id.as_str().into()).collect();
    // A polling session on the same shard with a pending poll.
    let ask = |method: &str, query: &str, body: &'static str| {
        let url = format!("/socket.io/?EIO=4&transport=polling{query}");
        let mut request = RequestInfo::new(method, url);
        request.protocol = 4;
        let (reply, answer) = mpsc::channel();
        let _ = host.server.http(request, body.into(), Box::new(move |got| reply.send(got).unwrap()));
        move || {
            let got: HttpReply = answer.recv_timeout(PATIENCE).expect("an answer");
            (got.status, String::from_utf8(got.body.to_vec()).unwrap())
        }
    };
    let mut polls = Vec::new();
    while polls.len() < 2 {
        let sid = format!("&sid={}", ask("GET", "", "")().1.split('"').nth(3).unwrap());
        ask("POST", &sid, "40")();
        assert!(ask("GET", &sid, "")().1.starts_with("40{"));
        // Requests go to the shards in turn, so the next session is on the other one.
        ask("GET", "&sid=none", "")();
        polls.push((sid.clone(), ask("GET", &sid, "")));
    }
    let data = r#"["question"]"#;
    let flags = EmitFlags::default();
    let long = Some(Duration::from_secs(60));
    let one = host.server.emit_with_ack(&host.main, hit[0].1, data, vec![], flags, long).unwrap();
    // The answer below has to arrive in this time, also on a busy machine.
    let soon = Duration::from_secs(3);
    let sockets = Target {
        rooms: silent.iter().cloned().chain([spared[0].0.id.as_str().into()]).collect(),
        except: vec![],
    };
    let all = host.server.publish_with_ack(&host.main, sockets, data, vec![], flags, soon).unwrap();
    let asked = spared[0].0.asked();
    spared[0].0.ack(asked, "[7]");
    host.settle();
    break_shard(&mut hit[0].0);
    let gone = host.find(|event| match event {
        Event::AckTimeout { id, gone, .. } if *id == one => Some(*gone),
        _ => None,
    });
    assert_eq!(gone, Some(Reason::TransportError));
    let mut named = host.find(|event| match event {
        Event::BroadcastAck { id, timed_out, expected, silent, responses, .. } if *id == all => {
            assert_eq!((*timed_out, *expected, responses.len()), (true, 3, 1));
            Some(silent.clone())
        }
        _ => None,
    });
    named.sort();
    let mut silent = silent;
    silent.sort();
    assert_eq!(named, silent);
    // One of the two polls was on the shard that panicked: it is answered and its session is gone. The other goes on.
    host.publish(Target::all(), r#"["all"]"#);
    let mut answers: Vec<_> = polls.into_iter().map(|(_, answer)| answer()).collect();
    answers.sort_unstable();
    assert_eq!(answers, [(200, "1".to_owned()), (200, r#"42["all"]"#.to_owned())]);
    host.close();
}

#[test]
fn a_panic_while_the_server_ends_does_not_hold_it_up() {
    Log::with_trap(IN_A_SHARD, usize::MAX);
    let mut host = Host::start(&json!({ "shards": 2 }));
    let [mut hit, _spared] = clients(&mut host, 8);
    break_shard(&mut hit[0].0);
    let start = Instant::now();
    let rest = host.close();
    assert!(start.elapsed() < PATIENCE / 2);
    let gone = rest.iter().filter(|event| matches!(event, Event::Disconnect { .. })).count();
    assert_eq!(gone, 8);
    host.server.join_threads();
    eventually("the threads end", || process::shards().is_empty());
}

#[test]
fn a_reply_of_the_host_that_panics_costs_that_reply() {
    let mut host = Host::start(&json!({ "shards": 1 }));
    let addr = host.listen();
    let (mut client, socket) = host.client(addr);
    let request = RequestInfo::new("GET", "/elsewhere");
    let _ = host.server.http(request, bytes::Bytes::new(), Box::new(|_| panic!("deliberate")));
    eventually("it is counted", || host.server.stats().panics == 1);
    host.emit(socket, r#"["still here"]"#);
    assert_eq!(client.event(), json!(["still here"]));
    assert_eq!(host.close().len(), 1);
}

#[test]
fn a_host_that_can_not_be_woken_is_woken_with_the_next_events() {
    let (server, mut events) = Server::new(Options::from_json(&json!({ "shards": 1 })).unwrap()).unwrap();
    let (woken, wakes) = mpsc::channel();
    let broken = AtomicBool::new(true);
    events.on_wake(Box::new(move || {
        assert!(!broken.swap(false, Ordering::SeqCst), "deliberate");
        let _ = woken.send(());
    }));
    let addr = server.listen_tcp("127.0.0.1", 0).unwrap();
    let mut client = TcpClient::tcp(addr);
    eventually("it is counted", || server.stats().panics == 1);
    client.send(r#"2["hello"]"#);
    wakes.recv_timeout(PATIENCE).expect("another wake");
    let mut batch = Vec::new();
    assert_eq!(events.recv_batch(&mut batch, 10), 2);
    server.close();
    assert_eq!(client.ended(), Some(1005));
    server.join_threads();
}

#[test]
fn a_node_of_a_fleet_that_panics_is_back_soon() {
    let Some(redis) = Redis::start() else { return };
    for (mode, subscriptions) in [("classic", "static"), ("sharded", "dynamic-private")] {
        in_a_fleet(&redis, mode, subscriptions);
    }
}

fn in_a_fleet(redis: &Redis, mode: &str, subscriptions: &str) {
    static LOG: Mutex<Option<Arc<Log>>> = Mutex::new(None);
    let log =
        LOG.lock().unwrap().get_or_insert_with(|| Log::with_trap("cluster: a message from Redis", 0)).clone();
    let cluster = json!({
        "redis": redis.url(), "mode": mode, "subscriptionMode": subscriptions, "waitForRedis": true, "prefix": mode,
    });
    let node = || Host::start(&json!({ "shards": 2, "cluster": cluster }));
    let mut host = node();
    let addr = host.listen();
    let (mut client, socket) = host.client(addr);
    host.server.join(socket, &["room"]);
    host.settle();
    eventually("it is up", || host.server.cluster_stats().unwrap().bus.up);

    log.left.store(1, Ordering::SeqCst);
    match mode {
        "classic" => redis.publish("classic-request#/#", b"{nonsense"),
        _ => drop(redis.command("SPUBLISH sharded#/# nonsense")),
    }
    let reason = host.find(|event| match event {
        Event::Cluster { change: ClusterChange::Down { reason } } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!((&*reason, host.server.stats().panics), ("internal error", 1));
    host.find(|event| up(event).filter(|up| *up));
    let other = node();
    // Messages to rooms and namespaces arrive again: the restarted node has subscribed to all of them.
    for to in [Target::all(), Target::room("room"), Target::room(client.id.as_str())] {
        let start = Instant::now();
        client.stream().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        loop {
            assert!(start.elapsed() < PATIENCE, "{mode}: {to:?} is never heard");
            other.publish(to.clone(), r#"["probe"]"#);
            if client.stream().peek(&mut [0]).is_ok() {
                break;
            }
        }
        client.stream().set_read_timeout(Some(PATIENCE)).unwrap();
        other.publish(to, r#"["heard"]"#);
        while client.event() != json!(["heard"]) {}
    }
    let stats = host.server.cluster_stats().unwrap();
    assert!(stats.bus.up && stats.bus.reconnects > 0, "{stats:?}");
    let start = Instant::now();
    host.close();
    assert!(start.elapsed() < PATIENCE / 2);
}

fn up(event: &Event) -> Option<bool> {
    match event {
        Event::Cluster { change: ClusterChange::Up } => Some(true),
        Event::Cluster { change: ClusterChange::Down { .. } } => Some(false),
        _ => None,
    }
}
