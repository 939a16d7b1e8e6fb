//! The topology of Redis Cluster, refreshed whenever something suggests that nodes or slots have changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};

use crate::address::{Address, Endpoint};
use crate::backoff::Backoff;
use crate::connection::Connection;
use crate::link::{Link, Role};
use crate::outgoing::LinkId;
use crate::resp::Value;
use crate::shared::{BusShared, BusState};
use crate::slot::{Routes, SLOTS};
use crate::target::ConnectTarget;

/// Interval of refreshes without a cause. It bounds the time to find changes that cause neither a refused command nor
/// a broken connection.
const LOOK: Duration = Duration::from_secs(10);

/// Minimum interval of refreshes. During a resharding, nodes redirect back and forth.
const GAP: Duration = Duration::from_millis(50);

/// Interval of refreshes while a publish or subscription has no link.
const SOON: Duration = Duration::from_millis(250);

/// The reply of `CLUSTER SLOTS`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Topology {
    /// First slot, last slot, and the index of the owner in `nodes`.
    ranges: Vec<(u16, u16, usize)>,
    /// Masters and replicas.
    nodes: Vec<(Box<str>, u16)>,
}

impl Topology {
    /// `asked`: the host that was asked. A node may leave out its own name.
    fn read(answer: &Value, asked: &str) -> Result<Self, String> {
        if let Some(error) = answer.error() {
            return Err(format!("CLUSTER SLOTS: {error}"));
        }
        let mut topology = Self::default();
        for range in answer.items() {
            let [first, last, nodes @ ..] = range.items() else { continue };
            let slot = |value: &Value| {
                value
                    .int()
                    .and_then(|slot| u16::try_from(slot).ok())
                    .filter(|slot| usize::from(*slot) < SLOTS)
            };
            let (Some(first), Some(last)) = (slot(first), slot(last)) else { continue };
            for (index, node) in nodes.iter().enumerate() {
                let [host, port, ..] = node.items() else { continue };
                let host = match host.text() {
                    None | Some("") => asked,
                    // A node that does not know its own name yet.
                    Some("?") => continue,
                    Some(host) => host,
                };
                let Some(port) = port.int().and_then(|port| u16::try_from(port).ok()) else { continue };
                let node = topology.node(host, port);
                if index == 0 {
                    topology.ranges.push((first, last, node));
                }
            }
        }
        if topology.ranges.is_empty() {
            return Err("CLUSTER SLOTS: no node has any slot".to_owned());
        }
        Ok(topology)
    }

    fn node(&mut self, host: &str, port: u16) -> usize {
        if let Some(known) = self.nodes.iter().position(|node| *node.0 == *host && node.1 == port) {
            return known;
        }
        self.nodes.push((host.into(), port));
        self.nodes.len() - 1
    }
}

/// The two links to a master.
struct Pair {
    commands: LinkId,
    subscriptions: LinkId,
    subscriber: AbortHandle,
}

/// Keeps nodes, slots and the links to them up to date. The links end when it is dropped.
pub(crate) struct ClusterFollower {
    shared: Arc<BusShared>,
    seeds: Vec<Address>,
    /// Links by master; used only where channels are routed by slot.
    pairs: HashMap<Address, Pair>,
    links: JoinSet<()>,
    /// Selects the node to ask first; incremented on failure.
    turn: usize,
}

impl ClusterFollower {
    pub(crate) fn new(shared: Arc<BusShared>, seeds: Vec<Address>) -> Self {
        Self { shared, seeds, pairs: HashMap::new(), links: JoinSet::new(), turn: 0 }
    }

    pub(crate) async fn follow(mut self) {
        let mut backoff = Backoff::default();
        loop {
            match self.look().await {
                Ok((topology, asked)) => {
                    backoff = Backoff::default();
                    self.apply(&topology, &asked);
                }
                Err(reason) => {
                    self.shared.with(|state| {
                        if !state.health.is_complete() {
                            state.health.down(reason);
                        }
                    });
                    backoff.wait().await;
                    continue;
                }
            }
            while self.links.try_join_next().is_some() {}
            let stranded =
                self.shared.with(|state| state.subscriptions.is_homeless() || state.outgoing.is_stranded());
            let longest = if stranded { SOON } else { LOOK };
            let _ = tokio::time::timeout(longest, self.shared.refresh.notified()).await;
            tokio::time::sleep(GAP).await;
        }
    }

