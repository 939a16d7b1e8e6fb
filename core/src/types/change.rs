//! Two-sided changes, named where a `bool` would leave open which side is which.

/// What happens to a room's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Sockets enter the room.
    Join,
    /// Sockets leave the room.
    Leave,
}

/// What a disconnect ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnect {
    /// One socket; the connection and its other sockets remain.
    Socket,
    /// The socket's whole connection.
    Connection,
}

impl Disconnect {
    /// The meaning of socket.io's argument `close`, which JavaScript, C and the wire formats keep.
    pub const fn from_close(close: bool) -> Self {
        if close { Self::Connection } else { Self::Socket }
    }

    /// [`Disconnect::from_close`] reversed.
    pub const fn closes(self) -> bool {
        matches!(self, Self::Connection)
    }
}

/// What happened to a namespace of the server, or to a room of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Added,
    Removed,
}

impl From<Move> for Change {
    /// The change of a room that has one member at most: a socket's own room.
    fn from(way: Move) -> Self {
        match way {
            Move::Join => Self::Added,
            Move::Leave => Self::Removed,
        }
    }
}
