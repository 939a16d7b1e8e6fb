//! Nodes that join, leave and die.

use std::time::Instant;

use kraken_ws_core::{ClusterOptions, Target};
use kraken_ws_tests::{Host, PATIENCE, eventually};
use serde_json::json;

use crate::{count, heard, in_each_mode, node, pair, server_side, wait};

#[test]
fn a_question_before_the_node_is_up_waits_for_its_answers() {
    in_each_mode(|cluster, mode| {
        let mut there = node(cluster, 1);
        let addr = there.listen();
        let (client, _) = there.client(addr);
        let mut early = cluster.clone();
        early["waitForRedis"] = json!(false);
        let mut here = node(&early, 1);
        let found = wait(here.server.fetch_remote(&here.main, Target::all(), None));
        assert_eq!((found.answers.len(), found.expected, found.missing), (1, 1, 0), "{mode}");
        drop(client);
        here.close();
        there.close();
    });
}

#[test]
fn a_node_that_ends_is_no_longer_waited_for() {
    in_each_mode(|cluster, mode| {
        let [a, mut b] = pair(cluster);
        // The node is in the fleet, but its host does not answer; then the node ends.
        let ending = std::thread::spawn(move || {
            let (_, _, reply) = server_side(&mut b);
            b.close();
            drop(reply);
        });
        let start = Instant::now();
        let asked = a.server.server_side_emit_with_ack(&a.main, r#"["?"]"#, vec![], Some(PATIENCE));
        let fleet = wait(asked).unwrap();
        assert_eq!((fleet.answers.len(), fleet.expected, fleet.missing), (0, 0, 0), "{mode}");
        assert!(start.elapsed() < PATIENCE / 2, "{mode}: {:?}", start.elapsed());
        ending.join().unwrap();
    });
}

#[test]
fn a_server_joins_with_the_clients_and_rooms_that_it_has() {
    in_each_mode(|cluster, mode| {
        let a = node(cluster, 1);
        let mut b = Host::start(&json!({ "shards": 2 }));
        let addr = b.listen();
        let (mut far, far_socket) = b.client(addr);
        b.server.join(far_socket, &["early"]);
        b.settle();
        b.server.join_cluster(ClusterOptions::from_json(cluster).unwrap()).unwrap();
        eventually("it is counted", || count(&a) == 2);
        let own = far.id.clone();
        heard(&a, "early", &mut far);
        heard(&a, &own, &mut far);
        assert!(b.server.cluster_stats().is_some(), "{mode}");
    });
}

/// A node in a process of its own, for [`a_killed_node_is_no_longer_waited_for`]. It never answers.
#[test]
#[ignore = "started by another test"]
fn node_of_another_process() {
    let cluster = std::env::var("KRAKEN_TEST_CLUSTER").expect("started by another test");
    let mut host = node(&serde_json::from_str(&cluster).unwrap(), 1);
    let _reply = server_side(&mut host).2;
    println!("asked");
    std::thread::sleep(PATIENCE);
}

#[test]
fn a_killed_node_is_no_longer_waited_for() {
    use std::io::{BufRead, BufReader};
    in_each_mode(|cluster, mode| {
        let a = node(cluster, 1);
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "members::node_of_another_process"])
            .env("KRAKEN_TEST_CLUSTER", cluster.to_string())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        eventually("the other process is counted", || count(&a) == 2);
        let start = Instant::now();
        let asking = std::thread::spawn(move || {
            let asked = a.server.server_side_emit_with_ack(&a.main, r#"["?"]"#, vec![], Some(PATIENCE));
            wait(asked).unwrap()
        });
        lines
            .find(|line| line.as_ref().is_ok_and(|line| line.contains("asked")))
            .expect("it was asked")
            .unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let fleet = asking.join().unwrap();
        assert_eq!((fleet.answers.len(), fleet.expected, fleet.missing), (0, 0, 0), "{mode}");
        assert!(start.elapsed() < PATIENCE / 2, "{mode}: {:?}", start.elapsed());
    });
}
