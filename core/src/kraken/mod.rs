//! Names of the Kraken application: events and rooms, each defined once. To the core itself, names of events and
//! rooms are opaque text; hosts get these tables, so that a server, its clients and its tests agree.
//!
//! `node-binding/src-ts/generated/kraken.ts` is written from here (`make generated`).

mod events;
mod rooms;

pub use events::{CLIENT_EVENTS, EventName, SERVER_EVENTS};
pub use rooms::RoomKind;
