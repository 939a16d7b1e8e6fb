//! The recipients of a broadcast, and the nodes that a call reaches.

/// A set of sockets: the members of any of `rooms` (all sockets of the namespace if empty) that are in none of
/// `except`. Every socket is in the room named by its own id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// The union of these rooms.
    pub rooms: Vec<Box<str>>,
    /// Without the members of these rooms.
    pub except: Vec<Box<str>>,
}

/// The nodes that a call reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All nodes of the fleet; this one if there are no others.
    Fleet,
    /// This node only, as socket.io's flag `local`.
    Node,
}

impl Target {
    /// All sockets of the namespace.
    pub fn all() -> Self {
        Self::default()
    }

    /// The members of one room.
    pub fn room(name: impl Into<Box<str>>) -> Self {
        Self { rooms: vec![name.into()], except: Vec::new() }
    }

    /// Excludes the members of `room`.
    #[must_use]
    pub fn except(mut self, room: impl Into<Box<str>>) -> Self {
        self.except.push(room.into());
        self
    }
}
