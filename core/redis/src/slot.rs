//! Slots of Redis Cluster and their links.
//! <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>

use crc16::{State, XMODEM};

use crate::outgoing::LinkId;

pub(crate) const SLOTS: usize = 16384;

/// The link of each channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Routes {
    /// One link for all channels.
    One(LinkId),
    /// One link per slot of the channel's name; `None` while the slot's owner is unknown.
    Slots(Vec<Option<LinkId>>),
}

impl Routes {
    /// Routes without any link, until the topology is known.
    pub(crate) fn nowhere() -> Self {
        Routes::Slots(vec![None; SLOTS])
    }

    pub(crate) fn is_by_slot(&self) -> bool {
        matches!(self, Routes::Slots(_))
    }

    pub(crate) fn of(&self, channel: &[u8]) -> Option<LinkId> {
        match self {
            Routes::One(link) => Some(*link),
            Routes::Slots(slots) => slots[usize::from(slot_of(channel))],
        }
    }

    /// Removes the route of a slot that has moved to an unknown owner.
    pub(crate) fn forget(&mut self, slot: u16) {
        if let Routes::Slots(slots) = self {
            slots[usize::from(slot)] = None;
        }
    }
}

/// The slot of a name. Only the part in the first pair of braces is hashed, if it is not empty.
pub(crate) fn slot_of(name: &[u8]) -> u16 {
    let tag = memchr::memchr(b'{', name)
        .map(|open| &name[open + 1..])
        .and_then(|rest| memchr::memchr(b'}', rest).map(|close| &rest[..close]))
        .filter(|tag| !tag.is_empty())
        .unwrap_or(name);
    State::<XMODEM>::calculate(tag) % SLOTS as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(slot_of(b"123456789"), 0x31C3);
        assert_eq!(slot_of(b"foo"), 12182);
        assert_eq!(slot_of(b"{user1000}.following"), slot_of(b"{user1000}.followers"));
        assert_eq!(slot_of(b"foo{}{bar}"), 8363);
        assert_eq!(slot_of(b"foo{{bar}}zap"), slot_of(b"{bar"));
    }
}
