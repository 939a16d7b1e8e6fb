//! The border to C: statuses, text, handles, and waiting of host threads.

mod fork;
mod guarded;
mod handle;
mod payload;
mod status;
mod table;
mod text;
mod version;
mod wait;

pub(crate) use guarded::Guarded;
pub use handle::kraken_ws_server;
pub(crate) use handle::{Handle, Handled, Lasting};
pub use payload::*;
pub use status::*;
pub use table::kraken_ws_api;
pub use text::*;
pub use version::*;
pub(crate) use wait::{Wake, block_on, lock, on_own_thread};
