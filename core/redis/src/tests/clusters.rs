//! Tests with a Redis Cluster of three masters.

use super::*;
use crate::slot::slot_of;

const CLUSTER: [&str; 4] = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];

struct Cluster {
    nodes: Vec<Server>,
}

impl Cluster {
    async fn start() -> Option<Self> {
        let nodes = (0..3).map(|_| Server::start(&CLUSTER)).collect::<Option<Vec<_>>>()?;
        for (index, node) in nodes.iter().enumerate() {
            node.tell(&format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1)).await;
            let (first, last) = [(0, 5460), (5461, 10922), (10923, 16383)][index];
            node.tell(&format!("CLUSTER ADDSLOTSRANGE {first} {last}")).await;
            node.tell(&format!("CLUSTER MEET 127.0.0.1 {}", nodes[0].port)).await;
        }
        let cluster = Self { nodes };
        for node in 0..3 {
            until("the cluster to know itself", async || {
                let info = cluster.nodes[node].ask("CLUSTER INFO").await;
                let slots = cluster.nodes[node].ask("CLUSTER SLOTS").await;
                let peers = cluster.nodes[node].ask("CLUSTER NODES").await;
                // Messages that are published before a node has its links to the other masters do not reach it.
                let linked =
                    !["handshake", "disconnected"].iter().any(|state| peers.text().unwrap().contains(state));
                info.text().unwrap().contains("cluster_state:ok") && slots.items().len() == 3 && linked
            })
            .await;
        }
        Some(cluster)
    }

    /// Lists one node only; the bus has to discover the others.
    fn options(&self, mode: Mode) -> Config {
        config(Servers::Cluster(vec![self.nodes[0].url()]), mode)
    }

    /// Index of the node that owns the slot of a name.
    fn owner(&self, name: &str) -> usize {
        match slot_of(name.as_bytes()) {
            0..=5460 => 0,
            5461..=10922 => 1,
            _ => 2,
        }
    }

    /// Moves the slot of a name to another node, as `redis-cli --cluster reshard` does.
    async fn migrate(&self, name: &str, to: usize) {
        let slot = slot_of(name.as_bytes());
        let mut ids = Vec::new();
        for node in &self.nodes {
            ids.push(node.ask("CLUSTER MYID").await.text().unwrap().to_owned());
        }
        let from = self.owner(name);
        self.nodes[to].tell(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", ids[from])).await;
        self.nodes[from].tell(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", ids[to])).await;
        for index in [to, from, 3 - to - from] {
            self.nodes[index].tell(&format!("CLUSTER SETSLOT {slot} NODE {}", ids[to])).await;
        }
    }
}

#[tokio::test]
async fn classic_channels_span_the_cluster_and_counts_are_sums() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let options = cluster.options(Mode::Classic);
    let wanted = [pattern("x#*"), channel("req")];
    let mut nodes = vec![Node::subscribed(&options, &wanted).await];
    let mut victim = 0;
    for (index, server) in cluster.nodes.iter().enumerate() {
        if server.clients().await.iter().any(|name| name == "kraken-ws-subscribe") {
            victim = index;
        }
        let redis = Servers::Cluster(vec![server.url()]);
        nodes.push(Node::start(&Config { servers: redis, ..options.clone() }));
    }
    for node in &nodes[1..] {
        node.bus.ready(LONG).await.unwrap();
        wanted.iter().for_each(|what| node.bus.subscribe(what.clone()));
        node.bus.count(b"req").await.unwrap();
    }
    for node in &nodes {
        assert_eq!(node.bus.count(b"req").await.unwrap(), 4);
    }
    nodes[1].publish("x#room#", "hello");
    for node in &mut nodes[1..] {
        node.up().await;
    }
    for node in &mut nodes {
        assert_eq!(node.payload().await, "hello");
    }
    for number in 0..2000 {
        nodes[0].publish("x#", number.to_string());
    }
    for number in 0..2000 {
        assert_eq!(nodes[2].payload().await, number.to_string());
    }
    // A cluster node dies; the links to it move to another node.
    cluster.nodes[victim].kill();
    nodes[0].down().await;
    nodes[0].up().await;
    until("all to have gone elsewhere", async || {
        nodes[0].bus.count(b"req").await.is_ok_and(|count| count == 4)
    })
    .await;
    // The dead node is still listed in the topology, but the bus does not wait for it.
    let since = std::time::Instant::now();
    assert_eq!(nodes[0].bus.count(b"req").await.unwrap(), 4);
    assert!(since.elapsed() < Duration::from_millis(900), "{:?}", since.elapsed());
}

