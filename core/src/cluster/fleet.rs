//! What a server can do with the other nodes of its fleet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::config::ClusterOptions;
use super::message::{Broadcast, Message};
use super::node::{self, NodeParts};
use super::queue::{Command, Queue, RoomKind};
use super::stats::{ClusterStats, Figures};
use super::wire::{Names, is_private};
use crate::error::{Error, ErrorCode, Result};
use crate::host::{BroadcastAcks, EmitFlags, Namespace, NspShared, Server};
use crate::rooms::Target;
use crate::shard::Command as ShardCommand;
use crate::socketio::encode;

/// What other nodes answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fleet<T> {
    /// What came.
    pub answers: T,
    /// How many other nodes were asked. One that ended meanwhile doesn't count.
    pub expected: usize,
    /// How many of them did not answer in time. Without a connection to Redis: as many as are known, at least 1.
    pub missing: usize,
    /// Their names (`uid`) where they are known.
    pub missing_nodes: Vec<Box<str>>,
}

impl<T: Default> Fleet<T> {
    /// Of a question that nobody was asked.
    pub(super) fn unasked() -> Self {
        Self { expected: 1, missing: 1, ..Self::default() }
    }
}

/// A socket of another node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteSocket {
    /// Public id.
    pub id: Box<str>,
    /// JSON object as socket.io's `socket.handshake`.
    pub handshake: Box<str>,
    /// Its rooms, the one named by its own id included.
    pub rooms: Vec<Box<str>>,
    /// JSON that its host attached.
    pub data: Box<str>,
}

/// A server's place in a fleet, once it has one.
#[derive(Default)]
pub(crate) struct Place {
    /// It has one, or is about to.
    taken: AtomicBool,
    cluster: OnceLock<Cluster>,
}

impl Place {
    pub(crate) fn get(&self) -> Option<&Cluster> {
        self.cluster.get()
    }

    /// A socket enters or leaves the room named by its id.
    pub(crate) fn own_room(&self, nsp: u32, id: &str, here: bool) {
        if let Some(cluster) = self.get() {
            cluster.queue.send(Command::Room { nsp, room: id.into(), kind: RoomKind::Own, here });
        }
    }
}

/// The way to the cluster's thread.
pub(crate) struct Cluster {
    queue: Arc<Queue>,
    figures: Arc<Figures>,
    names: Arc<Names>,
    requests_timeout: Duration,
}

impl Cluster {
    pub(crate) fn broadcast(
        &self,
        nsp: &Namespace,
        target: Target,
        data: &str,
        attachments: Vec<Bytes>,
        flags: EmitFlags,
    ) {
        let broadcast = Broadcast { target, data: data.into(), attachments, flags, ack: None };
        self.queue.say(&nsp.0.name, Message::Broadcast(broadcast));
    }

    pub(crate) fn ask_clients(
        &self,
        nsp: &Namespace,
        target: Target,
        data: &str,
        attachments: Vec<Bytes>,
        flags: EmitFlags,
        (acks, timeout): (Arc<BroadcastAcks>, Duration),
    ) {
        let ack = Some((self.names.request_id(), Some(timeout)));
        let message = Message::Broadcast(Broadcast { target, data: data.into(), attachments, flags, ack });
        self.queue.send(Command::AskClients { nsp: nsp.0.name.clone(), message, timeout, acks });
    }

    pub(crate) fn join(&self, nsp: &Namespace, target: Target, rooms: Vec<Box<str>>) {
        self.queue.say(&nsp.0.name, Message::Join { target, rooms });
    }

    pub(crate) fn leave(&self, nsp: &Namespace, target: Target, rooms: Vec<Box<str>>) {
        self.queue.say(&nsp.0.name, Message::Leave { target, rooms });
    }

    pub(crate) fn disconnect(&self, nsp: &Namespace, target: Target, close: bool) {
        self.queue.say(&nsp.0.name, Message::Disconnect { target, close });
    }

    /// What was queued goes out, then the thread ends.
    pub(crate) fn close(&self) {
        self.queue.send(Command::Close);
    }
}

impl Server {
    /// The way to other nodes, if there are any and they are meant.
    pub(crate) fn cluster(&self, local: bool) -> Option<&Cluster> {
        self.core().fleet.get().filter(|_| !local)
    }

