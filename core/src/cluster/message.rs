//! What nodes say to each other, in no wire format.

use std::time::Duration;

use bytes::Bytes;

use crate::shared::fleet_reply::RemoteSocket;
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
    /// With acks: under which id they are asked for, and for how long.
    pub ack: Option<(Box<str>, Option<Duration>)>,
}

/// What one node says to the others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    Broadcast(Broadcast),
    Join {
        target: Target,
        rooms: Vec<Box<str>>,
    },
    Leave {
        target: Target,
        rooms: Vec<Box<str>>,
    },
    Disconnect {
        target: Target,
        close: bool,
    },
    /// An event for the hosts; with an id if an answer is wanted.
    ServerSide {
        data: Box<str>,
        attachments: Vec<Bytes>,
        id: Option<Box<str>>,
    },
    Ask {
        id: Box<str>,
        question: Question,
    },
    /// Of old nodes: one socket, by its id, answered when it is done.
    One {
        id: Option<Box<str>>,
        sid: Box<str>,
        change: Change,
    },
    /// A native node says that it is there.
    Hello,
}

/// What a node wants to know of each other one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Question {
    /// Ids of the sockets in rooms; of old nodes.
    Ids(Vec<Box<str>>),
    Rooms,
    Sockets(Target),
}

/// What is done to one socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Join(Box<str>),
    Leave(Box<str>),
    Disconnect { close: bool },
}

/// What one node answers another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Ids(Vec<Box<str>>),
    Rooms(Vec<Box<str>>),
    Sockets(Vec<RemoteSocket>),
    /// A [`Message::One`] is done.
    Done,
    /// What a host answered: one JSON value.
    ServerSide {
        data: Box<str>,
        attachments: Vec<Bytes>,
    },
    /// How many clients were asked for acks.
    Clients(usize),
    /// What a client answered: one JSON value.
    Ack {
        data: Box<str>,
        attachments: Vec<Bytes>,
    },
}

/// What came from another node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Incoming {
    Message { uid: Option<Box<str>>, message: Message },
    Answer { uid: Option<Box<str>>, id: Box<str>, answer: Answer },
}

/// What a message or a question holds besides its data, in bytes, about.
pub(crate) const FLAT: usize = 128;

fn names_weight(list: &[Box<str>]) -> usize {
    list.iter().map(|name| name.len() + 16).sum()
}

pub(crate) fn target_weight(target: &Target) -> usize {
    names_weight(&target.rooms) + names_weight(&target.except)
}

impl Answer {
    /// Bytes that it holds, about, and no fewer than what a host is told of it takes as JSON text.
    pub(crate) fn weight(&self) -> usize {
        /// A character that needs an escape.
        const ESCAPED: usize = 6;
        let names = |list: &[Box<str>]| list.iter().map(|name| name.len() * ESCAPED + 16).sum::<usize>();
        let bytes = |list: &[Bytes]| list.iter().map(Bytes::len).sum::<usize>();
        FLAT + match self {
            Answer::Ids(list) | Answer::Rooms(list) => names(list),
            Answer::Sockets(list) => list
                .iter()
                .map(|s| FLAT + s.id.len() * ESCAPED + s.handshake.len() + s.data.len() + names(&s.rooms))
                .sum(),
            Answer::ServerSide { data, attachments } | Answer::Ack { data, attachments } => {
                data.len() + bytes(attachments)
            }
            Answer::Done | Answer::Clients(_) => 0,
        }
    }
}

impl Message {
    /// Bytes that it holds, about.
    pub(crate) fn weight(&self) -> usize {
        let bytes = |list: &[Bytes]| list.iter().map(Bytes::len).sum::<usize>();
        FLAT + match self {
            Message::Broadcast(b) => b.data.len() + bytes(&b.attachments) + target_weight(&b.target),
            Message::Join { target: t, rooms } | Message::Leave { target: t, rooms } => {
                target_weight(t) + names_weight(rooms)
            }
            Message::Disconnect { target: t, .. } => target_weight(t),
            Message::ServerSide { data, attachments, .. } => data.len() + bytes(attachments),
            Message::Ask { question: Question::Sockets(t), .. } => target_weight(t),
            Message::Ask { .. } | Message::One { .. } | Message::Hello => 0,
        }
    }
}
