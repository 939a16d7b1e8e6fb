//! The fleet: joining it, and questions to its other nodes.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::cluster;
use crate::local::Server;
use crate::options::cluster::ClusterOptions;
use crate::shared::broker::{HostAnswers, Question};
use crate::shared::encode;
use crate::shared::figures::ClusterStats;
use crate::shared::fleet_reply::{FleetReply, RemoteSocket};
use crate::shared::namespaces::Namespace;
use crate::types::error::{Error, ErrorCode, Result};
use crate::types::target::{Reach, Target};

impl Server {
    /// Makes this server a node of a fleet, with clients or without; a server can join once. Without `wait_for_redis`
    /// the call returns at once, and the node has joined when [`Event::Cluster`](crate::Event::Cluster) says `Up`.
    ///
    /// # Errors
    /// [`ErrorCode::State`] if the server is a node already, [`ErrorCode::Redis`] if `wait_for_redis` and Redis can't
    /// be reached within `redis_timeout`, [`ErrorCode::Option`] for settings that can't be used,
    /// [`ErrorCode::Unsupported`] on a server of raw messages.
    pub fn join_cluster(&self, options: ClusterOptions) -> Result<()> {
        self.open()?;
        if self.core().options.raw {
            let what = "cluster: a server of raw messages can't join; its host has adapters of its own";
            return Err(Error::new(ErrorCode::Unsupported, what));
        }
        let slot = &self.core().broker;
        slot.fill(|| cluster::start(self, options)).unwrap_or_else(|| {
            Err(Error::new(ErrorCode::State, "cluster: the server is a node of a fleet already"))
        })?;
        let Some(broker) = slot.get() else { return Ok(()) };
        if broker.wants_own_rooms() {
            self.show_own_rooms();
        }
        // A close between `open` above and `fill` found no broker to close.
        if self.is_closing() {
            broker.close();
        }
        Ok(())
    }

    async fn ask<T: Default>(
        &self,
        nsp: &Namespace,
        question: impl FnOnce(oneshot::Sender<FleetReply<T>>) -> Question,
    ) -> FleetReply<T> {
        let Some(broker) = self.broker(Reach::Fleet) else { return FleetReply::default() };
        let (reply, answer) = oneshot::channel();
        broker.ask(nsp, question(reply));
        // The broker dropped the question: a closing node asks nobody; a broken one has not asked, or has lost the
        // answers.
        let no_answer = |_| if self.is_closing() { FleetReply::default() } else { FleetReply::not_sent() };
        answer.await.unwrap_or_else(no_answer)
    }

    /// The sockets of the other nodes that `target` selects. Nodes have `timeout`, else `requestsTimeout`, to answer;
    /// the reply has what came by then.
    pub async fn fetch_remote(
        &self,
        nsp: &Namespace,
        target: Target,
        timeout: Option<Duration>,
    ) -> FleetReply<Vec<RemoteSocket>> {
        self.ask(nsp, |reply| Question::Sockets { target, timeout, reply }).await
    }

    /// Names of all rooms of the fleet, including those named by the ids of sockets, each once and sorted. JavaScript
    /// nodes of a sharded fleet do not know this request: their rooms are missing.
    pub async fn fleet_rooms(&self, nsp: &Namespace) -> FleetReply<Vec<Box<str>>> {
        let here = self.all_rooms(nsp).await;
        let mut fleet: FleetReply<Vec<Box<str>>> = self.ask(nsp, |reply| Question::Rooms { reply }).await;
        fleet.answers.extend(here);
        fleet.answers.sort_unstable();
        fleet.answers.dedup();
        fleet
    }

    /// The number of nodes in the fleet, this one included.
    ///
    /// # Errors
    /// [`ErrorCode::Redis`] if Redis does not answer.
    pub async fn node_count(&self, nsp: &Namespace) -> Result<usize> {
        let Some(broker) = self.broker(Reach::Fleet) else { return Ok(1) };
        let (reply, count) = oneshot::channel();
        broker.ask(nsp, Question::Count { reply });
        count.await.unwrap_or_else(|_| Err(Error::closed()))
    }

    /// Sends an event to the hosts of the other nodes: [`Event::ServerSide`](crate::Event::ServerSide) there. `data` is
    /// a JSON array `["event", …]`. Without a fleet no host receives it.
    ///
    /// # Errors
    /// [`ErrorCode::Payload`], [`ErrorCode::Closed`].
    pub fn server_side_emit(&self, nsp: &Namespace, data: &str, attachments: Vec<Bytes>) -> Result<()> {
        self.open()?;
        encode::check(data, &attachments)?;
        if let Some(broker) = self.broker(Reach::Fleet) {
            broker.server_side_emit(nsp, data, attachments);
        }
        Ok(())
    }

    /// [`Server::server_side_emit`] with answers: each node answers with one argument as JSON text, and its
    /// attachments. Nodes have `timeout`, else `requestsTimeout`, to answer.
    ///
    /// # Errors
    /// As [`Server::server_side_emit`].
    pub async fn server_side_emit_with_ack(
        &self,
        nsp: &Namespace,
        data: &str,
        attachments: Vec<Bytes>,
        timeout: Option<Duration>,
    ) -> Result<FleetReply<HostAnswers>> {
        self.open()?;
        encode::check(data, &attachments)?;
        let question = |reply| Question::Hosts { data: data.into(), attachments, timeout, reply };
        Ok(self.ask(nsp, question).await)
    }

    /// Figures of this node; `None` if the server is not in a fleet.
    pub fn cluster_stats(&self) -> Option<ClusterStats> {
        self.broker(Reach::Fleet).map(|broker| broker.stats())
    }
}
