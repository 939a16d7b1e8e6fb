//! The messages between nodes, independent of a wire format.

use std::time::Duration;

use bytes::Bytes;

use crate::shared::fleet_reply::RemoteSocket;
use crate::types::change::{Disconnect, Move};
use crate::types::flags::EmitFlags;
use crate::types::target::Target;

/// An event for clients.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Broadcast {
    pub target: Target,
    /// JSON array.
    pub data: Box<str>,
    pub attachments: Vec<Bytes>,
    pub flags: EmitFlags,
    /// For a broadcast with acks: the id of the request, and its timeout.
    pub ack: Option<(Box<str>, Option<Duration>)>,
}

/// A message to all other nodes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FleetMessage {
    Broadcast(Broadcast),
    Move {
        way: Move,
        target: Target,
        rooms: Vec<Box<str>>,
    },
    Disconnect {
        target: Target,
        what: Disconnect,
    },
    /// An event for the hosts; `id` is set if an answer is wanted.
    ServerSide {
        data: Box<str>,
        attachments: Vec<Bytes>,
        id: Option<Box<str>>,
    },
    Ask {
        id: Box<str>,
        question: NodeQuestion,
    },
    /// A change to the single socket `sid`, as old versions of the adapter send it. The node that has the socket
    /// answers with [`NodeAnswer::Done`].
    OneSocket {
        id: Option<Box<str>>,
        sid: Box<str>,
        change: SocketChange,
    },
    /// Announces a native node to the others.
    Hello,
}

/// The question of an `Ask` request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeQuestion {
    /// Ids of the sockets in these rooms; only old versions of the adapter ask this.
    Ids(Vec<Box<str>>),
    Rooms,
    Sockets(Target),
}

/// A change to one socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SocketChange {
    Move(Move, Box<str>),
    Disconnect(Disconnect),
}

/// A node's answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeAnswer {
    Ids(Vec<Box<str>>),
    Rooms(Vec<Box<str>>),
    Sockets(Vec<RemoteSocket>),
    /// A [`FleetMessage::OneSocket`] was executed.
    Done,
    /// The answer of a host: one JSON value.
    ServerSide {
        data: Box<str>,
        attachments: Vec<Bytes>,
    },
    /// Number of clients that were asked for acks.
    Clients(usize),
    /// The ack of a client: one JSON value.
    Ack {
        data: Box<str>,
        attachments: Vec<Bytes>,
    },
}

/// A message received from another node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Incoming {
    Message { uid: Option<Box<str>>, message: FleetMessage },
    Answer { uid: Option<Box<str>>, id: Box<str>, answer: NodeAnswer },
}

/// Approximate size in bytes of a message or question without its data.
pub(crate) const FLAT: usize = 128;

fn names_weight(list: &[Box<str>]) -> usize {
    list.iter().map(|name| name.len() + 16).sum()
}

pub(crate) fn target_weight(target: &Target) -> usize {
    names_weight(&target.rooms) + names_weight(&target.except)
}

impl NodeAnswer {
    /// Approximate size in bytes. It is not below the size of the JSON text that the host receives.
    pub(crate) fn weight(&self) -> usize {
        /// Bytes of a character in its longest JSON escape, `\uXXXX`.
        const ESCAPED: usize = 6;
        let names = |list: &[Box<str>]| list.iter().map(|name| name.len() * ESCAPED + 16).sum::<usize>();
        let bytes = |list: &[Bytes]| list.iter().map(Bytes::len).sum::<usize>();
        FLAT + match self {
            NodeAnswer::Ids(list) | NodeAnswer::Rooms(list) => names(list),
            NodeAnswer::Sockets(list) => list
                .iter()
                .map(|s| FLAT + s.id.len() * ESCAPED + s.handshake.len() + s.data.len() + names(&s.rooms))
                .sum(),
            NodeAnswer::ServerSide { data, attachments } | NodeAnswer::Ack { data, attachments } => {
                data.len() + bytes(attachments)
            }
            NodeAnswer::Done | NodeAnswer::Clients(_) => 0,
        }
    }
}

impl FleetMessage {
    /// Approximate size in bytes.
    pub(crate) fn weight(&self) -> usize {
        let bytes = |list: &[Bytes]| list.iter().map(Bytes::len).sum::<usize>();
        FLAT + match self {
            FleetMessage::Broadcast(b) => b.data.len() + bytes(&b.attachments) + target_weight(&b.target),
            FleetMessage::Move { target: t, rooms, .. } => target_weight(t) + names_weight(rooms),
            FleetMessage::Disconnect { target: t, .. } => target_weight(t),
            FleetMessage::ServerSide { data, attachments, .. } => data.len() + bytes(attachments),
            FleetMessage::Ask { question: NodeQuestion::Sockets(t), .. } => target_weight(t),
            FleetMessage::Ask { .. } | FleetMessage::OneSocket { .. } | FleetMessage::Hello => 0,
        }
    }
}
