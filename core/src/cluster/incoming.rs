//! Messages of other nodes and their execution.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kraken_ws_codec::sid::Id;
use kraken_ws_redis::BusEvent;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::cluster::message::{Broadcast, FleetMessage, Incoming, NodeAnswer};
use crate::cluster::node::Node;
use crate::cluster::queue::FleetCommand;
use crate::cluster::responders::From;
use crate::cluster::stats::Figures;
use crate::cluster::wire::{Kind, Malformed, is_emitter};
use crate::local::Server;
use crate::options::cluster::Mode;
use crate::shared::broadcast_acks::{AckProgress, BroadcastAcks};
use crate::shared::namespaces::Namespace;
use crate::shared::shard_sender::ShardSender;
use crate::types::change::Move;
use crate::types::error::ErrorCode;

/// Number of messages that are handed to the shards in one batch.
const BATCH: usize = 256;
/// Limit for waiting while the shards or the host are full; after it, messages are dropped. Redis is not read
/// meanwhile.
const FULL_TIMEOUT: Duration = Duration::from_secs(1);
/// Interval of the attempts within [`FULL_TIMEOUT`].
const RETRY_INTERVAL: Duration = Duration::from_millis(2);

/// The queue of a shard or of the host is full.
struct Full;

impl Node {
    /// Executes the events of the bus in order.
    pub(super) async fn take_messages(self: Rc<Self>, mut events: UnboundedReceiver<BusEvent>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut may_wait = true;
        while events.recv_many(&mut batch, BATCH).await > 0 {
            let mut batch = VecDeque::from(std::mem::take(&mut batch));
            let mut full_since = None;
            while !batch.is_empty() {
                if self.execute_batch(&mut batch).is_ok() {
                    may_wait = true;
                    break;
                }
                // After one message has timed out, the following ones are dropped without waiting, until a message
                // fits again.
                let since = *full_since.get_or_insert_with(Instant::now);
                if may_wait && since.elapsed() < FULL_TIMEOUT {
                    tokio::time::sleep(RETRY_INTERVAL).await;
                    continue;
                }
                may_wait = false;
                full_since = None;
                batch.pop_front();
                Figures::count(&self.figures.node.lost_here);
                if self.figures.node.lost_here.load(std::sync::atomic::Ordering::Relaxed) == 1 {
                    tracing::warn!("cluster: messages of other nodes are lost: shards or host are full");
                }
            }
        }
    }

    /// Executes a batch, with one wake-up per shard; stops when a queue is full. Executed events are removed from
    /// `batch`.
    fn execute_batch(self: &Rc<Self>, batch: &mut VecDeque<BusEvent>) -> Result<(), Full> {
        let server = self.server();
        let mut all = || {
            while let Some(event) = batch.front_mut() {
                match event {
                    BusEvent::Up => self.on_up(),
                    BusEvent::Down(reason) => self.on_down(std::mem::take(reason)),
                    // `held` is dropped with the event, once it is executed.
                    BusEvent::Message { pattern, channel, payload, held: _held } => {
                        if let Some(server) = &server {
                            self.on_message(server, pattern.as_deref(), channel, payload)?;
                        }
                    }
                }
                batch.pop_front();
            }
            Ok(())
        };
        match &server {
            Some(server) => server.batch(all),
            None => all(),
        }
    }

    fn on_message(
        self: &Rc<Self>,
        server: &Server,
        pattern: Option<&[u8]>,
        channel: &Bytes,
        payload: &Bytes,
    ) -> Result<(), Full> {
        let route = self.routes.borrow().get(pattern.unwrap_or(channel)).cloned();
        if let (Some(_), Some((nsp, _))) = (pattern, &route) {
            return self.on_broadcast(server, nsp, channel, payload);
        }
        let (nsp, kind) = match route {
            Some(route) => route,
            // The channel of a single room. The envelope in the payload names the namespace.
            None if self.names.mode == Mode::Sharded => ("".into(), Kind::Sharded),
            None => return Ok(()),
        };
        let (nsp, incoming) = match self.wire.read(&nsp, channel, payload, kind) {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(()),
            Err(what) => {
                self.malformed(what);
                return Ok(());
            }
        };
        let Some(namespace) = self.spaces.borrow().get(&*nsp).map(|space| space.nsp.clone()) else {
            return Ok(());
        };
        match incoming {
            Incoming::Answer { uid, id, answer } => {
                self.on_answer(&nsp, uid, &id, answer);
                Ok(())
            }
            Incoming::Message { uid, message } => self.on_fleet_message(server, namespace, uid, message),
        }
    }

