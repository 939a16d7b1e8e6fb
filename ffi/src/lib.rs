//! The C ABI of `kraken-ws-core`: content of `libkraken_ws` (`library/`) and of `include/kraken_ws.h`. Node's addon links it
//! too, to load the same modules.
//!
//! Each folder stands above those that it sees; a test (`tests/tests/arrows.rs`) compares this table with the code.
//!
//! | folder | sees | what it holds |
//! |---|---|---|
//! | `module_host` | `api`, `event`, `modules`, `server` | modules of a server that is Node's |
//! | `api` | `border`, `event`, `modules`, `server`, `calls` | the table of all functions, and who hands it out |
//! | `calls` | `border`, `server` | what a host asks a server to do; the emitter |
//! | `server` | `border`, `event`, `modules` | a server as a C host has it: options, life, events by callback or by polling |
//! | `modules` | `border`, `event` | shared objects that see events before the host does |
//! | `event` | `border` | events as a host reads and answers them |
//! | `border` | | what every function does at the border: statuses and panics, text, JSON, handles, forks, waiting |
//!
//! C names equal Rust names. The header is generated from this crate (`make header`) and
//! `make lint` compares it with the committed one.
//!
//! About `#[cfg_attr(feature = "symbols", unsafe(no_mangle))]`: `no_mangle` is sound when a symbol is the only one of
//! its name in a program. The prefix `kraken_ws_` is this library's own, and `tests/c` compares the exported symbols with
//! `ffi/symbols.txt`. Node's addon leaves the feature out: modules get the table, and a shared object exports all
//! `no_mangle` functions of its crates, used or not.

// Types are named as in C.
#![allow(non_camel_case_types)]
// The header states at its top what callers have to ensure.
#![allow(clippy::missing_safety_doc)]
#![warn(unreachable_pub, clippy::undocumented_unsafe_blocks)]

pub mod api;
mod border;
mod calls;
mod event;
mod module_host;
mod modules;
mod server;

pub use border::*;
pub use calls::*;
pub use event::*;
pub use module_host::ModuleHost;
pub use modules::*;
pub use server::*;
