//! What a host asks a server to do: send, move sockets, fetch, ask other nodes, read figures. And the emitter, which does that
//! without a server.

mod emitter;
mod fetch;
mod figures;
mod fleet;
mod modules;
mod rooms;
mod send;
mod socket;
mod stats;
mod target;

pub use emitter::*;
pub use fetch::*;
pub use figures::*;
pub use fleet::*;
pub use modules::*;
pub use rooms::*;
pub use send::*;
pub use socket::*;
pub use stats::*;
pub use target::kraken_ws_target;
