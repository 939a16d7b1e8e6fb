//! `kraken-ws-node`: the core as Node sees it. TypeScript over it (`src-ts/`) owns every name and habit of
//! socket.io; here are only crossings.
//!
//! ```text
//! server.rs    class NativeServer: life cycle, namespaces, figures
//! commands.rs  JavaScript → core: emit, publish, rooms, acks, disconnect
//! deliver.rs   the same, many in one crossing
//! raw.rs       both directions for a host that speaks Socket.IO itself (the bridge)
//! attach.rs    JavaScript → core: sockets and polling requests of a Node HTTP server
//! answers.rs   questions of the core that JavaScript answers
//! cluster.rs   both directions: the other nodes of a fleet
//! emitter.rs   a fleet as seen by a process without clients
//! batch.rs     core → JavaScript: one batch of events as one JSON text, one lane array, one list of buffers
//! handshake.rs a request as JSON text
//! modules.rs   shared objects in C that see events before JavaScript
//! wake.rs      the one thread-safe function: "there are events"
//! unseen.rs    sockets that JavaScript does not look at
//! watch.rs     engine packets of connections that JavaScript looks into
//! text.rs      a JavaScript string as UTF-8 in one pass
//! allocator.rs mimalloc, told to give memory back
//! error.rs     core errors as JavaScript errors with a code
//! ```

// Under `cargo clippy --all-targets` the macros that register functions with Node are left out.
#![cfg_attr(test, allow(dead_code))]

mod allocator;
mod answers;
mod attach;
mod batch;
mod cluster;
mod commands;
mod deliver;
mod emitter;
mod error;
mod handshake;
mod modules;
mod raw;
mod server;
mod text;
mod unseen;
mod wake;
mod watch;
