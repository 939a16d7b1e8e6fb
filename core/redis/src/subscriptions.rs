//! The state of each subscription: whether it is wanted, on which link, and whether Redis has confirmed it.

use std::collections::hash_map::Entry as MapEntry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

use crate::bus::Subscription;
use crate::outgoing::LinkId;
use crate::resp::{self, Value};
use crate::slot::{Routes, slot_of};

/// Limit of unconfirmed commands on one link. It is also the batch size when everything is subscribed again.
const WINDOW: usize = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SubscriptionState {
    Off,
    /// The command is sent.
    Subscribing,
    On,
    Unsubscribing,
}

struct Entry {
    /// Whether the node wants the subscription.
    wanted: bool,
    state: SubscriptionState,
    /// The link of its slot; `None` while the slot has none.
    link: Option<LinkId>,
    /// Whether it is listed in the link's `dirty`.
    dirty: bool,
}

/// A command that is sent but not confirmed.
enum Op {
    On(Subscription),
    Off(Subscription),
    Heartbeat,
}

#[derive(Default)]
struct SubscriptionLink {
    wake: Arc<Notify>,
    /// Entries whose state may differ from the wanted one. Each is listed once.
    dirty: VecDeque<Subscription>,
    waiting: VecDeque<Op>,
}

/// Something that the connection has received.
pub(crate) enum Received {
    Message {
        pattern: Option<Bytes>,
        channel: Bytes,
        payload: Bytes,
    },
    /// A reply that needs no further action.
    Answer,
    /// The slot of a sharded channel has moved.
    Moved,
}

/// The subscriptions of all links.
pub(crate) struct Subscriptions {
    entries: HashMap<Subscription, Entry>,
    links: HashMap<LinkId, SubscriptionLink>,
    routes: Routes,
    /// Number of entries without a link.
    homeless: usize,
}

impl Subscriptions {
    pub(crate) fn new(routes: Routes) -> Self {
        Self { entries: HashMap::new(), links: HashMap::new(), routes, homeless: 0 }
    }

    pub(crate) fn add_link(&mut self, id: LinkId) -> Arc<Notify> {
        self.links.entry(id).or_default().wake.clone()
    }

    pub(crate) fn subscribe(&mut self, what: Subscription) {
        match self.entries.entry(what.clone()) {
            MapEntry::Occupied(mut entry) => entry.get_mut().wanted = true,
            MapEntry::Vacant(entry) => {
                let link = self.routes.of(what.name());
                self.homeless += usize::from(link.is_none());
                entry.insert(Entry { wanted: true, state: SubscriptionState::Off, link, dirty: false });
            }
        }
        self.look_at(what);
    }

    pub(crate) fn unsubscribe(&mut self, what: Subscription) {
        if let Some(entry) = self.entries.get_mut(&what) {
            entry.wanted = false;
            self.look_at(what);
        }
    }

    /// Adds the entry to the `dirty` list of its link.
    fn look_at(&mut self, what: Subscription) {
        let Some(entry) = self.entries.get_mut(&what) else { return };
        match entry.link {
            Some(id) => {
                if let Some(link) = self.links.get_mut(&id)
                    && !entry.dirty
                {
                    entry.dirty = true;
                    link.dirty.push_back(what);
                    link.wake.notify_one();
                }
            }
            None if !entry.wanted => {
                self.entries.remove(&what);
                self.homeless -= 1;
            }
            None => {}
        }
    }

    /// Starts a new connection, on which nothing is subscribed yet.
    pub(crate) fn begin(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.waiting.clear();
        link.dirty.clear();
        self.entries.retain(|what, entry| {
            if entry.link != Some(id) {
                return true;
            }
            entry.state = SubscriptionState::Off;
            entry.dirty = entry.wanted;
            if entry.wanted {
                link.dirty.push_back(what.clone());
            }
            entry.wanted
        });
    }

