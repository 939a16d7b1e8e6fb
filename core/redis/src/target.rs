//! The server that a link connects to: a fixed one, a sentinel's master, or any node of a cluster.

use crate::address::Address;
use crate::connection::Connection;
use crate::resp::Value;
use crate::settings::{Settings, Site};
use crate::shared::BusShared;

/// How a link finds its server.
#[derive(Clone)]
pub(crate) enum ConnectTarget {
    Server(Address),
    /// The current master according to the sentinels.
    Master,
    /// Any node of the cluster.
    Node,
}

impl ConnectTarget {
    /// Connects. `turn` selects the sentinel or node, and is incremented on failure so that the next one is tried.
    pub(crate) async fn connect(
        &self,
        shared: &BusShared,
        name: &str,
        turn: &mut usize,
    ) -> Result<Connection, String> {
        let settings = &shared.settings;
        match self {
            ConnectTarget::Server(address) => Connection::open(settings, address, name).await,
            ConnectTarget::Master => master(settings, name, turn).await,
            ConnectTarget::Node => {
                // Use the nodes that the cluster reports, not the seeds in the options: a seed may have left the
                // cluster.
                let mut nodes = shared.nodes.subscribe();
                let nodes =
                    nodes.wait_for(|nodes| !nodes.is_empty()).await.map_err(|e| e.to_string())?.clone();
                let node = &nodes[*turn % nodes.len()];
                let connection = Connection::open(settings, node, name).await;
                *turn += usize::from(connection.is_err());
                connection
            }
        }
    }
}

/// Asks the sentinels in turn, and connects to the master that the first reply names.
async fn master(settings: &Settings, name: &str, turn: &mut usize) -> Result<Connection, String> {
    let Site::Sentinel { sentinels, master, like } = &settings.site else {
        return Err("no sentinels are set".to_owned());
    };
    let mut reason = String::new();
    for _ in 0..sentinels.len() {
        let sentinel = &sentinels[*turn % sentinels.len()];
        match find_master(settings, sentinel, master, like).await {
            Ok(address) => {
                let connection = open_master(settings, &address, name).await;
                // This sentinel may be outdated; ask the next one.
                *turn += usize::from(connection.is_err());
                return connection;
            }
            Err(error) => reason = format!("sentinel {sentinel}: {error}"),
        }
        *turn += 1;
    }
    Err(reason)
}

async fn find_master(
    settings: &Settings,
    sentinel: &Address,
    master: &str,
    like: &Address,
) -> Result<Address, String> {
    let asked = async {
        let mut connection = Connection::open(settings, sentinel, "kraken-ws-sentinel").await?;
        connection.ask(&[b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", master.as_bytes()]).await
    };
    let answer = tokio::time::timeout(settings.timeout, asked)
        .await
        .map_err(|_| format!("no answer within {} ms", settings.timeout.as_millis()))??;
    match answer.items() {
        [host, port] => match (host.text(), port.text().and_then(|port| port.parse().ok())) {
            (Some(host), Some(port)) => Ok(like.at(host, port)),
            _ => Err("an answer of an unknown shape".to_owned()),
        },
        _ => Err(answer.error().unwrap_or_else(|| format!("it knows no master \"{master}\""))),
    }
}

/// Connects to the reported master and checks its role.
async fn open_master(settings: &Settings, address: &Address, name: &str) -> Result<Connection, String> {
    let mut connection = Connection::open(settings, address, name).await?;
    let role = tokio::time::timeout(settings.timeout, connection.ask(&[b"ROLE"]))
        .await
        .map_err(|_| format!("{address}: no answer within {} ms", settings.timeout.as_millis()))?
        .map_err(|reason| format!("{address}: {reason}"))?;
    match role.items().first().and_then(Value::text) {
        Some("master") => Ok(connection),
        Some(other) => Err(format!("{address}: the sentinel's master is a {other}")),
        // The ACL may forbid `ROLE`; then the check is skipped.
        None => Ok(connection),
    }
}
