//! When a socket was in which rooms, told by the journal's numbers: a client that comes back gets what was sent to a
//! room while it sat there, and nothing else.

use std::collections::{HashMap, VecDeque};

/// How many rooms that were left are remembered. A client that lacks messages of the time before starts anew.
const LEFT: usize = 32;
/// What one of those, or a late room, weighs besides its name.
const FLAT: usize = 40;

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Stays {
    /// Broadcasts up to this number were before the socket's time.
    pub joined: u64,
    /// Rooms it sits in that were joined later: messages up to that number were before.
    later: Vec<(Box<str>, u64)>,
    /// Rooms that were left: from, and up to which number they were joined. The oldest first.
    left: VecDeque<(Box<str>, u64, u64)>,
    /// Of the rooms that were left before this number not all are remembered.
    pub floor: u64,
}

impl Stays {
    pub(crate) fn since(joined: u64) -> Self {
        Self { joined, ..Self::default() }
    }

    /// A room is joined behind entry `at`.
    pub(crate) fn enter(&mut self, room: &str, at: u64) {
        if at > self.joined {
            self.later.push((room.into(), at));
        }
    }

    /// A room is left behind entry `at`.
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

    /// The stays by room, those in `rooms` still going on.
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

/// See [`Stays::by_room`].
pub(crate) struct ByRoom<'a>(HashMap<&'a str, Vec<(u64, u64)>>);

impl ByRoom<'_> {
    /// Whether the socket sat in one of these rooms when entry `number` was sent.
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
