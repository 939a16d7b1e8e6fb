//! Rooms that sockets have just been put into or taken out of, for the whole fleet.
//!
//! Where they are here, the shards may not have come to that when the next message is for such a room, and the directory
//! does not know of it yet. Where rooms have channels of their own, it takes a node a while to subscribe to a new one, and
//! between two channels there is no order: for that time messages for such a room go where the move went.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// For how long: longer than a shard, or a subscription, lags behind.
const GRACE: Duration = Duration::from_secs(10);
/// How many are kept; beyond them every room is taken to be here for that time.
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

    /// Whether there is anything to remember.
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
