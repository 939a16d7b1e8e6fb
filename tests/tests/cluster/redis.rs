//! A Redis that is away.

use kraken_ws_core::{ClusterChange, ClusterOptions, Emitter, ErrorCode, Event, Options, Server, Target};
use kraken_ws_tests::{Host, Redis};
use serde_json::{Value, json};

use crate::{MODES, count, heard, options, pair, wait};

#[test]
fn redis_may_go_and_come_back() {
    let Some(mut redis) = Redis::start() else { return };
    for mode in [MODES[0], MODES[2]] {
        let cluster = options(&redis, mode);
        let [mut a, mut b] = pair(&cluster);
        let (at_a, at_b) = (a.listen(), b.listen());
        let (mut near, _) = a.client(at_a);
        let (mut far, far_socket) = b.client(at_b);
        b.server.join(far_socket, &["room"]);
        for _ in 0..3 {
            redis.stop();
            let down = |event: &Event| match event {
                Event::Cluster { change: ClusterChange::Down { reason } } => Some(reason.clone()),
                _ => None,
            };
            assert!(!a.find(down).is_empty());
            b.find(down);
            // Local clients are served, and no request waits for answers that can't come.
            a.publish(Target::all(), r#"["here"]"#);
            assert_eq!(near.event(), json!(["here"]));
            let fleet = wait(a.server.fetch_remote(&a.main, Target::all(), None));
            assert_eq!((fleet.answers.len(), fleet.missing), (0, 1));
            assert_eq!(fleet.missing_nodes.len(), 1);
            let refused = wait(a.server.node_count(&a.main)).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::Redis);
            redis.restart();
            for host in [&mut a, &mut b] {
                host.find(|event| {
                    matches!(event, Event::Cluster { change: ClusterChange::Up }).then_some(())
                });
            }
            // Queued messages may or may not have been received by now; from here on all are.
            heard(&a, "room", &mut far);
            assert!(a.server.cluster_stats().unwrap().bus.up);
        }
        assert!(a.server.cluster_stats().unwrap().bus.reconnects >= 3);
    }
}

#[test]
fn redis_that_is_not_there_is_waited_for_or_reported() {
    let Some(mut redis) = Redis::start() else { return };
    redis.stop();
    let mut cluster = options(&redis, MODES[0]);
    cluster["redisTimeout"] = json!(300);
    let refused = Server::new(Options::from_json(&json!({ "shards": 1, "cluster": cluster })).unwrap());
    assert_eq!(refused.err().expect("no Redis").code(), ErrorCode::Redis);
    let refused = Emitter::new(ClusterOptions::from_json(&cluster).unwrap());
    assert_eq!(refused.err().expect("no Redis").code(), ErrorCode::Redis);
    // A server that failed to join can try again. With `waitForRedis: false` it starts and joins once Redis is there.
    let mut host = Host::start(&json!({ "shards": 1 }));
    let parsed = |cluster: &Value| ClusterOptions::from_json(cluster).unwrap();
    assert_eq!(host.server.join_cluster(parsed(&cluster)).unwrap_err().code(), ErrorCode::Redis);
    cluster["waitForRedis"] = json!(false);
    host.server.join_cluster(parsed(&cluster)).unwrap();
    assert_eq!(host.server.join_cluster(parsed(&cluster)).unwrap_err().code(), ErrorCode::State);
    host.find(|event| matches!(event, Event::Cluster { change: ClusterChange::Down { .. } }).then_some(()));
    redis.restart();
    host.find(|event| matches!(event, Event::Cluster { change: ClusterChange::Up }).then_some(()));
    assert_eq!(count(&host), 1);
    host.close();
}
