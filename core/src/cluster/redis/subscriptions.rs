//! What is subscribed to, where, and what of it Redis has confirmed.

use std::collections::hash_map::Entry as MapEntry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

use crate::cluster::bus::Subscription;
use crate::cluster::redis::outgoing::LinkId;
use crate::cluster::redis::resp::{self, Value};
use crate::cluster::redis::slot::{Routes, slot_of};

/// Commands written and not confirmed; more wait. So much is one batch when all is subscribed again.
const WINDOW: usize = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Off,
    /// Asked for.
    Subscribing,
    On,
    Unsubscribing,
}

struct Entry {
    /// What the node wants.
    wanted: bool,
    state: State,
    /// Who has it; `None` while its slot has none.
    link: Option<LinkId>,
    /// In the link's `dirty`.
    dirty: bool,
}

/// A command on its way.
enum Op {
    On(Subscription),
    Off(Subscription),
    Heartbeat,
}

#[derive(Default)]
struct Link {
    wake: Arc<Notify>,
    /// What to look at: entries whose state may not be the wanted one. Each is in it once.
    dirty: VecDeque<Subscription>,
    waiting: VecDeque<Op>,
}

/// What came in.
pub(crate) enum Incoming {
    Message {
        pattern: Option<Bytes>,
        channel: Bytes,
        payload: Bytes,
    },
    /// An answer; nothing to tell.
    Answer,
    /// The slot of a sharded channel is elsewhere.
    Moved,
}

/// See the module.
pub(crate) struct Subscriptions {
    entries: HashMap<Subscription, Entry>,
    links: HashMap<LinkId, Link>,
    routes: Routes,
    /// Entries that no link has.
    homeless: usize,
}

impl Subscriptions {
    pub fn new(routes: Routes) -> Self {
        Self { entries: HashMap::new(), links: HashMap::new(), routes, homeless: 0 }
    }

    pub fn add_link(&mut self, id: LinkId) -> Arc<Notify> {
        self.links.entry(id).or_default().wake.clone()
    }

    pub fn subscribe(&mut self, what: Subscription) {
        match self.entries.entry(what.clone()) {
            MapEntry::Occupied(mut entry) => entry.get_mut().wanted = true,
            MapEntry::Vacant(entry) => {
                let link = self.routes.of(what.name());
                self.homeless += usize::from(link.is_none());
                entry.insert(Entry { wanted: true, state: State::Off, link, dirty: false });
            }
        }
        self.look_at(what);
    }

    pub fn unsubscribe(&mut self, what: Subscription) {
        if let Some(entry) = self.entries.get_mut(&what) {
            entry.wanted = false;
            self.look_at(what);
        }
    }

    /// Has the entry's link look at it.
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

    /// A fresh connection: nothing is subscribed on it.
    pub fn begin(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.waiting.clear();
        link.dirty.clear();
        self.entries.retain(|what, entry| {
            if entry.link != Some(id) {
                return true;
            }
            entry.state = State::Off;
            entry.dirty = entry.wanted;
            if entry.wanted {
                link.dirty.push_back(what.clone());
            }
            entry.wanted
        });
    }

    /// Appends the commands that are due.
    pub fn fill(&mut self, id: LinkId, out: &mut BytesMut) {
        let Some(link) = self.links.get_mut(&id) else { return };
        while link.waiting.len() < WINDOW
            && let Some(what) = link.dirty.pop_front()
        {
            let Some(entry) = self.entries.get_mut(&what).filter(|entry| entry.link == Some(id)) else {
                continue;
            };
            entry.dirty = false;
            match (entry.wanted, entry.state) {
                (true, State::Off) => {
                    entry.state = State::Subscribing;
                    resp::command(out, &[what.verbs().0, what.name()]);
                    link.waiting.push_back(Op::On(what));
                }
                (false, State::On) => {
                    entry.state = State::Unsubscribing;
                    resp::command(out, &[what.verbs().1, what.name()]);
                    link.waiting.push_back(Op::Off(what));
                }
                (false, State::Off) => {
                    self.entries.remove(&what);
                }
                // As it should be, or looked at again when Redis has answered.
                _ => {}
            }
        }
    }

    pub fn heartbeat(&mut self, id: LinkId, out: &mut BytesMut) {
        if let Some(link) = self.links.get_mut(&id) {
            resp::command(out, &[b"PING"]);
            link.waiting.push_back(Op::Heartbeat);
        }
    }

    pub fn expects_answers(&self, id: LinkId) -> bool {
        self.links.get(&id).is_some_and(|link| !link.waiting.is_empty())
    }

    /// Whether all that the link should have is confirmed.
    pub fn is_settled(&self, id: LinkId) -> bool {
        self.links.get(&id).is_none_or(|link| {
            link.dirty.is_empty() && !link.waiting.iter().any(|op| matches!(op, Op::On(_) | Op::Off(_)))
        })
    }

