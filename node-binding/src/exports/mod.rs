//! The classes and functions that JavaScript sees.

mod answers;
mod attach;
mod batch;
mod cluster;
mod command_batch;
mod commands;
mod emitter;
mod modules;
mod objectless_sockets;
mod raw;
mod server;
mod watch;
