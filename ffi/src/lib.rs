//! The C ABI of `kraken-ws-core`: `libkraken_ws` (static and shared) and `include/kraken_ws.h`.
//!
//! Layout:
//! * `version`: which library a host was linked with.
//!
//! C names equal Rust names. The header is generated from this crate (`make header`) and
//! `make lint` compares it with the committed one.

mod version;

pub use version::kraken_ws_version;
