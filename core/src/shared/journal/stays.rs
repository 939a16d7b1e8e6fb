//! The times when a socket was in a room, expressed in entry numbers of the journal. A returning client receives
//! exactly the messages that were sent to a room while it was a member.

use std::collections::{HashMap, VecDeque};

/// Number of remembered stays in rooms that were left. A client that needs messages from before these gets a new
/// session.
const LEFT: usize = 32;
/// Approximate size of an entry in `later` or `left`, without the room's name.
const FLAT: usize = 40;

/// The stays of one socket.
#[derive(Debug, Default)]
pub(crate) struct Stays {
    /// Broadcasts up to this number precede the socket.
    pub joined: u64,
    /// Rooms that were joined after that; messages to a room up to its number precede the join.
    later: Vec<(Box<str>, u64)>,
    /// Rooms that were left: name, number at the join, number at the leave. The oldest leave comes first.
    left: VecDeque<(Box<str>, u64, u64)>,
    /// Stays that ended up to this number may have been dropped from `left`.
    pub floor: u64,
}

impl Stays {
    pub(crate) fn since(joined: u64) -> Self {
        Self { joined, ..Self::default() }
    }

    /// Records a join after entry `at`.
    pub(crate) fn enter(&mut self, room: &str, at: u64) {
        if at > self.joined {
            self.later.push((room.into(), at));
        }
    }

    /// Records a leave after entry `at`.
    pub(crate) fn leave(&mut self, room: &str, at: u64) {
        let late = self.later.iter().position(|(name, _)| &**name == room);
        let from = late.map_or(self.joined, |place| self.later.swap_remove(place).1);
        if at <= from {
            return;
        }
        self.left.push_back((room.into(), from, at));
        if self.left.len() > LEFT
            && let Some((_, _, to)) = self.left.pop_front()
        {
            self.floor = self.floor.max(to);
        }
    }

    pub(crate) fn weight(&self) -> usize {
        let names = self.later.iter().map(|(room, _)| room).chain(self.left.iter().map(|(room, ..)| room));
        names.map(|room| room.len() + FLAT).sum()
    }

    /// All stays by room. Stays in `rooms` are still open.
    pub(crate) fn by_room<'a>(&'a self, rooms: &'a [Box<str>]) -> ByRoom<'a> {
        let mut out: HashMap<&str, Vec<(u64, u64)>> = HashMap::new();
        for room in rooms {
            let late = self.later.iter().find(|(name, _)| name == room);
            out.entry(room).or_default().push((late.map_or(self.joined, |(_, at)| *at), u64::MAX));
        }
        for (room, from, to) in &self.left {
            out.entry(room).or_default().push((*from, *to));
        }
        ByRoom(out)
    }
}

/// All stays of a socket by room; see [`Stays::by_room`].
pub(crate) struct ByRoom<'a>(HashMap<&'a str, Vec<(u64, u64)>>);

impl ByRoom<'_> {
    /// Whether the socket was in one of these rooms when entry `number` was sent.
    pub(crate) fn sat_in(&self, rooms: &[Box<str>], number: u64) -> bool {
        let there = |stays: &Vec<(u64, u64)>| stays.iter().any(|(from, to)| *from < number && number <= *to);
        rooms.iter().any(|room| self.0.get(&**room).is_some_and(there))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_counts_from_its_join_to_its_leave() {
        let mut stays = Stays::since(10);
        stays.enter("late", 12);
        stays.enter("short", 11);
        stays.leave("short", 14);
        stays.leave("at once", 10);
        let rooms = ["first", "late"].map(Box::from);
        let by_room = stays.by_room(&rooms);
        let sat = |room: &str, range: std::ops::Range<u64>| -> Vec<u64> {
            range.filter(|number| by_room.sat_in(&[room.into()], *number)).collect()
        };
        assert_eq!(sat("first", 9..14), [11, 12, 13]);
        assert_eq!(sat("late", 9..16), [13, 14, 15]);
        assert_eq!(sat("short", 9..18), [12, 13, 14]);
        assert!(sat("at once", 9..18).is_empty());
    }

    #[test]
    fn rooms_that_were_left_are_bounded_and_the_bound_is_known() {
        let mut stays = Stays::since(0);
        for n in 1..=LEFT as u64 + 3 {
            stays.enter("r", n);
            stays.leave("r", n + 1);
        }
        assert_eq!((stays.left.len(), stays.floor), (LEFT, 4));
    }
}
