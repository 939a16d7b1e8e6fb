//! What every export needs: strings in, errors out, the wake-up of JavaScript.

mod allocator;
pub(crate) mod error;
pub(crate) mod handshake;
pub(crate) mod text;
pub(crate) mod wake;
pub(crate) mod wire;
