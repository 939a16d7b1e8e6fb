//! The C ABI of `kraken-ws-core`: what is in `libkraken_ws` (`library/`), and `include/kraken_ws.h`. Node's addon has it
//! too, so that it can load the same modules.
//!
//! | file | what it holds |
//! |---|---|
//! | `status`, `text`, `payload` | the border: statuses and panics, pointers and lengths, JSON |
//! | `options`, `server` | what a host makes: options; a server's life, its polling |
//! | `send`, `rooms`, `fetch`, `stats` | commands in |
//! | `event`, `room_event`, `fleet_event`, `answer` | events out, and what they ask |
//! | `fleet`, `emitter`, `asks` | other nodes: of a server, without one, and waiting for their answers |
//! | `dispatch` | the thread that calls the host back |
//! | `host` | a server with what a C host has around it; `inbox`, `sockets`, `namespaces`, `log` are its parts |
//! | `module`, `api` | shared objects that a server loads, and the table of all functions |
//! | `module_host` | modules of a server that another host of the process has: Node's |
//! | `life`, `fork` | what makes a late call, a second free and a forked child harmless |
//!
//! C names equal Rust names. The header is generated from this crate (`make header`) and
//! `make lint` compares it with the committed one.
//!
//! About `#[cfg_attr(feature = "symbols", unsafe(no_mangle))]`: `no_mangle` is sound when a symbol is the only one of
//! its name in a program. The prefix `kraken_ws_` is this library's own, and `tests/c` compares the exported symbols with
//! `ffi/symbols.txt`. Node's addon leaves the feature out: modules get the table, and a shared object exports all
//! `no_mangle` functions of its crates, whether anybody looks for them or not.

// Types are named as in C.
#![allow(non_camel_case_types)]
// What a caller of these functions owes is said once, at the top of the header.
#![allow(clippy::missing_safety_doc)]
#![warn(clippy::undocumented_unsafe_blocks)]

mod answer;
pub mod api;
mod asks;
mod dispatch;
mod emitter;
mod event;
mod fetch;
mod fleet;
mod fleet_event;
mod fork;
mod host;
mod inbox;
mod life;
mod log;
mod module;
mod module_host;
mod namespaces;
mod options;
mod payload;
mod room_event;
mod rooms;
mod send;
mod server;
mod sockets;
mod stats;
mod status;
mod text;
mod version;

pub use answer::*;
pub use dispatch::*;
pub use emitter::*;
pub use event::*;
pub use fetch::*;
pub use fleet::*;
pub use fleet_event::*;
pub use log::*;
pub use module::*;
pub use module_host::ModuleHost;
pub use options::*;
pub use payload::*;
pub use room_event::*;
pub use rooms::*;
pub use send::*;
pub use server::*;
pub use stats::*;
pub use status::*;
pub use text::*;
pub use version::*;
