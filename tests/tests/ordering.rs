//! Commands of one thread are executed in the order of the calls, for every socket on every shard.

use kraken_ws_core::Target;
use kraken_ws_tests::Host;
use serde_json::json;

#[test]
fn emits_publishes_joins_and_leaves_of_one_thread_keep_their_order() {
    const ROUNDS: usize = 500;
    let mut host = Host::start(&json!({ "shards": 3 }));
    let addr = host.listen();
    let mut clients: Vec<_> = (0..6).map(|_| host.client(addr)).collect();
    for round in 0..ROUNDS {
        for (i, (_, socket)) in clients.iter().enumerate() {
            host.emit(*socket, &json!(["emit", round, i]).to_string());
        }
        host.publish(Target::room("r"), r#"["nobody is in it yet"]"#);
        let member = |i: usize| i % 2 == round % 2;
        for (_, (_, socket)) in clients.iter().enumerate().filter(|(i, _)| member(*i)) {
            host.server.join(*socket, &["r"]);
        }
        host.publish(Target::room("r"), &json!(["room", round]).to_string());
        for (_, (_, socket)) in clients.iter().enumerate().filter(|(i, _)| member(*i)) {
            host.server.leave(*socket, &["r"]);
        }
        host.publish(Target::room("r"), r#"["nobody is in it any more"]"#);
        host.publish(Target::all(), &json!(["all", round]).to_string());
    }
    for (i, (client, _)) in clients.iter_mut().enumerate() {
        for round in 0..ROUNDS {
            assert_eq!(client.event(), json!(["emit", round, i]));
            if i % 2 == round % 2 {
                assert_eq!(client.event(), json!(["room", round]));
            }
            assert_eq!(client.event(), json!(["all", round]));
        }
    }
    host.close();
}

#[test]
fn events_of_one_client_arrive_in_the_order_it_sent_them() {
    const EVENTS: usize = 5000;
    let mut host = Host::start(&json!({ "shards": 2 }));
    let addr = host.listen();
    let (mut client, _) = host.client(addr);
    let sender = std::thread::spawn(move || {
        (0..EVENTS).for_each(|n| client.send(&format!(r#"2["n",{n}]"#)));
        client
    });
    for n in 0..EVENTS {
        let data = host.find(|event| match event {
            kraken_ws_core::Event::Event { data, .. } => Some(data.to_string()),
            _ => None,
        });
        assert_eq!(data, format!(r#"["n",{n}]"#));
    }
    sender.join().unwrap();
    host.close();
}
