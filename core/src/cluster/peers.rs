//! The other nodes of a namespace, as known from their messages.

use std::collections::{HashMap, HashSet};

/// Limit of remembered nodes. It is far above the size of a fleet; it is needed because uids come from Redis
/// unchecked.
const LIMIT: usize = 1024;

/// The known nodes of one namespace. JavaScript nodes have a different uid in each namespace.
#[derive(Default)]
pub(super) struct Peers {
    known: HashMap<Box<str>, Peer>,
    /// Logical clock; incremented with each message.
    clock: u64,
}

#[derive(Default)]
struct Peer {
    heard: u64,
    /// Whether the answers of this node carry its uid.
    names_itself: bool,
}

impl Peers {
    /// Notes a message of a node.
    pub(super) fn note_message(&mut self, uid: &str, names_itself: bool) {
        self.clock += 1;
        if let Some(peer) = self.known.get_mut(uid) {
            peer.heard = self.clock;
            peer.names_itself |= names_itself;
            return;
        }
        if self.known.len() >= LIMIT {
            let oldest = self.known.iter().min_by_key(|(_, peer)| peer.heard).map(|(uid, _)| uid.clone());
            oldest.map(|uid| self.known.remove(&uid));
        }
        self.known.insert(uid.into(), Peer { heard: self.clock, names_itself });
    }

    pub(super) fn forget(&mut self, uid: &str) {
        self.known.remove(uid);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.known.len()
    }

    /// Nodes that may have left a request unanswered, most recently heard first.
    pub(super) fn silent(&self, answered: &HashSet<Box<str>>) -> Vec<Box<str>> {
        let mut silent: Vec<_> = self.known.iter().filter(|(uid, _)| !answered.contains(*uid)).collect();
        silent.sort_unstable_by_key(|(_, peer)| std::cmp::Reverse(peer.heard));
        silent.into_iter().map(|(uid, _)| uid.clone()).collect()
    }

    /// Selects the `missing` nodes among those that are alive and gave no answer with a uid. If some answers came
    /// without a uid, only nodes that always send theirs can be named.
    pub(super) fn unanswering(&self, mut living: Vec<Box<str>>, missing: usize) -> Vec<Box<str>> {
        if living.len() > missing {
            living.retain(|uid| self.known.get(uid).is_some_and(|peer| peer.names_itself));
            living.truncate(missing);
        }
        living
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_did_not_answer_is_named_where_that_is_certain() {
        let mut peers = Peers::default();
        peers.note_message("js-a", false);
        peers.note_message("js-b", false);
        peers.note_message("native", true);
        peers.note_message("js-a", false);
        let silent = peers.silent(&HashSet::new());
        assert_eq!(silent, ["js-a", "native", "js-b"].map(Box::<str>::from));
        // Two answers came without a uid, so the missing node is the one that always sends it.
        assert_eq!(peers.unanswering(silent.clone(), 1), [Box::<str>::from("native")]);
        assert_eq!(peers.unanswering(silent.clone(), 3), silent);
        peers.forget("native");
        assert_eq!(peers.silent(&HashSet::from(["js-b".into()])), [Box::<str>::from("js-a")]);
    }

    #[test]
    fn names_from_redis_do_not_fill_the_memory() {
        let mut peers = Peers::default();
        (0..5000).for_each(|n| peers.note_message(&n.to_string(), false));
        assert_eq!(peers.len(), LIMIT);
        assert_eq!(&*peers.silent(&HashSet::new())[0], "4999");
    }
}
