//! A room expression.

/// To whom: members of any of `rooms` (all sockets of the namespace if empty) who are in none of `except`.
/// Every socket is in the room named by its own id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// Union of these.
    pub rooms: Vec<Box<str>>,
    /// Without these.
    pub except: Vec<Box<str>>,
}

impl Target {
    /// Everybody in the namespace.
    pub fn all() -> Self {
        Self::default()
    }

    /// One room.
    pub fn room(name: impl Into<Box<str>>) -> Self {
        Self { rooms: vec![name.into()], except: Vec::new() }
    }

    /// Leaves the members of `room` out.
    #[must_use]
    pub fn except(mut self, room: impl Into<Box<str>>) -> Self {
        self.except.push(room.into());
        self
    }
}
