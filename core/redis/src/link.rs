//! A link: a sequence of connections to a server, one after the other, for as long as the bus exists.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;

use crate::address::Address;
use crate::backoff::Backoff;
use crate::outgoing::LinkId;
use crate::shared::BusShared;
use crate::target::ConnectTarget;
use crate::{publisher, subscriber};

/// The purpose of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Publishes and sends commands.
    Commands,
    Subscriptions,
    /// Sends commands to one node of a Redis Cluster. The bus can be up without this link.
    Questions,
}

/// The description of a link, before it starts.
pub(crate) struct Link {
    pub id: LinkId,
    pub role: Role,
    pub target: ConnectTarget,
}

impl Link {
    /// Registers the link. The returned future runs it.
    pub(crate) fn start(self, shared: &Arc<BusShared>) -> impl Future<Output = ()> + Send + use<> {
        let wake = shared.with(|state| {
            if self.role != Role::Questions {
                state.health.add(self.id);
            }
            match self.role {
                Role::Subscriptions => state.subscriptions.add_link(self.id),
                Role::Commands | Role::Questions => state.outgoing.add_link(self.id),
            }
        });
        let shared = shared.clone();
        async move { self.live(&shared, &wake).await }
    }

    async fn live(self, shared: &BusShared, wake: &Arc<Notify>) {
        let mut backoff = Backoff::default();
        // A random first node spreads processes over the cluster. Sentinels are asked in their configured order.
        let mut turn = match self.target {
            ConnectTarget::Node => fastrand::usize(..),
            _ => 0,
        };
        let mut connected = false;
        loop {
            let since = Instant::now();
            let name = match self.role {
                Role::Commands => "kraken-ws-publish",
                Role::Subscriptions => "kraken-ws-subscribe",
                Role::Questions => "kraken-ws-ask",
            };
            let broken = match self.target.connect(shared, name, &mut turn).await {
                Ok(connection) => {
                    shared.with(|state| state.reconnects += u64::from(connected));
                    connected = true;
                    let address = connection.address.clone();
                    let serve = async {
                        match self.role {
                            Role::Subscriptions => subscriber::serve(shared, self.id, wake, connection).await,
                            Role::Commands | Role::Questions => {
                                publisher::serve(shared, self.id, wake, connection, self.heartbeat()).await
                            }
                        }
                    };
                    let ended = tokio::select! {
                        ended = serve => ended,
                        () = self.left(shared, &address) => Some("the node has left the cluster".to_owned()),
                    };
                    let served = shared.with(|state| state.health.is_link_up(self.id));
                    backoff.stood(since, served);
                    ended.map(|reason| format!("{address}: {reason}"))
                }
                Err(reason) => Some(reason),
            };
            if self.broke(shared, broken) {
                return;
            }
            backoff.wait().await;
        }
    }

    /// Records the end of a connection; `true` if the link has ended too.
    fn broke(&self, shared: &BusShared, reason: Option<String>) -> bool {
        let commands = self.role != Role::Subscriptions;
        let ended = shared.with(|state| {
            if commands {
                state.outgoing.broke(self.id);
            }
            if self.role == Role::Questions {
                state.outgoing.mute(self.id);
            }
            if let Some(reason) = reason {
                tracing::debug!(reason, role = ?self.role, "a connection to Redis broke");
                state.health.failed(self.id, reason);
            }
            let ended = commands && state.outgoing.is_retired(self.id);
            if ended {
                state.outgoing.remove_link(self.id);
            }
            ended
        });
        shared.settled.notify_waiters();
        shared.refresh.notify_one();
        ended
    }

    /// For a link to any cluster node: waits until the node at `address` has left the cluster.
    async fn left(&self, shared: &BusShared, address: &Address) {
        match self.target {
            ConnectTarget::Node => {
                let mut nodes = shared.nodes.subscribe();
                let _ = nodes.wait_for(|nodes| !nodes.contains(address)).await;
            }
            _ => std::future::pending().await,
        }
    }

    fn heartbeat(&self) -> &'static [&'static [u8]] {
        match self.target {
            ConnectTarget::Master => &[b"ROLE"],
            _ => &[b"PING"],
        }
    }
}