    /// Classic mode: a broadcast. The channel names the room, so the payload is parsed only if this node may have
    /// members.
    fn on_broadcast(
        self: &Rc<Self>,
        server: &Server,
        name: &Arc<str>,
        channel: &[u8],
        payload: &[u8],
    ) -> Result<(), Full> {
        let Some(nsp) = self.spaces.borrow().get(name).map(|space| space.nsp.clone()) else { return Ok(()) };
        let may_be_here = |room: &str| {
            let spaces = self.spaces.borrow();
            let joining = || spaces.get(name).is_some_and(|space| space.joining.has(room, Instant::now()));
            room.is_empty() || is_here(server, &nsp, room) || joining()
        };
        if !self.names.room_in(name, channel).is_some_and(may_be_here) {
            Figures::count(&self.figures.node.dropped_no_room);
            return Ok(());
        }
        match self.wire.read_broadcast(name, channel, payload) {
            Ok(Some((uid, broadcast))) => {
                self.on_fleet_message(server, nsp, Some(uid), FleetMessage::Broadcast(broadcast))
            }
            Ok(None) => Ok(()),
            Err(what) => {
                self.malformed(what);
                Ok(())
            }
        }
    }

    fn on_fleet_message(
        self: &Rc<Self>,
        server: &Server,
        nsp: Namespace,
        uid: Option<Box<str>>,
        message: FleetMessage,
    ) -> Result<(), Full> {
        if let Some(uid) = uid.as_deref().filter(|uid| !is_emitter(uid))
            && let Some(space) = self.spaces.borrow_mut().get_mut(&nsp.0.name)
        {
            space.peers.note_message(uid, matches!(message, FleetMessage::Hello));
        }
        self.note_moves(&nsp.0.name, &message);
        if let FleetMessage::Move { way: Move::Join, rooms, .. } = &message
            && let Some(space) = self.spaces.borrow_mut().get_mut(&nsp.0.name)
        {
            space.joining.add(rooms, Instant::now());
        }
        match message {
            FleetMessage::Broadcast(broadcast) => self.deliver(server, &nsp, uid, broadcast)?,
            FleetMessage::Move { way, target, rooms } => server.move_for_node(&nsp, target, rooms, way),
            FleetMessage::Disconnect { target, what } => server.disconnect_sockets_here(&nsp, target, what),
            FleetMessage::ServerSide { data, attachments, id } => {
                if self.is_host_full() {
                    return Err(Full);
                }
                let from = id.map(|id| From { uid, id });
                self.on_server_side(nsp, data, attachments, from);
            }
            FleetMessage::Ask { id, question } => {
                if self.is_host_full() {
                    return Err(Full);
                }
                self.on_question(server.clone(), nsp, From { uid, id }, question);
            }
            FleetMessage::OneSocket { id, sid, change } => {
                let from = id.map(|id| From { uid, id });
                self.on_one_socket(server.clone(), nsp, from, sid, change);
            }
            FleetMessage::Hello => {
                if let Some(uid) = uid {
                    self.greet(&nsp.0.name, &uid);
                }
            }
        }
        Figures::count(&self.figures.node.foreign);
        Ok(())
    }

    /// Answers the `Hello` of a new node, so that it knows this one.
    fn greet(&self, nsp: &str, uid: &str) {
        match self.wire.greeting(nsp, uid) {
            Ok((channel, payload)) => self.bus.publish(channel, payload),
            Err(error) => tracing::warn!(%error, "cluster: a greeting can't be written"),
        }
    }

    fn deliver(
        &self,
        server: &Server,
        nsp: &Namespace,
        uid: Option<Box<str>>,
        broadcast: Broadcast,
    ) -> Result<(), Full> {
        let Broadcast { target, data, attachments, flags, ack } = broadcast;
        let sent = match ack {
            None => server.publish_here(nsp, target, &data, &attachments, flags),
            Some((id, timeout)) => {
                let (queue, name) = (self.queue.clone(), nsp.0.name.clone());
                let report = move |progress| {
                    let answer = match progress {
                        AckProgress::Clients(count) => NodeAnswer::Clients(count),
                        AckProgress::Answer(data, attachments) => NodeAnswer::Ack { data, attachments },
                    };
                    queue.send(FleetCommand::Answer {
                        nsp: name.clone(),
                        to: uid.clone(),
                        id: id.clone(),
                        answer,
                    });
                };
                let acks = BroadcastAcks::for_node(
                    server.core().shards.len(),
                    &server.core().answers,
                    Box::new(report),
                );
                let timeout = timeout.unwrap_or(self.options.requests_timeout);
                let acks = (server.next_ack_id(), acks, timeout);
                server.ask_here(nsp, target, &data, &attachments, flags, acks)
            }
        };
        match sent {
            Err(error) if error.code() == ErrorCode::QueueFull => Err(Full),
            Err(error) if error.code() == ErrorCode::Payload => {
                self.malformed(Malformed("broadcast"));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Whether a room may have members here: it has members or sockets that can be recovered, its name is a socket id of
/// this server, or a shard still has a join queued.
fn is_here(server: &Server, nsp: &Namespace, room: &str) -> bool {
    let core = server.core();
    Id::has_tag(room, core.tag)
        || core.shards.iter().any(ShardSender::is_joining)
        || server.has_room(nsp, room)
        || core.recovery.as_ref().is_some_and(|recovery| recovery.away.has(nsp.0.id, room))
}
