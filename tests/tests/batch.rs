//! `Server::batch`: messages of one thread arrive as one batch and in order.

use kraken_ws_core::Target;
use kraken_ws_tests::Host;
use serde_json::json;

#[test]
fn what_is_sent_together_is_written_once_and_in_order() {
    writes_once(1);
    writes_once(2);
}

fn writes_once(shards: u64) {
    const BURST: u64 = 100;
    let mut host = Host::start(&json!({ "shards": shards }));
    let addr = host.listen();
    let mut clients: Vec<_> = (0..10).map(|_| host.client(addr)).collect();
    host.settle();
    let before = host.server.stats().writes;
    host.server.batch(|| {
        for (_, socket) in &clients {
            host.server.join(*socket, &["late"]);
        }
        for n in 0..BURST {
            // Nested: nothing is sent before the outer call ends.
            host.server.batch(|| host.publish(Target::room("late"), &json!(["n", n]).to_string()));
            for (_, socket) in &clients {
                host.emit(*socket, &json!(["own", n]).to_string());
            }
        }
        for (_, socket) in &clients {
            host.server.leave(*socket, &["late"]);
        }
        host.publish(Target::room("late"), r#"["to nobody"]"#);
    });
    for (client, _) in &mut clients {
        for n in 0..BURST {
            assert_eq!(client.event(), json!(["n", n]));
            assert_eq!(client.event(), json!(["own", n]));
        }
    }
    host.settle();
    assert_eq!(host.server.stats().writes - before, clients.len() as u64);
    host.close();
}

#[test]
fn another_server_is_not_held_back() {
    let mut one = Host::start(&json!({ "shards": 1 }));
    let mut other = Host::start(&json!({ "shards": 1 }));
    let addr = other.listen();
    let (mut client, socket) = other.client(addr);
    one.server.batch(|| {
        other.emit(socket, r#"["through"]"#);
        assert_eq!(client.event(), json!(["through"]));
    });
    one.close();
    other.close();
}

#[test]
fn a_server_that_is_closed_within_it_closes() {
    let mut host = Host::start(&json!({ "shards": 2 }));
    let addr = host.listen();
    let (mut client, _) = host.client(addr);
    let server = host.server.clone();
    server.batch(|| {
        host.publish(Target::all(), r#"["last"]"#);
        server.close();
    });
    assert_eq!(client.event(), json!(["last"]));
    host.close();
}