    /// Makes this server a node of a fleet, once; with clients or without. Without `wait_for_redis` it returns at
    /// once, and the node is there when [`Event::Cluster`](crate::Event::Cluster) says `Up`.
    ///
    /// # Errors
    /// [`ErrorCode::State`] if it is one already, [`ErrorCode::Redis`] if `wait_for_redis` and Redis can't be
    /// reached within `redis_timeout`, [`ErrorCode::Option`] for settings that can't be used,
    /// [`ErrorCode::Unsupported`] on a server of raw messages.
    pub fn join_cluster(&self, options: ClusterOptions) -> Result<()> {
        self.open()?;
        if self.core().options.raw {
            let what = "cluster: a server of raw messages can't join; its host has adapters of its own";
            return Err(Error::new(ErrorCode::Unsupported, what));
        }
        let place = &self.core().fleet;
        if place.taken.swap(true, Ordering::AcqRel) {
            return Err(Error::new(ErrorCode::State, "cluster: the server is a node of a fleet already"));
        }
        match self.start_node(options) {
            Ok(cluster) => {
                let _ = place.cluster.set(cluster);
                Ok(())
            }
            Err(error) => {
                place.taken.store(false, Ordering::Release);
                Err(error)
            }
        }?;
        if let Some(cluster) = place.get() {
            self.show_own_rooms(&cluster.names);
        }
        // A close that came in between found nobody to tell.
        if let (true, Some(cluster)) = (self.is_closing(), place.get()) {
            cluster.close();
        }
        Ok(())
    }

    fn start_node(&self, options: ClusterOptions) -> Result<Cluster> {
        let figures = Arc::<Figures>::default();
        let queue = Queue::new(options.queue_bytes, options.overflow, figures.clone());
        let names = Arc::new(Names::new(options.mode, &options.prefix, options.subscriptions));
        let requests_timeout = options.requests_timeout;
        let (ready, is_ready) = mpsc::channel();
        let core = self.core();
        let parts = NodeParts {
            options,
            names: names.clone(),
            queue: queue.clone(),
            figures: figures.clone(),
            server: Some((self.downgrade(), core.host.clone(), core.shards.len())),
            panics: core.host.panics.clone(),
        };
        // Before it connects, so that the first `Up` means the namespaces that are there.
        self.show_namespaces(&queue, &names);
        self.spawn("kraken-cluster", move || node::run(parts, ready))?;
        let started = is_ready.recv();
        started.unwrap_or_else(|_| Err(Error::new(ErrorCode::Internal, "cluster: its thread ended")))?;
        Ok(Cluster { queue, figures, names, requests_timeout })
    }

    /// A node that begins anew hears of everything.
    pub(crate) fn show_all(&self, queue: &Arc<Queue>, names: &Names) {
        self.show_namespaces(queue, names);
        self.show_own_rooms(names);
    }

    fn show_own_rooms(&self, names: &Names) {
        if names.has_channels(RoomKind::Own) {
            for shard in &self.core().shards {
                shard.send(ShardCommand::ShowOwnRooms);
            }
        }
    }

    /// The node hears of namespaces and, where they have channels of their own, of rooms.
    fn show_namespaces(&self, queue: &Arc<Queue>, names: &Names) {
        let core = self.core();
        let to = queue.clone();
        core.namespaces.watch(Box::new(move |nsp: &Arc<NspShared>, here| {
            to.send(Command::Namespace { nsp: nsp.clone(), here });
        }));
        if !names.has_channels(RoomKind::Joined) {
            return;
        }
        let all = names.has_channels(RoomKind::Own);
        let tell = |kind| {
            let to = queue.clone();
            // What looks like a socket id goes over the main channel: JavaScript nodes send it there.
            Box::new(move |nsp, room: &str, here| {
                if all || !is_private(room) {
                    to.send(Command::Room { nsp, room: room.into(), kind, here });
                }
            })
        };
        core.directory.watch(tell(RoomKind::Joined));
        if let Some(recovery) = &core.recovery {
            recovery.away.watch(tell(RoomKind::Away));
        }
    }

    async fn ask<T: Default>(
        &self,
        question: impl FnOnce(&Cluster, oneshot::Sender<Fleet<T>>) -> Command,
    ) -> Fleet<T> {
        let Some(cluster) = self.cluster(false) else { return Fleet::default() };
        let (reply, answer) = oneshot::channel();
        cluster.queue.send(question(cluster, reply));
        // A node that has ended asks nobody; one that broke has not asked, or not heard.
        let no_answer = |_| if self.is_closing() { Fleet::default() } else { Fleet::unasked() };
        answer.await.unwrap_or_else(no_answer)
    }

