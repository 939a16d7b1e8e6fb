//! Calls that reach the whole fleet: this node, which `local` serves, and the others behind the
//! [`Broker`](crate::shared::broker::Broker).

#[cfg(all(test, not(any(feature = "cluster", feature = "compression", feature = "regex", feature = "tls"))))]
mod absent_tests;
#[cfg_attr(not(feature = "cluster"), path = "fleet_absent.rs")]
mod fleet;

use std::time::Duration;

use bytes::Bytes;

use crate::local::Server;
use crate::options::Options;
use crate::shared::broadcast_acks::BroadcastAcks;
use crate::shared::broker::{Broker, Emit};
use crate::shared::host_queue::Events;
use crate::shared::namespaces::Namespace;
use crate::types::change::{Disconnect, Move};
use crate::types::error::Result;
use crate::types::flags::EmitFlags;
use crate::types::target::{Reach, Target};

impl Server {
    /// Starts the shards. [`Events`] is the host's end of the event queue.
    ///
    /// # Errors
    /// [`ErrorCode::Tls`](crate::ErrorCode::Tls) for a certificate or key that can't be used,
    /// [`ErrorCode::System`](crate::ErrorCode::System) if threads can't be started, and those of
    /// [`Server::join_cluster`].
    pub fn new(mut options: Options) -> Result<(Server, Events)> {
        let cluster = options.cluster.take();
        let (server, events) = Server::start(options)?;
        if let Some(cluster) = cluster {
            server.join_cluster(cluster)?;
        }
        Ok((server, events))
    }

    /// The broker of the other nodes; `None` without a fleet, or if the call stays on this node.
    fn broker(&self, reach: Reach) -> Option<&dyn Broker> {
        self.core().broker.get().filter(|_| reach == Reach::Fleet)
    }

    /// Sends an event to all sockets that `target` selects, on all nodes of the fleet unless `flags.local`. It is
    /// encoded once; the cost for the caller does not depend on the number of recipients.
    ///
    /// # Errors
    /// As [`Server::emit`].
    pub fn publish(
        &self,
        nsp: &Namespace,
        target: Target,
        data: &str,
        attachments: Vec<Bytes>,
        flags: EmitFlags,
    ) -> Result<()> {
        let Some(broker) = self.broker(flags.reach()) else {
            return self.publish_here(nsp, target, data, &attachments, flags);
        };
        self.publish_here(nsp, target.clone(), data, &attachments, flags)?;
        broker.emit(Emit { nsp, target, data, attachments, flags });
        Ok(())
    }

    /// [`Server::publish`] with acks: [`Event::BroadcastAck`](crate::Event::BroadcastAck) brings all
    /// answers, or those that came before `timeout`.
    ///
    /// # Errors
    /// As [`Server::emit`].
    pub fn publish_with_ack(
        &self,
        nsp: &Namespace,
        target: Target,
        data: &str,
        attachments: Vec<Bytes>,
        flags: EmitFlags,
        timeout: Duration,
    ) -> Result<u64> {
        let id = self.next_ack_id();
        let shards = self.core().shards.len();
        let broker = self.broker(flags.reach());
        let reach = if broker.is_some() { Reach::Fleet } else { Reach::Node };
        let acks = BroadcastAcks::new(id, shards, reach, &self.core().answers);
        let Some(broker) = broker else {
            self.ask_here(nsp, target, data, &attachments, flags, (id, acks, timeout))?;
            return Ok(id);
        };
        self.ask_here(nsp, target.clone(), data, &attachments, flags, (id, acks.clone(), timeout))?;
        broker.emit_with_ack(Emit { nsp, target, data, attachments, flags }, acks, timeout);
        Ok(id)
    }

    /// Adds all sockets that `target` selects to rooms.
    pub fn sockets_join(&self, nsp: &Namespace, target: Target, rooms: &[&str], reach: Reach) {
        self.move_sockets(nsp, target, rooms, Move::Join, reach);
    }

    /// Takes all sockets that `target` selects out of rooms.
    pub fn sockets_leave(&self, nsp: &Namespace, target: Target, rooms: &[&str], reach: Reach) {
        self.move_sockets(nsp, target, rooms, Move::Leave, reach);
    }

    fn move_sockets(&self, nsp: &Namespace, target: Target, rooms: &[&str], way: Move, reach: Reach) {
        if let Some(broker) = self.broker(reach) {
            broker.move_sockets(nsp, target.clone(), boxed(rooms), way);
        }
        self.move_sockets_here(nsp, target, boxed(rooms), way);
    }

    /// Disconnects all sockets that `target` selects.
    pub fn disconnect_sockets(&self, nsp: &Namespace, target: Target, what: Disconnect, reach: Reach) {
        if let Some(broker) = self.broker(reach) {
            broker.disconnect_sockets(nsp, target.clone(), what);
        }
        self.disconnect_sockets_here(nsp, target, what);
    }
}

fn boxed(rooms: &[&str]) -> Vec<Box<str>> {
    rooms.iter().map(|room| Box::from(*room)).collect()
}
