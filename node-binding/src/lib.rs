//! `kraken-ws-node`: the core as a Node addon. TypeScript on top of it (`src-ts/`) implements the API of socket.io;
//! this crate only passes calls and events between JavaScript and the core.
//!
//! | folder | sees | what it holds |
//! |---|---|---|
//! | `exports` | `parts` | the classes and functions that JavaScript sees |
//! | `parts` | | what they are made of: strings in, errors out, the wake-up, the allocator |
//!
//! | file of `exports` | what it holds |
//! |---|---|
//! | `server` | class NativeServer: life cycle, namespaces, figures |
//! | `commands`, `command_batch` | JavaScript → core: emit, publish, rooms, acks, disconnect; many in one crossing |
//! | `batch` | core → JavaScript: one batch of events as one JSON text, one lane array, one list of buffers |
//! | `answers` | questions of the core that JavaScript answers |
//! | `attach` | JavaScript → core: sockets and polling requests of a Node HTTP server |
//! | `cluster`, `emitter` | both directions: the other nodes of a fleet, of a server and without one |
//! | `raw` | both directions for a host that speaks Socket.IO itself (the bridge) |
//! | `modules` | shared objects in C that see events before JavaScript |
//! | `objectless_sockets` | sockets that have no JavaScript object |
//! | `watch` | engine packets of connections that JavaScript looks into |

// `cargo clippy --all-targets` leaves out the macros that register functions with Node, so the functions look unused.
#![cfg_attr(test, allow(dead_code))]
#![warn(unreachable_pub)]

mod exports;
mod parts;
