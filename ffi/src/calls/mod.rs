//! Calls of a host: send, move sockets, fetch, ask other nodes, read figures; and the emitter, which sends without a server.

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