#[tokio::test]
async fn sharded_channels_are_where_their_slots_are() {
    let Some(cluster) = Cluster::start().await else { return };
    let options = cluster.options(Mode::Sharded);
    let names: Vec<String> = (0..300).map(|number| format!("socket.io#/#room {number}#")).collect();
    let wanted: Vec<_> = names.iter().map(|name| shard(name)).collect();
    let mut node = Node::subscribed(&options, &wanted).await;
    let other = Node::subscribed(&options, &wanted[..1]).await;
    assert_eq!(other.bus.count(names[0].as_bytes()).await.unwrap(), 2);
    assert_eq!(other.bus.count(names[1].as_bytes()).await.unwrap(), 1);
    for (index, server) in cluster.nodes.iter().enumerate() {
        let there = server.ask("PUBSUB SHARDCHANNELS").await.items().len();
        assert_eq!(there, names.iter().filter(|name| cluster.owner(name) == index).count());
    }
    for round in 0..10 {
        for name in &names {
            other.publish(name, round.to_string());
        }
    }
    let mut seen = std::collections::HashMap::new();
    for _ in 0..names.len() * 10 {
        let message = node.message().await;
        let rounds: &mut Vec<Bytes> = seen.entry(message.channel).or_default();
        assert_eq!(message.payload, rounds.len().to_string());
        rounds.push(message.payload);
    }
    assert!(seen.len() == names.len() && seen.values().all(|rounds| rounds.len() == 10));
    other.bus.flush(LONG).await.unwrap();
    assert_eq!(other.stats().published, 3000);
}

