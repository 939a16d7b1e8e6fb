//! Which server a link connects to: named, found through sentinels, or any of a cluster.

use crate::cluster::redis::address::Address;
use crate::cluster::redis::connection::Connection;
use crate::cluster::redis::resp::Value;
use crate::cluster::redis::settings::{Settings, Site};
use crate::cluster::redis::shared::Shared;

/// See the module.
#[derive(Clone)]
pub(crate) enum Target {
    Server(Address),
    /// The master that sentinels name.
    Master,
    /// Any node of the cluster.
    Node,
}

impl Target {
    /// Connects. `turn` counts the failures, so that the next sentinel or node has its turn.
    pub async fn connect(&self, shared: &Shared, name: &str, turn: &mut usize) -> Result<Connection, String> {
        let settings = &shared.settings;
        match self {
            Target::Server(address) => Connection::open(settings, address, name).await,
            Target::Master => master(settings, name, turn).await,
            Target::Node => {
                // Those that the cluster names, not those in the options: who is not in it any more is to be left.
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

/// Asks the sentinels in turn and connects to the master that the first of them names.
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
                // The next sentinel may know better.
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

/// Connects to what should be a master, and sees that it is one.
async fn open_master(settings: &Settings, address: &Address, name: &str) -> Result<Connection, String> {
    let mut connection = Connection::open(settings, address, name).await?;
    let role = tokio::time::timeout(settings.timeout, connection.ask(&[b"ROLE"]))
        .await
        .map_err(|_| format!("{address}: no answer within {} ms", settings.timeout.as_millis()))?
        .map_err(|reason| format!("{address}: {reason}"))?;
    match role.items().first().and_then(Value::text) {
        Some("master") => Ok(connection),
        Some(other) => Err(format!("{address}: the sentinel's master is a {other}")),
        // Without the right to ask there is no way to know.
        None => Ok(connection),
    }
}
