//! The names of the Kraken application: events and rooms, each spelled once. The core itself treats an event
//! and a room as any text; hosts get these from tables, so that a server, its clients and its tests agree.
//!
//! `node-binding/src-ts/generated/kraken.ts` is written from here (`make generated`).

mod events;
mod rooms;

pub use events::{CLIENT_EVENTS, EventName, SERVER_EVENTS};
pub use rooms::RoomKind;
