//! `commandQueueBytes`: commands that a full shard can't take are refused, and no other command is lost.

use kraken_ws_core::{EmitFlags, ErrorCode, Target};
use kraken_ws_tests::{Gate, Host};
use serde_json::json;

const LIMIT: usize = 65_536;

#[test]
fn a_full_queue_refuses_and_what_it_took_arrives() {
    let mut host = Host::start(&json!({ "shards": 1, "commandQueueBytes": LIMIT }));
    let addr = host.listen();
    let (mut client, socket) = host.client(addr);
    let fill = "x".repeat(1000);
    let gate = Gate::hold(&host.server);
    let mut taken = 0;
    for n in 0..200 {
        let data = json!(["n", n, fill]).to_string();
        let flags = EmitFlags::default();
        // Emits and publishes share the queue.
        let sent = match n % 2 {
            0 => host.server.publish(&host.main, Target::all(), &data, vec![], flags),
            _ => host.server.emit(&host.main, socket, &data, vec![], flags),
        };
        match sent {
            Ok(()) => {
                assert_eq!(taken, n, "taken after a refusal");
                taken += 1;
            }
            Err(error) => assert_eq!(error.code(), ErrorCode::QueueFull),
        }
    }
    assert!((35..=43).contains(&taken), "{taken} messages of 1.5 kB with their share were taken");
    let waiting = host.server.stats().command_queue_bytes as usize;
    assert!((LIMIT - 2048..=LIMIT).contains(&waiting), "{waiting} bytes wait");
    // Commands without a payload are never refused.
    host.server.join(socket, &["r"]);

    drop(gate);
    for n in 0..taken {
        assert_eq!(client.event()[1], json!(n));
    }
    host.settle();
    assert!(host.server.has_room(&host.main, "r"));
    assert_eq!(host.server.stats().command_queue_bytes, 0);
    host.emit(socket, r#"["again"]"#);
    assert_eq!(client.event(), json!(["again"]));
    host.close();
}

#[test]
fn one_message_larger_than_the_queue_is_taken_when_nothing_waits() {
    let mut host = Host::start(&json!({ "shards": 1, "commandQueueBytes": LIMIT }));
    let addr = host.listen();
    let (mut client, socket) = host.client(addr);
    let large = json!(["large", "x".repeat(2 * LIMIT)]);
    host.emit(socket, &large.to_string());
    assert_eq!(client.event(), large);
    host.close();
}
