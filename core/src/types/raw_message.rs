//! A message of Engine.IO, for hosts that implement Socket.IO themselves.

use bytes::Bytes;

/// One message of Engine.IO.
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

    /// Whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
