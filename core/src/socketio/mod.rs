//! Socket.IO packets and their encodings. Sources: Socket.IO protocol v5, and v4 for Engine.IO 3 clients.

pub(crate) mod encode;
pub mod msgpack;
pub mod packet;
