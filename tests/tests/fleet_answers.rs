//! Answers of other nodes are collected up to `maxAnswerBytes`; the others count as missing.

use kraken_ws_core::{EmitFlags, Event, Target};
use kraken_ws_tests::{Host, PATIENCE, Redis, eventually};
use serde_json::json;

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await }).expect("an answer in time")
}

/// Two nodes; the first has little room for answers.
fn pair(redis: &Redis, mode: &str) -> [Host; 2] {
    let cluster = json!({ "redis": redis.url(), "mode": mode, "prefix": mode, "waitForRedis": true });
    let asks = json!({ "shards": 1, "maxAnswerBytes": 65_536, "cluster": cluster });
    let pair = [Host::start(&asks), Host::start(&json!({ "shards": 1, "cluster": cluster }))];
    for host in &pair {
        eventually("both nodes are counted", || {
            wait(host.server.node_count(&host.main)).is_ok_and(|count| count == 2)
        });
    }
    pair
}

#[test]
fn what_other_nodes_answer_is_bounded_and_the_rest_counts_as_missing() {
    let Some(redis) = Redis::start() else { return };
    for mode in ["classic", "sharded"] {
        let [mut a, mut b] = pair(&redis, mode);
        let at_b = b.listen();
        let (mut first, socket) = b.client(at_b);
        let (mut second, _) = b.client(at_b);

        let fetch = || wait(a.server.fetch_remote(&a.main, Target::all(), None));
        let found = fetch();
        assert_eq!((found.answers.len(), found.missing), (2, 0), "{mode}");
        b.server.set_data(socket, &json!({ "much": "x".repeat(80_000) }).to_string());
        b.settle();
        let found = fetch();
        assert_eq!((found.answers.len(), found.expected, found.missing), (0, 1, 1), "{mode}");
        assert_eq!((a.server.stats().answers_refused, a.server.stats().answer_bytes), (1, 0), "{mode}");

        let id = a
            .server
            .publish_with_ack(&a.main, Target::all(), r#"["q"]"#, vec![], EmitFlags::default(), PATIENCE)
            .unwrap();
        for client in [&mut first, &mut second] {
            let asked = client.asked();
            client.ack(asked, &json!(["x".repeat(40_000)]).to_string());
        }
        let answers = a.find(|event| match event {
            Event::BroadcastAck { id: of, timed_out: true, expected: 2, responses, .. } if *of == id => {
                Some(responses.len())
            }
            _ => None,
        });
        assert_eq!(answers, 1, "{mode}");
        a.close();
        b.close();
    }
}
