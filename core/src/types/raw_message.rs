//! A message of the engine, for hosts that speak Socket.IO themselves.

use bytes::Bytes;

/// One message of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawMessage {
    /// Text, without the engine's packet type.
    Text(Box<str>),
    /// Bytes.
    Binary(Bytes),
}

impl RawMessage {
    /// Bytes of payload.
    pub fn len(&self) -> usize {
        match self {
            RawMessage::Text(text) => text.len(),
            RawMessage::Binary(bytes) => bytes.len(),
        }
    }

    /// Nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
