//! Messages that a node must not trust.

use std::time::Duration;

use bytes::Bytes;
use kraken_ws_core::{Disconnect, EmitFlags, Reach, Target};
use kraken_ws_tests::{Redis, eventually};
use serde_json::json;

use crate::{MODES, count, in_each_mode, node, options, pair, wait};

#[test]
fn what_can_not_be_read_is_counted_and_harms_nobody() {
    let Some(redis) = Redis::start() else { return };
    let mut cluster = options(&redis, MODES[0]);
    cluster["prefix"] = json!("p");
    let [a, mut b] = pair(&cluster);
    let addr = b.listen();
    let (mut far, _) = b.client(addr);
    let before = b.server.cluster_stats().unwrap().malformed;
    let bad: [(&str, &[u8]); 8] = [
        ("p#/#", b""),
        ("p#/#", b"\x93\xa1u\x80"),
        ("p#/#", b"\xdd\xff\xff\xff\xff"),
        // An event with a name that clients refuse.
        ("p#/#", b"\x93\xa1u\x82\xa4type\x02\xa4data\x91\xa7connect\x80"),
        ("p-request#/#", b"{"),
        ("p-request#/#", br#"{"type":2,"opts":{"rooms":3}}"#),
        ("p-request#/#", b"\xc1"),
        ("p-response#/#", br#"{"requestId":5}"#),
    ];
    for (channel, payload) in bad {
        redis.publish(channel, payload);
    }
    // Unknown types are ignored and don't count as malformed.
    redis.publish("p-request#/#", br#"{"type":99}"#);
    a.publish(Target::all(), r#"["fine"]"#);
    assert_eq!(far.event(), json!(["fine"]));
    assert_eq!(b.server.cluster_stats().unwrap().malformed - before, bad.len() as u64);
}

#[test]
fn with_a_secret_only_those_who_share_it_are_heard() {
    in_each_mode(|cluster, mode| {
        let mut sealed = cluster.clone();
        sealed["secret"] = json!("squeamish ossifrage");
        let [a, mut b] = pair(&sealed);
        let stranger = node(cluster, 1);
        eventually("the stranger is counted", || count(&a) == 3);
        let addr = b.listen();
        let (mut far, _) = b.client(addr);
        let before = b.server.cluster_stats().unwrap().malformed;
        stranger.publish(Target::all(), r#"["from a stranger"]"#);
        stranger.server.disconnect_sockets(
            &stranger.main,
            Target::all(),
            Disconnect::Connection,
            Reach::Fleet,
        );
        eventually("it was refused", || b.server.cluster_stats().unwrap().malformed >= before + 2);
        a.publish(Target::all(), r#"["from a friend"]"#);
        let bytes = vec![Bytes::from_static(b"x")];
        let data = r#"["b",{"_placeholder":true,"num":0}]"#;
        a.server.publish(&a.main, Target::all(), data, bytes, EmitFlags::default()).unwrap();
        assert_eq!(far.event(), json!(["from a friend"]), "{mode}");
        assert_eq!(far.packet(), format!("51-{data}"), "{mode}");
        let fetched = a.server.fetch_remote(&a.main, Target::all(), Some(Duration::from_millis(300)));
        let fleet = wait(fetched);
        assert_eq!((fleet.answers.len(), fleet.missing), (1, 1), "{mode}");
    });
}