#[tokio::test]
async fn a_slot_that_moves_takes_its_channels_along() {
    let Some(cluster) = Cluster::start().await else { return };
    let options = cluster.options(Mode::Sharded);
    let name = "socket.io#/#moving#";
    let to = (cluster.owner(name) + 1) % 3;
    let mut node = Node::subscribed(&options, &[shard(name)]).await;
    let other = Node::ready(&options).await;
    let mut next = 0;
    let mut send = |other: &Node, count: u32| {
        for _ in 0..count {
            other.publish(name, next.to_string());
            next += 1;
        }
        next - 1
    };
    let end = send(&other, 100);
    while node.payload().await != end.to_string() {}
    let migrate = cluster.migrate(name, to);
    let traffic = async {
        for _ in 0..50 {
            send(&other, 4);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::join!(migrate, traffic);
    other.bus.flush(LONG).await.unwrap();
    assert_eq!(node.bus.count(name.as_bytes()).await.unwrap(), 1);
    assert_eq!(cluster.nodes[to].ask("PUBSUB SHARDCHANNELS").await.items().len(), 1);
    let end = send(&other, 100);
    let mut last = 99;
    while last != end {
        let number: u32 = node.payload().await.parse().unwrap();
        assert!(number > last, "{number} came after {last}");
        assert!(number <= end - 99 || number == last + 1, "{number} came after {last}");
        last = number;
    }
    other.bus.flush(LONG).await.unwrap();
    let stats = other.stats();
    assert_eq!((stats.published, stats.lost, stats.unconfirmed), (400, 0, 0), "{stats:?}");
}

#[tokio::test]
async fn a_replica_that_takes_over_gets_the_channels() {
    let Some(cluster) = Cluster::start().await else { return };
    let Some(replica) = Server::start(&CLUSTER) else { return };
    let id = cluster.nodes[0].ask("CLUSTER MYID").await.text().unwrap().to_owned();
    replica.tell(&format!("CLUSTER MEET 127.0.0.1 {}", cluster.nodes[0].port)).await;
    until("the replica to know its master", async || {
        replica.ask(&format!("CLUSTER REPLICATE {id}")).await.error().is_none()
    })
    .await;
    until("the replica to follow", async || {
        replica.ask("INFO replication").await.text().unwrap().contains("master_link_status:up")
            && cluster.nodes[0]
                .ask("CLUSTER SLOTS")
                .await
                .items()
                .iter()
                .any(|range| range.items().len() == 4)
    })
    .await;
    let name = (0..).map(|number| format!("room {number}")).find(|name| cluster.owner(name) == 0).unwrap();
    let options = cluster.options(Mode::Sharded);
    let mut node = Node::subscribed(&options, &[shard(&name)]).await;
    let other = Node::ready(&options).await;
    other.publish(&name, "0");
    assert_eq!(node.payload().await, "0");
    replica.tell("CLUSTER FAILOVER").await;
    // Messages are published throughout. Those before the node finds the new master are lost, and none arrives twice.
    let mut next = 1u64;
    until("the replica to have the channel", async || {
        other.publish(&name, next.to_string());
        next += 1;
        replica.clients().await.iter().any(|name| name == "kraken-ws-subscribe")
            && replica.ask("PUBSUB SHARDCHANNELS").await.items().len() == 1
    })
    .await;
    other.bus.flush(LONG).await.unwrap();
    other.publish(&name, "end");
    let mut last = 0;
    loop {
        match node.event().await {
            BusEvent::Message { payload, .. } if payload == "end" => break,
            BusEvent::Message { payload, .. } => {
                let number: u32 = std::str::from_utf8(&payload).unwrap().parse().unwrap();
                assert!(number > last, "{number} came after {last}");
                last = number;
            }
            _ => {}
        }
    }
    other.bus.flush(LONG).await.unwrap();
    let stats = other.stats();
    assert_eq!((stats.published, stats.lost, stats.unconfirmed), (next + 1, 0, 0), "{stats:?}");
}

#[tokio::test]
async fn a_master_that_dies_and_returns_gets_its_channels_back() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let options = cluster.options(Mode::Sharded);
    let names: Vec<String> = (0..60).map(|number| format!("room {number}")).collect();
    let mut node =
        Node::subscribed(&options, &names.iter().map(|name| shard(name)).collect::<Vec<_>>()).await;
    cluster.nodes[1].kill();
    node.down().await;
    assert!(cluster.nodes[1].run());
    node.up().await;
    for name in &names {
        node.publish(name, name.clone());
    }
    let mut seen = std::collections::HashSet::new();
    while seen.len() < names.len() {
        assert!(seen.insert(node.payload().await));
    }
}

#[tokio::test]
async fn a_cluster_named_as_one_server_says_what_to_use() {
    let Some(cluster) = Cluster::start().await else { return };
    let name = (0..).map(|number| format!("room {number}")).find(|name| cluster.owner(name) == 2).unwrap();
    let node = Node::ready(&sharded(&cluster.nodes[0].url())).await;
    node.bus.subscribe(shard(&name));
    let mut node = node;
    let reason = node.down().await;
    assert!(reason.contains("MOVED") && reason.contains("redis = { cluster: [...] }"), "{reason}");
    // The reverse: cluster settings for a single server.
    let Some(server) = Server::start(&[]) else { return };
    let reason =
        Node::start(&super::config(Servers::Cluster(vec![server.url()]), Mode::Classic)).down().await;
    assert!(reason.contains("cluster support disabled"), "{reason}");
}