    /// Appends the commands for the entries in `dirty`.
    pub(crate) fn fill(&mut self, id: LinkId, out: &mut BytesMut) {
        let Some(link) = self.links.get_mut(&id) else { return };
        while link.waiting.len() < WINDOW
            && let Some(what) = link.dirty.pop_front()
        {
            let Some(entry) = self.entries.get_mut(&what).filter(|entry| entry.link == Some(id)) else {
                continue;
            };
            entry.dirty = false;
            match (entry.wanted, entry.state) {
                (true, SubscriptionState::Off) => {
                    entry.state = SubscriptionState::Subscribing;
                    resp::command(out, &[what.verbs().0, what.name()]);
                    link.waiting.push_back(Op::On(what));
                }
                (false, SubscriptionState::On) => {
                    entry.state = SubscriptionState::Unsubscribing;
                    resp::command(out, &[what.verbs().1, what.name()]);
                    link.waiting.push_back(Op::Off(what));
                }
                (false, SubscriptionState::Off) => {
                    self.entries.remove(&what);
                }
                // Nothing to do, or handled when the pending command is confirmed.
                _ => {}
            }
        }
    }

    pub(crate) fn heartbeat(&mut self, id: LinkId, out: &mut BytesMut) {
        if let Some(link) = self.links.get_mut(&id) {
            resp::command(out, &[b"PING"]);
            link.waiting.push_back(Op::Heartbeat);
        }
    }

    pub(crate) fn expects_answers(&self, id: LinkId) -> bool {
        self.links.get(&id).is_some_and(|link| !link.waiting.is_empty())
    }

    /// Whether all subscriptions of a link are in the wanted state.
    pub(crate) fn is_settled(&self, id: LinkId) -> bool {
        self.links.get(&id).is_none_or(|link| {
            link.dirty.is_empty() && !link.waiting.iter().any(|op| matches!(op, Op::On(_) | Op::Off(_)))
        })
    }

    /// Whether Redis has confirmed a subscription.
    pub(crate) fn is_on(&self, what: &Subscription) -> bool {
        self.entries.get(what).is_some_and(|entry| entry.state == SubscriptionState::On)
    }

    /// Whether all subscriptions have a link and are in the wanted state.
    pub(crate) fn all_settled(&self) -> bool {
        self.homeless == 0 && self.links.keys().all(|id| self.is_settled(*id))
    }

    pub(crate) fn is_homeless(&self) -> bool {
        self.homeless > 0
    }

    /// Handles a received reply or message. After an error the connection must be closed.
    pub(crate) fn received(&mut self, id: LinkId, value: Value) -> Result<Received, String> {
        let items = match value {
            Value::Array(items) | Value::Push(items) => items,
            other => return self.answered(id, other),
        };
        let kind = items.first().and_then(Value::bytes).cloned().unwrap_or_default();
        let mut fields = items.into_iter().skip(1);
        let mut field = || match fields.next() {
            Some(Value::Bulk(bytes) | Value::Simple(bytes)) => Ok(bytes),
            _ => Err("Redis sent a message of an unknown shape".to_owned()),
        };
        match &kind[..] {
            b"message" => Ok(Received::Message { pattern: None, channel: field()?, payload: field()? }),
            b"pmessage" => {
                Ok(Received::Message { pattern: Some(field()?), channel: field()?, payload: field()? })
            }
            b"smessage" => {
                let (channel, payload) = (field()?, field()?);
                // After its slot has moved, messages of a channel count only on its new link.
                let what = Subscription::Sharded(channel[..].into());
                match self.routes.is_by_slot()
                    && self.entries.get(&what).is_none_or(|entry| entry.link != Some(id))
                {
                    true => Ok(Received::Answer),
                    false => Ok(Received::Message { pattern: None, channel, payload }),
                }
            }
            b"subscribe" => Ok(self.confirmed(id, true, Subscription::Channel(field()?[..].into()))),
            b"psubscribe" => Ok(self.confirmed(id, true, Subscription::Pattern(field()?[..].into()))),
            b"ssubscribe" => Ok(self.confirmed(id, true, Subscription::Sharded(field()?[..].into()))),
            b"unsubscribe" => Ok(self.confirmed(id, false, Subscription::Channel(field()?[..].into()))),
            b"punsubscribe" => Ok(self.confirmed(id, false, Subscription::Pattern(field()?[..].into()))),
            b"sunsubscribe" => Ok(self.confirmed(id, false, Subscription::Sharded(field()?[..].into()))),
            b"pong" => self.answered(id, Value::Null),
            _ => Ok(Received::Answer),
        }
    }

