//! `Broker`: the interface to other nodes. The folder `cluster` implements it; a server without one has no other
//! nodes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::shared::broadcast_acks::BroadcastAcks;
#[cfg(feature = "cluster")]
use crate::shared::figures::ClusterStats;
use crate::shared::fleet_reply::{FleetReply, RemoteSocket};
use crate::shared::namespaces::Namespace;
use crate::types::change::{Disconnect, Move};
use crate::types::error::Result;
use crate::types::flags::EmitFlags;
use crate::types::ids::NspId;
use crate::types::target::Target;

/// An event for the clients of other nodes.
pub(crate) struct Emit<'a> {
    pub nsp: &'a Namespace,
    pub target: Target,
    /// JSON array `["event", …]`.
    pub data: &'a str,
    pub attachments: Vec<Bytes>,
    pub flags: EmitFlags,
}

/// The interface to the other nodes. No method blocks: each queues its message for the cluster's thread.
pub(crate) trait Broker: Send + Sync {
    /// Sends an event to the clients of the other nodes.
    fn emit(&self, emit: Emit<'_>);

    /// [`Broker::emit`] with acks, which `acks` collects until `timeout` has passed.
    fn emit_with_ack(&self, emit: Emit<'_>, acks: Arc<BroadcastAcks>, timeout: Duration);

    /// Moves the sockets of the other nodes that match `target` into rooms or out of them.
    fn move_sockets(&self, nsp: &Namespace, target: Target, rooms: Vec<Box<str>>, way: Move);

    /// Disconnects the sockets of the other nodes that match `target`.
    fn disconnect_sockets(&self, nsp: &Namespace, target: Target, what: Disconnect);

    /// Sends an event to the hosts of the other nodes.
    fn server_side_emit(&self, nsp: &Namespace, data: &str, attachments: Vec<Bytes>);

    /// A socket of this node joined or left its own-id room.
    fn own_room(&self, nsp: NspId, id: &str, way: Move);

    /// Whether the broker needs calls of [`Broker::own_room`].
    fn wants_own_rooms(&self) -> bool;

    /// Asks the other nodes. The channel in `question` is dropped if the cluster's thread has ended.
    fn ask(&self, nsp: &Namespace, question: Question);

    /// Figures of this node.
    #[cfg(feature = "cluster")]
    fn stats(&self) -> ClusterStats;

    /// Ends the cluster's thread after its queue has been sent.
    fn close(&self);
}

/// A question to the other nodes. A `timeout` of `None` stands for the option `requestsTimeout`.
pub(crate) enum Question {
    /// The sockets that match a target.
    Sockets {
        target: Target,
        timeout: Option<Duration>,
        reply: oneshot::Sender<FleetReply<Vec<RemoteSocket>>>,
    },
    /// The names of all rooms.
    Rooms { reply: oneshot::Sender<FleetReply<Vec<Box<str>>>> },
    /// The answers of the other nodes' hosts to an event.
    Hosts {
        data: Box<str>,
        attachments: Vec<Bytes>,
        timeout: Option<Duration>,
        reply: oneshot::Sender<FleetReply<HostAnswers>>,
    },
    /// The number of servers, this one included.
    Count { reply: oneshot::Sender<Result<usize>> },
}

/// One argument as JSON text per host, with its attachments.
pub(crate) type HostAnswers = Vec<(Box<str>, Vec<Bytes>)>;

/// Slot for the broker of a server; it is filled once.
#[derive(Default)]
pub(crate) struct BrokerSlot {
    /// The slot is filled, or being filled.
    taken: AtomicBool,
    broker: OnceLock<Box<dyn Broker>>,
}

impl BrokerSlot {
    pub(crate) fn get(&self) -> Option<&dyn Broker> {
        self.broker.get().map(|broker| &**broker)
    }

    /// A socket of this node joined or left its own-id room.
    pub(crate) fn own_room(&self, nsp: NspId, id: &str, way: Move) {
        if let Some(broker) = self.get() {
            broker.own_room(nsp, id, way);
        }
    }

    /// Fills the slot with the result of `make`. `None`: the slot is already filled, or being filled.
    pub(crate) fn fill(&self, make: impl FnOnce() -> Result<Box<dyn Broker>>) -> Option<Result<()>> {
        if self.taken.swap(true, Ordering::AcqRel) {
            return None;
        }
        Some(match make() {
            Ok(broker) => {
                let _ = self.broker.set(broker);
                Ok(())
            }
            Err(error) => {
                self.taken.store(false, Ordering::Release);
                Err(error)
            }
        })
    }
}
