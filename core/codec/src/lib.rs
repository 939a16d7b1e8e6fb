//! Codecs of `kraken-ws-core`: bytes in, values out, and back. Nothing here knows of sockets, threads or time.
//!
//! Sources: RFC 6455 (WebSocket), RFC 7692 (permessage-deflate), Engine.IO protocol 4 and 3, Socket.IO protocol 5 and
//! 4. The interface follows `kraken-ws-core` and has no stability of its own.
//!
//! | module | what it holds |
//! |---|---|
//! | [`ws`], [`deflate`] | WebSocket frames and their compression |
//! | [`payload`], [`query`] | Engine.IO: polling payloads, parameters of a request |
//! | [`packet`], [`msgpack`] | Socket.IO packets: default and msgpack encoding |
//! | [`sid`] | ids of sessions and sockets |

#[cfg_attr(not(feature = "compression"), path = "deflate_absent.rs")]
pub mod deflate;
pub mod msgpack;
pub mod packet;
pub mod payload;
pub mod query;
pub mod sid;
pub mod ws;
