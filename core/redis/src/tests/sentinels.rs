//! Tests with a master found through sentinels.

use super::*;

#[tokio::test]
async fn a_failover_is_followed() {
    let Some(mut master) = Server::start(&[]) else { return };
    let Some(replica) = Server::start(&["--replicaof", &format!("127.0.0.1 {}", master.port)]) else {
        return;
    };
    until("the replica to follow", async || {
        let role = replica.ask("INFO replication").await;
        role.text().unwrap().contains("master_link_status:up")
    })
    .await;
    let sentinel = Server::sentinel(&format!(
        "sentinel monitor fleet 127.0.0.1 {} 1\nsentinel down-after-milliseconds fleet 500\nsentinel failover-timeout fleet 5000\n",
        master.port
    ));
    until("the sentinel to see the replica", async || {
        sentinel.ask("SENTINEL REPLICAS fleet").await.items().len() == 1
    })
    .await;
    // The first sentinel is not running.
    let dead = Server::stopped(&[]);
    let redis = Servers::Sentinel { sentinels: vec![dead.url(), sentinel.url()], master: "fleet".to_owned() };
    let options = config(redis, Mode::Classic);
    let mut node = Node::subscribed(&options, &[channel("x")]).await;
    node.publish("x", "before");
    assert_eq!(node.payload().await, "before");
    assert_eq!(master.clients().await.iter().filter(|name| name.starts_with("kraken")).count(), 2);
    master.kill();
    node.down().await;
    node.publish("x", "meanwhile");
    node.up().await;
    assert!(replica.clients().await.contains(&"kraken-ws-subscribe".to_owned()));
    node.bus.flush(LONG).await.unwrap();
    node.publish("x", "after");
    while node.payload().await != "after" {}

    let unknown = Servers::Sentinel { sentinels: vec![sentinel.url()], master: "nobody".to_owned() };
    let reason = Node::start(&Config { servers: unknown, ..options }).down().await;
    assert!(reason.contains("it knows no master \"nobody\""), "{reason}");
}