    /// Handles a confirmation of a subscribe or unsubscribe command.
    fn confirmed(&mut self, id: LinkId, on: bool, what: Subscription) -> Received {
        let Some(link) = self.links.get_mut(&id) else { return Received::Answer };
        let asked = match link.waiting.front() {
            Some(Op::On(front)) => on && *front == what,
            Some(Op::Off(front)) => !on && *front == what,
            _ => false,
        };
        if asked {
            link.waiting.pop_front();
        }
        let Some(entry) = self.entries.get_mut(&what).filter(|entry| entry.link == Some(id)) else {
            return Received::Answer;
        };
        if !asked {
            // A `sunsubscribe` without a command of ours: the slot has left the server.
            return match !on && entry.wanted {
                true => self.evict(what),
                false => Received::Answer,
            };
        }
        entry.state = if on { SubscriptionState::On } else { SubscriptionState::Off };
        if entry.wanted != on {
            self.look_at(what);
        } else if !on {
            self.entries.remove(&what);
        }
        Received::Answer
    }

    /// Handles a reply without a channel name: a pong, or an error in place of a confirmation.
    fn answered(&mut self, id: LinkId, value: Value) -> Result<Received, String> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(Received::Answer) };
        let op = link.waiting.pop_front();
        let Some(error) = value.error() else {
            return match op {
                Some(Op::Heartbeat) => Ok(Received::Answer),
                _ => Err("Redis answered what was not asked".to_owned()),
            };
        };
        let Some(Op::On(what) | Op::Off(what)) = op else { return Err(error) };
        let elsewhere = matches!(error.split(' ').next(), Some("MOVED" | "CLUSTERDOWN" | "TRYAGAIN" | "ASK"));
        if !elsewhere || !self.routes.is_by_slot() {
            let hint = match elsewhere {
                true => " (a node of Redis Cluster: use cluster.redis = { cluster: [...] })",
                false if error.starts_with("ERR unknown command") => " (sharded mode needs Redis 7 or later)",
                false => "",
            };
            return Err(format!(
                "{} {}: {error}{hint}",
                String::from_utf8_lossy(what.verbs().0),
                what.shown()
            ));
        }
        match self.entries.get(&what) {
            Some(entry) if entry.link == Some(id) => Ok(self.evict(what)),
            _ => Ok(Received::Answer),
        }
    }

    /// Takes a subscription off its link; it has no link until the topology is refreshed.
    fn evict(&mut self, what: Subscription) -> Received {
        self.routes.forget(slot_of(what.name()));
        if let Some(entry) = self.entries.get_mut(&what) {
            entry.state = SubscriptionState::Off;
            entry.dirty = false;
            if entry.link.take().is_some() {
                self.homeless += 1;
            }
            self.look_at(what);
        }
        Received::Moved
    }

    /// Sets the new owners of the slots; their links exist already.
    pub(crate) fn set_routes(&mut self, routes: Routes) {
        self.routes = routes;
        let mut moved = Vec::new();
        for (what, entry) in &mut self.entries {
            let link = self.routes.of(what.name());
            if entry.link != link {
                self.homeless -= usize::from(entry.link.is_none());
                self.homeless += usize::from(link.is_none());
                *entry = Entry { wanted: entry.wanted, state: SubscriptionState::Off, link, dirty: false };
                moved.push(what.clone());
            }
        }
        for what in moved {
            self.look_at(what);
        }
    }

    pub(crate) fn remove_link(&mut self, id: LinkId) {
        self.links.remove(&id);
    }
}

impl Subscription {
    /// The name of the channel or pattern.
    pub(crate) fn name(&self) -> &[u8] {
        match self {
            Subscription::Channel(name) | Subscription::Pattern(name) | Subscription::Sharded(name) => name,
        }
    }

    /// The commands to subscribe and unsubscribe.
    fn verbs(&self) -> (&'static [u8], &'static [u8]) {
        match self {
            Subscription::Channel(_) => (b"SUBSCRIBE", b"UNSUBSCRIBE"),
            Subscription::Pattern(_) => (b"PSUBSCRIBE", b"PUNSUBSCRIBE"),
            Subscription::Sharded(_) => (b"SSUBSCRIBE", b"SUNSUBSCRIBE"),
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(self.name()).into_owned()
    }
}