    /// Fetches the topology from one node. If that fails, asks all known nodes and seeds at once, and takes the first
    /// answer.
    async fn look(&mut self) -> Result<(Topology, Address), String> {
        let known = self.shared.nodes.borrow().clone();
        let seeds = self.seeds.iter().filter(|seed| !known.contains(seed));
        let nodes: Vec<Address> = known.iter().chain(seeds).cloned().collect();
        let first = &nodes[self.turn % nodes.len()];
        let mut reason = match ask(&self.shared, first).await {
            Ok(topology) => return Ok((topology, first.clone())),
            Err(reason) => reason,
        };
        self.turn += 1;
        let mut asked = JoinSet::new();
        for node in nodes.iter().filter(|node| *node != first).cloned() {
            let shared = self.shared.clone();
            asked.spawn(async move { ask(&shared, &node).await.map(|topology| (topology, node)) });
        }
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(error)) => reason = error,
                Err(ended) => reason = ended.to_string(),
            }
        }
        Err(reason)
    }

    fn apply(&mut self, topology: &Topology, asked: &Address) {
        let nodes: Vec<Address> = topology.nodes.iter().map(|(host, port)| asked.at(host, *port)).collect();
        if self.shared.settings.by_slot() {
            self.apply_slots(topology, &nodes);
        }
        self.shared.nodes.send_if_modified(|known| {
            let modified = **known != *nodes;
            if modified {
                *known = nodes.into();
            }
            modified
        });
        self.shared.with(|state| state.health.complete());
        self.shared.settled.notify_waiters();
    }

    /// Starts a pair of links to each new master, sets the route of each slot, and retires the links of masters that
    /// left.
    fn apply_slots(&mut self, topology: &Topology, nodes: &[Address]) {
        let (mut commands, mut subscriptions) = (vec![None; SLOTS], vec![None; SLOTS]);
        let mut masters = HashSet::new();
        for &(first, last, node) in &topology.ranges {
            let address = &nodes[node];
            if !self.pairs.contains_key(address) {
                let pair = self.start(address);
                self.pairs.insert(address.clone(), pair);
            }
            masters.insert(address);
            let pair = &self.pairs[address];
            for slot in usize::from(first)..=usize::from(last) {
                (commands[slot], subscriptions[slot]) = (Some(pair.commands), Some(pair.subscriptions));
            }
        }
        let mut left = Vec::new();
        self.pairs.retain(|address, pair| {
            let stays = masters.contains(address);
            if !stays {
                // Abort at once: no message may arrive on this link after its channels are subscribed elsewhere.
                pair.subscriber.abort();
                left.push((pair.commands, pair.subscriptions));
            }
            stays
        });
        self.shared.with(|state| {
            state.outgoing.set_routes(Routes::Slots(commands));
            state.subscriptions.set_routes(Routes::Slots(subscriptions));
            for (commands, subscriptions) in left {
                state.outgoing.retire(commands);
                state.subscriptions.remove_link(subscriptions);
                state.health.remove(commands);
                state.health.remove(subscriptions);
            }
        });
    }

    fn start(&mut self, address: &Address) -> Pair {
        let mut start = |role| {
            let id = self.shared.with(BusState::new_link);
            let link = Link { id, role, target: ConnectTarget::Server(address.clone()) };
            (id, self.links.spawn(link.start(&self.shared)))
        };
        let (commands, _) = start(Role::Commands);
        let (subscriptions, subscriber) = start(Role::Subscriptions);
        Pair { commands, subscriptions, subscriber }
    }
}

async fn ask(shared: &BusShared, node: &Address) -> Result<Topology, String> {
    let timeout = shared.settings.timeout;
    let mut connection = Connection::open(&shared.settings, node, "kraken-ws-topology").await?;
    let answer = tokio::time::timeout(timeout, connection.ask(&[b"CLUSTER", b"SLOTS"]))
        .await
        .map_err(|_| format!("{node}: no answer within {} ms", timeout.as_millis()))?
        .map_err(|reason| format!("{node}: {reason}"))?;
    let asked = match &node.endpoint {
        Endpoint::Tcp { host, .. } => host,
        Endpoint::Unix(_) => "",
    };
    Topology::read(&answer, asked).map_err(|reason| format!("{node}: {reason}"))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::resp;

    fn read(wire: &str) -> Result<Topology, String> {
        Topology::read(&resp::take(&mut BytesMut::from(wire), 10_000).unwrap().unwrap(), "asked")
    }

    #[test]
    fn slots_masters_and_replicas_are_read() {
        let node =
            |host: &str, port| format!("*4\r\n${}\r\n{host}\r\n:{port}\r\n$2\r\nid\r\n*0\r\n", host.len());
        let wire = format!(
            "*3\r\n*4\r\n:0\r\n:99\r\n{}{}*3\r\n:100\r\n:199\r\n{}*3\r\n:300\r\n:16383\r\n*3\r\n$-1\r\n:3\r\n$2\r\nid\r\n",
            node("a", 1),
            node("b", 2),
            node("a", 1),
        );
        let topology = read(&wire).unwrap();
        assert_eq!(topology.nodes, [("a".into(), 1), ("b".into(), 2), ("asked".into(), 3)]);
        assert_eq!(topology.ranges, [(0, 99, 0), (100, 199, 0), (300, 16383, 2)]);
    }

    #[test]
    fn an_answer_without_slots_is_an_error() {
        assert!(read("*0\r\n").is_err());
        assert!(
            read("-ERR This instance has cluster support disabled\r\n").unwrap_err().contains("disabled")
        );
        assert!(read("*2\r\n:1\r\n*2\r\n:1\r\n:99999\r\n").is_err());
    }
}
