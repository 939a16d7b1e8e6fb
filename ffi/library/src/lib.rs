//! `libkraken_ws`: the functions of `kraken-ws-ffi` as a static and a shared library, with the allocator that ships.
//!
//! A crate of its own because Node's addon has the same functions in it, for modules, and another allocator.

pub use kraken_ws_ffi::*;

/// The shipped library's allocator.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