    /// The sockets of the other nodes that `target` means. Nodes get `timeout`, else `requestsTimeout`, to answer;
    /// what came until then is there.
    pub async fn fetch_remote(
        &self,
        nsp: &Namespace,
        target: Target,
        timeout: Option<Duration>,
    ) -> Fleet<Vec<RemoteSocket>> {
        self.ask(|cluster, reply| Command::Sockets {
            nsp: nsp.0.name.clone(),
            target,
            timeout: timeout.unwrap_or(cluster.requests_timeout),
            reply,
        })
        .await
    }

    /// Names of all rooms of the fleet, those named by the ids of sockets included, each once and sorted. JavaScript
    /// nodes of a sharded fleet don't know the question: they are missing.
    pub async fn fleet_rooms(&self, nsp: &Namespace) -> Fleet<Vec<Box<str>>> {
        let here = self.all_rooms(nsp).await;
        let mut fleet: Fleet<Vec<Box<str>>> = self
            .ask(|cluster, reply| Command::Rooms {
                nsp: nsp.0.name.clone(),
                timeout: cluster.requests_timeout,
                reply,
            })
            .await;
        fleet.answers.extend(here);
        fleet.answers.sort_unstable();
        fleet.answers.dedup();
        fleet
    }

    /// Names of the rooms of this process, those named by the ids of sockets included.
    pub(crate) async fn all_rooms(&self, nsp: &Namespace) -> Vec<Box<str>> {
        let mut waiting = Vec::new();
        for shard in &self.core().shards {
            let (reply, rooms) = oneshot::channel();
            shard.send(ShardCommand::OwnRooms(nsp.0.clone(), reply));
            waiting.push(rooms);
        }
        let mut rooms = Vec::new();
        for own in waiting {
            // A shard that ended has no sockets.
            rooms.extend(own.await.unwrap_or_default());
        }
        // After the shards have done what they were asked before.
        rooms.extend(self.rooms(nsp));
        rooms
    }

    /// How many servers there are in the fleet, this one included.
    ///
    /// # Errors
    /// [`ErrorCode::Redis`] if Redis does not answer.
    pub async fn server_count(&self, nsp: &Namespace) -> Result<usize> {
        let Some(cluster) = self.cluster(false) else { return Ok(1) };
        let (reply, count) = oneshot::channel();
        cluster.queue.send(Command::Count { nsp: nsp.0.name.clone(), reply });
        count.await.unwrap_or_else(|_| Err(Error::closed()))
    }

    /// Sends an event to the hosts of the other nodes: [`Event::ServerSide`](crate::Event::ServerSide) there.
    /// `data` is a JSON array `["event", …]`. Without a fleet there is nobody to hear it.
    ///
    /// # Errors
    /// [`ErrorCode::Payload`], [`ErrorCode::Closed`].
    pub fn server_side_emit(&self, nsp: &Namespace, data: &str, attachments: Vec<Bytes>) -> Result<()> {
        self.open()?;
        encode::check(data, &attachments)?;
        if let Some(cluster) = self.cluster(false) {
            let message = Message::ServerSide { data: data.into(), attachments, id: None };
            cluster.queue.say(&nsp.0.name, message);
        }
        Ok(())
    }

    /// [`Server::server_side_emit`] with answers: of each node one argument as JSON text, with its attachments.
    /// Nodes get `timeout`, else `requestsTimeout`.
    ///
    /// # Errors
    /// As [`Server::server_side_emit`].
    pub async fn server_side_emit_with_ack(
        &self,
        nsp: &Namespace,
        data: &str,
        attachments: Vec<Bytes>,
        timeout: Option<Duration>,
    ) -> Result<Fleet<Vec<(Box<str>, Vec<Bytes>)>>> {
        self.open()?;
        encode::check(data, &attachments)?;
        let answers = self.ask(|cluster, reply| Command::Hosts {
            nsp: nsp.0.name.clone(),
            data: data.into(),
            attachments,
            timeout: timeout.unwrap_or(cluster.requests_timeout),
            reply,
        });
        Ok(answers.await)
    }

    /// Figures of this node; `None` if the server is not in a fleet.
    pub fn cluster_stats(&self) -> Option<ClusterStats> {
        self.cluster(false).map(|cluster| cluster.figures.snapshot(cluster.queue.bytes()))
    }
}
