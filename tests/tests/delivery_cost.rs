//! The cost of a delivery, as counts of allocations and system calls.

use kraken_ws_core::Target;
use kraken_ws_tests::{Gate, Host, eventually};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

#[test]
fn a_publish_allocates_at_most_once_for_each_recipient() {
    const CLIENTS: usize = 200;
    const ROUNDS: usize = 20;
    let mut host = Host::start(&json!({ "shards": 2 }));
    let addr = host.listen();
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| host.client(addr).0).collect();
    let mut publish = |count: usize| {
        let region = Region::new(ALLOCATOR);
        for _ in 0..count {
            let sent = host.server.stats().messages_out;
            host.publish(Target::all(), r#"["n",1]"#);
            // Each publish in a turn of its own, which is the most expensive case.
            eventually("all is sent", || host.server.stats().messages_out == sent + CLIENTS as u64);
        }
        let allocations = region.change().allocations;
        clients.iter_mut().for_each(|client| (0..count).for_each(|_| drop(client.event())));
        allocations
    };
    // Outboxes and lists get their first capacity here.
    publish(ROUNDS);
    let each = publish(ROUNDS) as f64 / ROUNDS as f64;
    // The list of an empty outbox is freed to keep idle connections small. So a delivery to an idle connection
    // allocates that list and nothing else: the frame is encoded once and shared.
    let most = CLIENTS as f64 * 1.1;
    println!("{each} allocations for a publish to {CLIENTS}");
    assert!(each < most, "{each} allocations for a publish to {CLIENTS}");
    host.close();
}

#[test]
fn a_burst_is_written_once_for_each_recipient() {
    const CLIENTS: usize = 50;
    const BURST: usize = 100;
    let mut host = Host::start(&json!({ "shards": 1 }));
    let addr = host.listen();
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| host.client(addr).0).collect();
    let gate = Gate::hold(&host.server);
    for n in 0..BURST {
        host.publish(Target::all(), &json!(["n", n]).to_string());
    }
    let before = host.server.stats().writes;
    drop(gate);
    for client in &mut clients {
        for n in 0..BURST {
            assert_eq!(client.event(), json!(["n", n]));
        }
    }
    host.settle();
    let writes = host.server.stats().writes - before;
    println!("{writes} writes for {} deliveries", CLIENTS * BURST);
    assert!((CLIENTS as u64..2 * CLIENTS as u64).contains(&writes), "{writes} writes for {CLIENTS} clients");
    host.close();
}
