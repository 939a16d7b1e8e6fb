//! Room changes in an event.

use kraken_ws_core::RoomChange;

use super::read::{read, read_text};
use super::{HostEvent, kraken_ws_event};
use crate::border::kraken_ws_str;

/// A change of a room of this process.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum kraken_ws_room_change {
    /// The event is not about a room.
    None = 0,
    /// The room got its first member.
    Created = 1,
    /// The room lost its last member.
    Deleted = 2,
    /// A socket joined.
    Joined = 3,
    /// A socket left.
    Left = 4,
}

/// The change of the event's room.
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

/// The room that changed, empty if the event is not about a room.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_room(event: *const kraken_ws_event) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read_text(event, |event| event.room.as_ref().map_or("", |(_, room)| room)) }
}
