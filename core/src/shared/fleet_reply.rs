//! What other nodes answered.

/// What other nodes answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetReply<T> {
    /// What came.
    pub answers: T,
    /// How many other nodes were asked. One that ended meanwhile doesn't count.
    pub expected: usize,
    /// How many of them did not answer in time. Without a connection to Redis: as many as are known, at least 1.
    pub missing: usize,
    /// Their names (`uid`) where they are known.
    pub missing_nodes: Vec<Box<str>>,
}

impl<T: Default> FleetReply<T> {
    /// Of a question that nobody was asked.
    pub(crate) fn unasked() -> Self {
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