    /// Whether a subscription is confirmed.
    pub fn is_on(&self, what: &Subscription) -> bool {
        self.entries.get(what).is_some_and(|entry| entry.state == State::On)
    }

    /// Whether everything is where it should be.
    pub fn all_settled(&self) -> bool {
        self.homeless == 0 && self.links.keys().all(|id| self.is_settled(*id))
    }

    pub fn is_homeless(&self) -> bool {
        self.homeless > 0
    }

    /// Takes what the connection has read. An error means that the connection is of no use any more.
    pub fn received(&mut self, id: LinkId, value: Value) -> Result<Incoming, String> {
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
            b"message" => Ok(Incoming::Message { pattern: None, channel: field()?, payload: field()? }),
            b"pmessage" => {
                Ok(Incoming::Message { pattern: Some(field()?), channel: field()?, payload: field()? })
            }
            b"smessage" => {
                let (channel, payload) = (field()?, field()?);
                // After its slot has moved, a channel is heard on its new link only.
                let what = Subscription::Sharded(channel[..].into());
                match self.routes.is_by_slot()
                    && self.entries.get(&what).is_none_or(|entry| entry.link != Some(id))
                {
                    true => Ok(Incoming::Answer),
                    false => Ok(Incoming::Message { pattern: None, channel, payload }),
                }
            }
            b"subscribe" => Ok(self.confirmed(id, true, Subscription::Channel(field()?[..].into()))),
            b"psubscribe" => Ok(self.confirmed(id, true, Subscription::Pattern(field()?[..].into()))),
            b"ssubscribe" => Ok(self.confirmed(id, true, Subscription::Sharded(field()?[..].into()))),
            b"unsubscribe" => Ok(self.confirmed(id, false, Subscription::Channel(field()?[..].into()))),
            b"punsubscribe" => Ok(self.confirmed(id, false, Subscription::Pattern(field()?[..].into()))),
            b"sunsubscribe" => Ok(self.confirmed(id, false, Subscription::Sharded(field()?[..].into()))),
            b"pong" => self.answered(id, Value::Null),
            _ => Ok(Incoming::Answer),
        }
    }

    /// Redis says that the link has a subscription, or has it no more.
    fn confirmed(&mut self, id: LinkId, on: bool, what: Subscription) -> Incoming {
        let Some(link) = self.links.get_mut(&id) else { return Incoming::Answer };
        let asked = match link.waiting.front() {
            Some(Op::On(front)) => on && *front == what,
            Some(Op::Off(front)) => !on && *front == what,
            _ => false,
        };
        if asked {
            link.waiting.pop_front();
        }
        let Some(entry) = self.entries.get_mut(&what).filter(|entry| entry.link == Some(id)) else {
            return Incoming::Answer;
        };
        if !asked {
            // A sunsubscribe that nobody asked for: the slot has left the server.
            return match !on && entry.wanted {
                true => self.evict(what),
                false => Incoming::Answer,
            };
        }
        entry.state = if on { State::On } else { State::Off };
        if entry.wanted != on {
            self.look_at(what);
        } else if !on {
            self.entries.remove(&what);
        }
        Incoming::Answer
    }

    /// An answer without a name: a pong, or an error in place of a confirmation.
    fn answered(&mut self, id: LinkId, value: Value) -> Result<Incoming, String> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(Incoming::Answer) };
        let op = link.waiting.pop_front();
        let Some(error) = value.error() else {
            return match op {
                Some(Op::Heartbeat) => Ok(Incoming::Answer),
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
            _ => Ok(Incoming::Answer),
        }
    }

    /// The link can't have it: it waits for the next look at the slots.
    fn evict(&mut self, what: Subscription) -> Incoming {
        self.routes.forget(slot_of(what.name()));
        if let Some(entry) = self.entries.get_mut(&what) {
            entry.state = State::Off;
            entry.dirty = false;
            if entry.link.take().is_some() {
                self.homeless += 1;
            }
            self.look_at(what);
        }
        Incoming::Moved
    }

    /// Takes up where the slots are now, with links that are there already.
    pub fn set_routes(&mut self, routes: Routes) {
        self.routes = routes;
        let mut moved = Vec::new();
        for (what, entry) in &mut self.entries {
            let link = self.routes.of(what.name());
            if entry.link != link {
                self.homeless -= usize::from(entry.link.is_none());
                self.homeless += usize::from(link.is_none());
                *entry = Entry { wanted: entry.wanted, state: State::Off, link, dirty: false };
                moved.push(what.clone());
            }
        }
        for what in moved {
            self.look_at(what);
        }
    }

    pub fn remove_link(&mut self, id: LinkId) {
        self.links.remove(&id);
    }
}

impl Subscription {
    /// The channel or pattern.
    pub(crate) fn name(&self) -> &[u8] {
        match self {
            Subscription::Channel(name) | Subscription::Pattern(name) | Subscription::Sharded(name) => name,
        }
    }

    /// The commands that begin and end it.
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
