//! Namespaces and rooms: which messages a node subscribes to and reads.

use std::time::Duration;

use kraken_ws_core::{EmitFlags, Target};
use kraken_ws_tests::{Redis, eventually};
use serde_json::json;

use crate::{MODES, in_each_mode, node, options, pair, wait};

#[test]
fn namespaces_are_apart_and_may_come_and_go() {
    in_each_mode(|cluster, mode| {
        let [a, mut b] = pair(cluster);
        let (late_a, late_b) = (a.server.namespace("/late*").unwrap(), b.server.namespace("/late*").unwrap());
        eventually("both nodes are there", || wait(a.server.node_count(&late_a)).unwrap() == 2);
        let addr = b.listen();
        let (mut far, _) = b.client(addr);
        far.send("0/late*,");
        far.expect_connect();
        let flags = EmitFlags::default();
        a.server.publish(&late_a, Target::all(), r#"["late"]"#, vec![], flags).unwrap();
        assert_eq!(far.packet(), r#"2/late*,["late"]"#, "{mode}");
        b.server.remove_namespace("/late*");
        drop(late_b);
        eventually("it has left", || wait(a.server.node_count(&late_a)).unwrap() == 1);
    });
}

#[test]
fn rooms_have_a_channel_while_they_have_members() {
    let Some(redis) = Redis::start() else { return };
    // Besides the channels of the two nodes: one per room, and one for the room of each socket.
    for (subscriptions, more) in [("static", 0), ("dynamic", 2), ("dynamic-private", 4)] {
        let mut cluster = options(&redis, ("sharded", subscriptions));
        cluster["prefix"] = json!(subscriptions);
        let [_a, mut b] = pair(&cluster);
        let channels = || {
            let list = redis.command(&format!("PUBSUB SHARDCHANNELS {subscriptions}#*")).unwrap();
            list[1..].split("\r\n").next().and_then(|count| count.parse::<usize>().ok()).unwrap()
        };
        assert_eq!(channels(), 3, "{subscriptions}");
        let addr = b.listen();
        let (client, socket) = b.client(addr);
        let (other, other_socket) = b.client(addr);
        // The last name looks like a socket id.
        for socket in [socket, other_socket] {
            b.server.join(socket, &["x", "y", "a-room-of-20-letters"]);
        }
        let all = if subscriptions == "dynamic-private" { more + 1 } else { more };
        eventually("the rooms have channels", || channels() == 3 + all);
        b.server.leave(socket, &["x"]);
        b.server.leave(other_socket, &["x"]);
        drop(client);
        eventually("they are fewer", || channels() == 3 + all - [0, 1, 2][more / 2]);
        drop(other);
        eventually("none is left", || channels() == 3);
    }
}

#[test]
fn messages_for_rooms_that_are_elsewhere_are_not_read() {
    let Some(redis) = Redis::start() else { return };
    let cluster = options(&redis, MODES[0]);
    let [a, mut b] = pair(&cluster);
    let addr = b.listen();
    let (mut far, _) = b.client(addr);
    let stats = || b.server.cluster_stats().unwrap();
    let before = stats();
    for n in 0..10 {
        a.publish(Target::room(format!("elsewhere-{n}")), r#"["x"]"#);
        // As long as a socket id, but not an id of this server.
        a.publish(Target::room(format!("elsewhere-of-20-ch-{n}")), r#"["x"]"#);
    }
    a.publish(Target::room(far.id.as_str()), r#"["here"]"#);
    assert_eq!(far.event(), json!(["here"]));
    assert_eq!(stats().dropped_no_room - before.dropped_no_room, 20);
    assert_eq!(stats().foreign - before.foreign, 1);
}

/// CPU time of the thread with this name.
fn cpu_of(thread: &str) -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let of = |task: std::path::PathBuf| {
        let name = std::fs::read_to_string(task.join("comm")).ok()?;
        // The first field is the time on a CPU in nanoseconds.
        let nanos = std::fs::read_to_string(task.join("schedstat")).ok()?.split(' ').next()?.parse().ok()?;
        name.trim().starts_with(thread).then(|| Duration::from_nanos(nanos))
    };
    tasks.filter_map(|task| of(task.path())).sum()
}

#[test]
fn a_message_for_a_room_that_is_elsewhere_costs_little() {
    const MESSAGES: u32 = 100_000;
    let Some(redis) = Redis::start() else { return };
    let host = node(&options(&redis, MODES[0]), 1);
    // A broadcast of a JavaScript node: `["abcdef", { type: 2, data: ["x", …], nsp: "/" }, { rooms, except, flags
    // }]`.
    let payload =
        [b"\x93\xa6abcdef\x83\xa4type\x02\xa4data\x92\xa1x\xd9\xc8".as_slice(), &[b'.'; 200]].concat();
    let before = cpu_of("kraken-cluster");
    redis.publish_many("socket.io#/#elsewhere#", &payload, MESSAGES);
    let dropped = || host.server.cluster_stats().unwrap().dropped_no_room;
    eventually("all have been dropped", || {
        std::thread::sleep(Duration::from_millis(5));
        dropped() == u64::from(MESSAGES)
    });
    let each = (cpu_of("kraken-cluster") - before) / MESSAGES;
    println!("a message for a room that is elsewhere: {} ns of CPU", each.as_nanos());
    // Measured: 1.4 to 1.7 µs with the tests' profile, including the read from Redis.
    assert!(each < Duration::from_micros(10), "{each:?}");
}
