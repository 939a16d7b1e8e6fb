//! Rooms that a node of the fleet has moved sockets into or out of within the last seconds.
//!
//! Two delays make this necessary. A local shard may not have executed the join yet when the next message for the
//! room arrives, so the directory does not list the room. And where rooms have channels of their own, subscribing
//! takes a while and Redis keeps no order between channels; until then, messages for the room go to the main channel,
//! like the join itself.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// How long a room is remembered: longer than a shard or a subscription lags behind.
const GRACE: Duration = Duration::from_secs(10);
/// Limit of remembered rooms. Beyond it, every room counts as moved for [`GRACE`].
const MOST: usize = 1024;

#[derive(Default)]
pub(super) struct Joining {
    rooms: HashMap<Box<str>, Instant>,
    all: Option<Instant>,
}

impl Joining {
    pub(super) fn add(&mut self, rooms: &[Box<str>], now: Instant) {
        if self.rooms.len() + rooms.len() > MOST {
            self.rooms.retain(|_, since| now - *since < GRACE);
        }
        if self.rooms.len() + rooms.len() > MOST {
            self.all = Some(now);
            return;
        }
        self.rooms.extend(rooms.iter().map(|room| (room.clone(), now)));
    }

    /// Whether any entry is younger than [`GRACE`].
    pub(super) fn is_recent(&self, now: Instant) -> bool {
        self.all.iter().chain(self.rooms.values()).any(|since| now - *since < GRACE)
    }

    pub(super) fn has(&self, room: &str, now: Instant) -> bool {
        let recent = |since: &Instant| now - *since < GRACE;
        self.all.as_ref().is_some_and(recent) || self.rooms.get(room).is_some_and(recent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(range: std::ops::Range<usize>) -> Vec<Box<str>> {
        range.map(|n| format!("room {n}").into()).collect()
    }

    #[test]
    fn a_room_is_here_for_a_while_after_it_was_joined_and_all_are_when_there_are_many() {
        let (mut joining, start) = (Joining::default(), Instant::now());
        joining.add(&names(0..2), start);
        assert!(joining.has("room 1", start) && !joining.has("room 2", start));
        joining.add(&names(2..MOST + 2), start);
        assert!(joining.has("room 1", start) && joining.has("another", start), "too many to keep");
        let later = start + GRACE;
        assert!(!joining.has("room 1", later) && !joining.has("another", later));
        assert!(joining.is_recent(start) && !joining.is_recent(later));
        joining.add(&names(0..MOST), later);
        assert!(joining.has("room 7", later) && !joining.has("another", later), "the old ones made room");
    }
}
