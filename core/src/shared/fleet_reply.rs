//! Answers of other nodes to one question.

/// Answers of other nodes to one question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetReply<T> {
    /// The answers that came.
    pub answers: T,
    /// How many other nodes were asked. A node that ended meanwhile doesn't count.
    pub expected: usize,
    /// How many of them did not answer in time. Without a connection to Redis: as many as are known, at least 1.
    pub missing: usize,
    /// Ids (`uid`) of the missing nodes, as far as they are known.
    pub missing_nodes: Vec<Box<str>>,
}

impl<T: Default> FleetReply<T> {
    /// Reply to a question that could not be sent.
    pub(crate) fn not_sent() -> Self {
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
    /// Rooms of the socket, its own-id room included.
    pub rooms: Vec<Box<str>>,
    /// JSON that the socket's host attached.
    pub data: Box<str>,
}
