//! The emitter: a process without clients.

use std::time::{Duration, Instant};

use kraken_ws_core::{ClusterOptions, Disconnect, EmitFlags, Emitter, ErrorCode, Target};
use kraken_ws_tests::{PATIENCE, TcpClient, eventually};
use serde_json::json;

use crate::{count, in_each_mode, node, server_side, wait};

#[test]
fn an_emitter_without_clients_reaches_them() {
    in_each_mode(|cluster, mode| {
        let mut host = node(cluster, 1);
        let addr = host.listen();
        let (mut client, _) = host.client(addr);
        let emitter = Emitter::new(ClusterOptions::from_json(cluster).unwrap()).unwrap();
        let flags = EmitFlags::default();
        emitter.publish("/", Target::all(), r#"["job","done"]"#, vec![], flags).unwrap();
        assert_eq!(client.event(), json!(["job", "done"]), "{mode}");
        let refused = emitter.publish("/", Target::all(), r#"["connect"]"#, vec![], flags).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Payload);
        emitter.sockets_join("/", Target::all(), &["jobs"]);
        eventually("it joined", || host.settle()[0].rooms.contains(&"jobs".into()));
        heard_from(&emitter, &mut client);
        emitter.sockets_leave("", Target::room("jobs"), &["jobs"]);
        eventually("it left", || !host.settle()[0].rooms.contains(&"jobs".into()));
        emitter.server_side_emit("/", r#"["report"]"#, vec![]).unwrap();
        assert_eq!(server_side(&mut host).0, json!(["report"]), "{mode}");
        assert_eq!(count(&host), 1, "{mode}");
        emitter.disconnect_sockets("/", Target::all(), Disconnect::Connection);
        assert_eq!(client.ended(), Some(1005), "{mode}");
        wait(emitter.flush(PATIENCE)).unwrap();
        assert_eq!(emitter.stats().bus.lost, 0);
        emitter.close();
        let late = emitter.publish("/", Target::all(), r#"["late"]"#, vec![], flags).unwrap_err();
        assert_eq!(late.code(), ErrorCode::Closed);
    });
}

/// Waits until the client receives what is sent to the room `jobs`.
fn heard_from(emitter: &Emitter, client: &mut TcpClient) {
    let start = Instant::now();
    client.stream().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    loop {
        assert!(start.elapsed() < PATIENCE, "the room is never heard");
        emitter.publish("/", Target::room("jobs"), r#"["probe"]"#, vec![], EmitFlags::default()).unwrap();
        if client.stream().peek(&mut [0]).is_ok() {
            client.stream().set_read_timeout(Some(PATIENCE)).unwrap();
            assert_eq!(client.event(), json!(["probe"]));
            return;
        }
    }
}
