//! The command queue of a shard takes no more memory than `commandQueueBytes`, however small the messages are.

use kraken_ws_core::{EmitFlags, ErrorCode, Target};
use kraken_ws_tests::{Gate, Host};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

const LIMIT: usize = 4 << 20;

#[test]
fn small_messages_keep_within_the_limit() {
    let mut host = Host::start(&json!({ "shards": 1, "commandQueueBytes": LIMIT }));
    let addr = host.listen();
    let (_client, socket) = host.client(addr);
    let gate = Gate::hold(&host.server);
    let region = Region::new(ALLOCATOR);
    let flags = EmitFlags::new().volatile(true);
    let mut taken = 0_usize;
    let refused = loop {
        // These rooms are empty, so the client's outbox plays no part.
        let target = Target { rooms: vec!["a".into(), "b".into()], except: vec!["c".into()] };
        let sent = match taken % 2 {
            0 => host.server.publish(&host.main, target, r#"["n"]"#, vec![], flags),
            _ => host.server.emit(&host.main, socket, r#"["n"]"#, vec![], flags),
        };
        match sent {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    let change = region.change();
    let held = change.bytes_allocated - change.bytes_deallocated;
    println!("{taken} messages, {} bytes of heap for each", held / taken);
    assert_eq!(refused.code(), ErrorCode::QueueFull);
    assert!(taken > 5000, "{taken} messages were taken");
    assert!(held <= LIMIT, "{held} bytes of heap for {taken} messages");
    drop(gate);
    host.settle();
    assert_eq!(host.server.stats().command_queue_bytes, 0);
    host.close();
}
