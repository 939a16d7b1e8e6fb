//! `volatile`: dropped for a client that can't take it at once, and never a reason to close that client.

use kraken_ws_core::{EmitFlags, Target};
use kraken_ws_tests::Host;
use serde_json::json;

#[test]
fn a_burst_in_one_turn_closes_nobody_and_leaves_room_for_other_messages() {
    const BURST: u64 = 30;
    let mut host = Host::start(&json!({ "shards": 1, "maxOutboxBytes": 1024 * 1024 }));
    let addr = host.listen();
    let (mut to_one, socket) = host.client(addr);
    let (mut to_room, other) = host.client(addr);
    host.server.join(other, &["room"]);
    let flags = EmitFlags::new().volatile(true);
    // Neither client reads, so the kernel's buffers fill up in the middle of a turn.
    host.server.batch(|| {
        let pad = "x".repeat(480 * 1024);
        for n in 0..BURST {
            let data = json!(["n", n, pad]).to_string();
            host.server.emit(&host.main, socket, &data, vec![], flags).unwrap();
            host.server.publish(&host.main, Target::room("room"), &data, vec![], flags).unwrap();
        }
        let pad = "x".repeat(400 * 1024);
        host.emit(socket, &json!(["end", pad]).to_string());
        host.publish(Target::room("room"), &json!(["end", pad]).to_string());
    });
    host.settle();
    let dropped = host.server.stats().volatile_dropped;
    let mut taken = 0;
    for client in [&mut to_one, &mut to_room] {
        let mut next = 0;
        loop {
            let event = client.event();
            if event[0] == "end" {
                break;
            }
            let n = event[1].as_u64().unwrap();
            assert!(n >= next, "{n} came after {next}");
            next = n + 1;
            taken += 1;
        }
    }
    assert!(dropped > 0 && taken > 0, "{dropped} dropped, {taken} taken");
    assert_eq!(taken + dropped, 2 * BURST);
    assert_eq!(host.server.stats().slow_consumers, 0);
    host.close();
}
