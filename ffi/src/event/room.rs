//! What an event says of a room.

use kraken_ws_core::RoomChange;

use super::read::{read, read_text};
use super::{HostEvent, kraken_ws_event};
use crate::border::kraken_ws_str;

/// What happened to a room of this process.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum kraken_ws_room_change {
    /// The event is not about a room.
    None = 0,
    /// It has its first member.
    Created = 1,
    /// Its last member left.
    Deleted = 2,
    /// A socket joined.
    Joined = 3,
    /// A socket left.
    Left = 4,
}

/// What happened to the room.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_room_change(event: *const kraken_ws_event) -> kraken_ws_room_change {
    use kraken_ws_room_change as Change;
    let change = |event: &HostEvent| match event.room.as_ref().map(|(change, _)| *change) {
        Some(RoomChange::Created) => Change::Created,
        Some(RoomChange::Deleted) => Change::Deleted,
        Some(RoomChange::Joined) => Change::Joined,
        Some(RoomChange::Left) => Change::Left,
        None => Change::None,
    };
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, Change::None, change) }
}

/// The room that changed, empty if the event is about none.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_room(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read_text(event, |event| event.room.as_ref().map_or("", |(_, room)| room)) }
}
