//! Sockets, TLS and HTTP/1.1. This folder does not know Engine.IO; it passes connections and requests to closures.

pub(crate) mod activity;
pub(crate) mod http;
pub(crate) mod listener;
pub(crate) mod no_signal;
pub(crate) mod stream;
#[cfg_attr(not(feature = "tls"), path = "tls_absent.rs")]
pub(crate) mod tls;
