//! Bounds of queues between nodes, shards and hosts.

use std::time::Instant;

use kraken_ws_core::{ClusterChange, Event, Target};
use kraken_ws_tests::{Gate, Host, PATIENCE, Redis, eventually};
use serde_json::json;

use crate::{MODES, count, in_each_mode, node, options, pair};

#[test]
fn a_host_that_never_pauses_does_not_keep_the_node_from_the_others() {
    use std::sync::atomic::{AtomicBool, Ordering};
    in_each_mode(|cluster, mode| {
        let [a, b] = pair(cluster);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let flood = || {
                while !over.load(Ordering::Relaxed) {
                    a.publish(Target::room("nobody"), r#"["flood"]"#);
                }
            };
            scope.spawn(flood);
            let start = Instant::now();
            for _ in 0..3 {
                assert_eq!((count(&a), count(&b)), (2, 2), "{mode}");
            }
            over.store(true, Ordering::Relaxed);
            assert!(start.elapsed() < PATIENCE, "{mode}: {:?}", start.elapsed());
        });
    });
}

#[test]
fn messages_wait_for_a_shard_that_is_busy_but_not_for_ever() {
    let Some(redis) = Redis::start() else { return };
    let cluster = options(&redis, MODES[0]);
    let a = node(&cluster, 1);
    let limits = json!({ "shards": 1, "cluster": cluster, "commandQueueBytes": 65_536 });
    let mut b = Host::start(&limits);
    eventually("both nodes are counted", || count(&a) == 2);
    let addr = b.listen();
    let (mut far, _) = b.client(addr);
    let lost = || b.server.cluster_stats().unwrap().lost_here;
    let gate = Gate::hold(&b.server);
    for n in 0..4 {
        a.publish(Target::all(), &json!([n.to_string(), "x".repeat(30_000)]).to_string());
    }
    eventually("two have waited in vain", || lost() == 2);
    drop(gate);
    assert_eq!([far.event()[0].clone(), far.event()[0].clone()], ["0", "1"]);
    a.publish(Target::all(), r#"["later"]"#);
    assert_eq!(far.event(), json!(["later"]));
    assert_eq!(lost(), 2);
}

#[test]
fn messages_for_other_nodes_that_are_too_many_are_counted_and_the_host_hears_of_it() {
    let Some(mut redis) = Redis::start() else { return };
    for overflow in ["drop-oldest", "drop-newest"] {
        let mut cluster = options(&redis, MODES[0]);
        cluster["queueBytes"] = json!(65_536);
        cluster["overflow"] = json!(overflow);
        let mut host = node(&cluster, 1);
        redis.stop();
        host.find(|event| {
            matches!(event, Event::Cluster { change: ClusterChange::Down { .. } }).then_some(())
        });
        // The queue has room for two.
        for n in 0..10 {
            host.publish(Target::all(), &json!([n.to_string(), "x".repeat(30_000)]).to_string());
        }
        let mut lost = 0;
        while lost < 8 {
            lost += host.find(|event| match event {
                Event::Cluster { change: ClusterChange::Lost { publishes } } => Some(*publishes),
                _ => None,
            });
        }
        let bus = host.server.cluster_stats().unwrap().bus;
        // The greeting of the node may have been in flight when Redis ended.
        assert_eq!((lost - bus.unconfirmed, bus.lost, bus.up), (8, 8, false), "{overflow}");
        assert!(bus.queued_bytes > 60_000 && bus.queued_bytes <= 65_536, "{overflow}: {}", bus.queued_bytes);
        redis.restart();
    }
}
