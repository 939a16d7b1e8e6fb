//! Publishes on their way: which connection they go to, what waits, what is under way, and what became of it.
//!
//! Everything that was published is in exactly one of three places: `queue` of a link (or `unrouted`) until it is
//! written, `waiting` of the link until Redis answers, and then in one of the counters. What was written is never
//! written again unless Redis has refused it, so nothing comes twice.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{Notify, oneshot};

use crate::cluster::redis::batch::Batch;
use crate::cluster::redis::resp::{self, Value};
use crate::cluster::redis::slot::{Routes, slot_of};
use crate::options::cluster::Overflow;

/// Names one connection (and its successors) to one server.
pub(crate) type LinkId = u32;

/// What an entry of a queue takes beside its bytes.
const ENTRY_BYTES: usize = 96;

/// Publishes written and not answered: enough for the fastest network at a millisecond's distance.
const WINDOW: usize = 1 << 20;

/// From so many on, questions are looked through for those that nobody waits for any more.
const MANY_ASKS: usize = 64;

/// A publish.
struct Publish {
    /// Order of the calls.
    seq: u64,
    /// See [`Outgoing::mark`].
    epoch: u64,
    channel: Box<[u8]>,
    payload: Bytes,
}

impl Publish {
    fn size(&self) -> usize {
        self.channel.len() + self.payload.len() + ENTRY_BYTES
    }
}

/// A question to Redis.
pub(crate) struct Ask {
    /// The command as it is written.
    pub command: Bytes,
    pub answer: oneshot::Sender<Value>,
}

enum What {
    Publish(Publish),
    Ask(Ask),
    Heartbeat,
}

/// Written, not answered.
struct Waiting {
    what: What,
    /// Where its bytes begin, counted from the connection's first.
    begins: u64,
}

#[derive(Default)]
struct Link {
    wake: Arc<Notify>,
    queue: VecDeque<Publish>,
    asks: VecDeque<Ask>,
    /// The last attempt to connect has failed, and nobody waits for the next.
    mute: bool,
    waiting: VecDeque<Waiting>,
    /// Sizes in `waiting`.
    in_flight: usize,
    /// Refused by a server that can't take them now; they go first when the rest of `waiting` is answered.
    again: Vec<Publish>,
    /// Nothing more is written until all of `waiting` is answered; then, if there is a reason, the connection is given up.
    draining: Option<Option<String>>,
    /// Bytes put into batches of this connection, and bytes written of them.
    batched: u64,
    written: u64,
    /// The server has left the cluster: what is under way ends, nothing is added.
    retiring: bool,
}

/// Counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub published: u64,
    pub lost: u64,
    pub unconfirmed: u64,
}

/// See the module.
pub(crate) struct Outgoing {
    links: HashMap<LinkId, Link>,
    routes: Routes,
    /// No link has their slot, or none may have it yet; in order.
    unrouted: VecDeque<Publish>,
    /// Name of the command.
    verb: &'static [u8],
    limit: usize,
    overflow: Overflow,
    bytes: usize,
    next_seq: u64,
    epoch: u64,
    /// Publishes not done with, by epoch.
    open: VecDeque<(u64, u64)>,
    counts: Counts,
    /// The last text with which Redis refused a publish for good, and whether it was told.
    refusal: Option<(String, bool)>,
}

impl Outgoing {
    pub fn new(sharded: bool, routes: Routes, limit: usize, overflow: Overflow) -> Self {
        Self {
            links: HashMap::new(),
            routes,
            unrouted: VecDeque::new(),
            verb: if sharded { b"SPUBLISH" } else { b"PUBLISH" },
            limit,
            overflow,
            bytes: 0,
            next_seq: 0,
            epoch: 0,
            open: VecDeque::new(),
            counts: Counts::default(),
            refusal: None,
        }
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Publishes that are not done with.
    pub fn open(&self) -> u64 {
        self.open.iter().map(|(_, count)| *count).sum()
    }

    /// Bytes that wait for Redis, be it to be written or to be answered.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Text of the last refusal, unless it is known: a log shall not have a line per message.
    pub fn new_refusal(&mut self) -> Option<&str> {
        let (text, told) = self.refusal.as_mut()?;
        (!std::mem::replace(told, true)).then_some(text)
    }

    pub fn add_link(&mut self, id: LinkId) -> Arc<Notify> {
        self.links.entry(id).or_default().wake.clone()
    }

    /// Takes a publish, or counts one as lost.
    pub fn publish(&mut self, channel: Box<[u8]>, payload: Bytes) {
        let publish = Publish { seq: self.next_seq, epoch: self.epoch, channel, payload };
        self.next_seq += 1;
        let size = publish.size();
        while self.bytes + size > self.limit {
            let dropped = match self.overflow {
                // One that can never fit costs no other its place.
                Overflow::DropOldest if size <= self.limit => self.pop_oldest(),
                _ => None,
            };
            let Some(oldest) = dropped else {
                self.counts.lost += 1;
                return;
            };
            self.counts.lost += 1;
            self.done_with(&oldest);
        }
        self.bytes += size;
        match self.open.back_mut() {
            Some((epoch, count)) if *epoch == publish.epoch => *count += 1,
            _ => self.open.push_back((publish.epoch, 1)),
        }
        self.route(publish);
    }

    /// The oldest that nothing was written of.
    fn pop_oldest(&mut self) -> Option<Publish> {
        let front = |queue: &VecDeque<Publish>| queue.front().map(|publish| publish.seq);
        let mut oldest = (front(&self.unrouted), None);
        for (id, link) in &self.links {
            if let Some(seq) = front(&link.queue)
                && oldest.0.is_none_or(|found| seq < found)
            {
                oldest = (Some(seq), Some(*id));
            }
        }
        match oldest.1 {
            None => self.unrouted.pop_front(),
            Some(id) => self.links.get_mut(&id)?.queue.pop_front(),
        }
    }

    fn route(&mut self, publish: Publish) {
        let link = match self.held() {
            true => None,
            false => self.routes.of(&publish.channel),
        };
        match link.and_then(|id| self.links.get_mut(&id)) {
            Some(link) => {
                if link.queue.is_empty() {
                    link.wake.notify_one();
                }
                link.queue.push_back(publish);
            }
            None => self.unrouted.push_back(publish),
        }
    }

    /// While a link answers what it was sent before slots moved, nothing is routed: what it refuses goes first.
    fn held(&self) -> bool {
        self.links.values().any(|link| matches!(link.draining, Some(None)))
    }

    /// Whether something waits for a route.
    pub fn is_stranded(&self) -> bool {
        !self.unrouted.is_empty()
    }

    /// Routes what waits for it, in order.
    fn release(&mut self) {
        if self.held() {
            return;
        }
        let mut waiting = Vec::from(std::mem::take(&mut self.unrouted));
        waiting.sort_by_key(|publish| publish.seq);
        for publish in waiting {
            self.route(publish);
        }
    }

    /// Takes up where the slots are now. Each link answers what is under way before anything goes another way.
    pub fn set_routes(&mut self, routes: Routes) {
        if self.routes == routes {
            return;
        }
        self.routes = routes;
        for link in self.links.values_mut() {
            self.unrouted.extend(link.queue.drain(..));
            if !link.waiting.is_empty() && link.draining.is_none() {
                link.draining = Some(None);
            }
        }
        self.release();
    }

    /// The link's server has left: it ends when what is under way is answered.
    pub fn retire(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.retiring = true;
            self.unrouted.extend(link.queue.drain(..));
            link.wake.notify_one();
        }
        self.release();
    }

    pub fn is_retired(&self, id: LinkId) -> bool {
        self.links.get(&id).is_none_or(|link| link.retiring && link.waiting.is_empty())
    }

    /// Forgets a link; what was written and not answered is unconfirmed.
    pub fn remove_link(&mut self, id: LinkId) {
        self.broke(id);
        if let Some(link) = self.links.remove(&id) {
            self.unrouted.extend(link.queue);
        }
        self.release();
    }

    /// Asks a link. One that is known not to answer drops the question, and with it the other end of `answer`.
    pub fn ask(&mut self, id: LinkId, ask: Ask) {
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.mute) else { return };
        // Those that nobody waits for any more would pile up while there is no connection.
        if link.asks.len() >= MANY_ASKS && link.asks.len().is_power_of_two() {
            link.asks.retain(|ask| !ask.answer.is_closed());
        }
        link.asks.push_back(ask);
        link.wake.notify_one();
    }

    /// Until `speaks`, questions to this link are not kept.
    pub fn mute(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.mute = true;
            link.asks.clear();
        }
    }

    /// The link has a connection.
    pub fn speaks(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.mute = false;
        }
    }

    /// Puts into `batch` what goes out next.
    pub fn fill(&mut self, id: LinkId, batch: &mut Batch) {
        let window = WINDOW.min(self.limit / 2);
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.draining.is_some() {
            return;
        }
        while !batch.is_full()
            && let Some(ask) = link.asks.pop_front()
        {
            // Nobody waits any more.
            if ask.answer.is_closed() {
                continue;
            }
            let begins = link.batched;
            link.batched += batch.put(&ask.command);
            link.waiting.push_back(Waiting { what: What::Ask(ask), begins });
        }
        while !batch.is_full()
            && (link.in_flight == 0 || link.in_flight < window)
            && let Some(publish) = link.queue.pop_front()
        {
            let begins = link.batched;
            link.batched += batch.put_publish(self.verb, &publish.channel, &publish.payload);
            link.in_flight += publish.size();
            link.waiting.push_back(Waiting { what: What::Publish(publish), begins });
        }
    }

    /// Puts a heartbeat into `batch`.
    pub fn heartbeat(&mut self, id: LinkId, parts: &[&[u8]], batch: &mut Batch) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let mut command = BytesMut::new();
        resp::command(&mut command, parts);
        let begins = link.batched;
        link.batched += batch.put(&command);
        link.waiting.push_back(Waiting { what: What::Heartbeat, begins });
    }

    pub fn wrote(&mut self, id: LinkId, bytes: usize) {
        if let Some(link) = self.links.get_mut(&id) {
            link.written += bytes as u64;
        }
    }

    pub fn expects_answers(&self, id: LinkId) -> bool {
        self.links.get(&id).is_some_and(|link| !link.waiting.is_empty())
    }

    /// Takes the next answer. `Ok(true)`: slots have moved. An error means that the connection is of no use any more.
    pub fn answered(&mut self, id: LinkId, value: Value) -> Result<bool, String> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(false) };
        let Some(Waiting { what, .. }) = link.waiting.pop_front() else {
            return Err(value.error().unwrap_or_else(|| "Redis answered what was not asked".to_owned()));
        };
        let mut moved = false;
        match what {
            What::Publish(publish) => {
                link.in_flight -= publish.size();
                match value.error() {
                    None => {
                        self.counts.published += 1;
                        self.done_with(&publish);
                    }
                    Some(error) => match Refusal::of(&error) {
                        Refusal::Moved if self.routes.is_by_slot() => {
                            moved = true;
                            self.routes.forget(slot_of(&publish.channel));
                            link.again.push(publish);
                            link.draining.get_or_insert(None);
                        }
                        Refusal::NotNow => {
                            link.again.push(publish);
                            if !matches!(link.draining, Some(Some(_))) {
                                link.draining = Some(Some(error));
                            }
                        }
                        _ => {
                            self.counts.lost += 1;
                            self.done_with(&publish);
                            if self.refusal.as_ref().is_none_or(|(known, _)| *known != error) {
                                self.refusal = Some((error, false));
                            }
                        }
                    },
                }
            }
            What::Ask(ask) => {
                let _ = ask.answer.send(value);
            }
            What::Heartbeat => still_master(&value)?,
        }
        match self.drained(id) {
            Some(reason) => Err(reason),
            None => Ok(moved),
        }
    }

    /// Ends draining when all is answered; the reason to give up the connection, if there is one.
    fn drained(&mut self, id: LinkId) -> Option<String> {
        let link = self.links.get_mut(&id)?;
        if !link.waiting.is_empty() {
            return None;
        }
        match link.draining.take()? {
            Some(reason) => {
                link.draining = Some(Some(reason.clone()));
                Some(reason)
            }
            None => {
                self.unrouted.extend(link.again.drain(..));
                link.wake.notify_one();
                self.release();
                None
            }
        }
    }

    /// The connection is gone. What nothing was written of goes to the front of the queue again; the rest is unconfirmed.
    pub fn broke(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let mut back = std::mem::take(&mut link.again);
        let mut gone = Vec::new();
        for Waiting { what, begins } in std::mem::take(&mut link.waiting) {
            match what {
                What::Publish(publish) if begins >= link.written => back.push(publish),
                What::Publish(publish) => gone.push(publish),
                // A question may be asked twice.
                What::Ask(ask) => link.asks.push_back(ask),
                What::Heartbeat => {}
            }
        }
        link.in_flight = 0;
        link.draining = None;
        (link.batched, link.written) = (0, 0);
        self.counts.unconfirmed += gone.len() as u64;
        for publish in &gone {
            self.done_with(publish);
        }
        // They were at this link before slots moved, so they take their place among those that wait for a route.
        self.unrouted.extend(back);
        if let Some(link) = self.links.get_mut(&id) {
            self.unrouted.extend(link.queue.drain(..));
        }
        self.release();
    }

    fn done_with(&mut self, publish: &Publish) {
        self.bytes -= publish.size();
        if let Some((_, count)) = self.open.iter_mut().find(|(epoch, _)| *epoch == publish.epoch) {
            *count -= 1;
        }
        while self.open.front().is_some_and(|(_, count)| *count == 0) {
            self.open.pop_front();
        }
    }

    /// Ends an epoch, and names it for [`Outgoing::is_done`].
    pub fn mark(&mut self) -> u64 {
        self.epoch += 1;
        self.epoch - 1
    }

    /// Whether all that was published up to the mark is confirmed, lost or unconfirmed.
    pub fn is_done(&self, mark: u64) -> bool {
        self.open.front().is_none_or(|(epoch, _)| *epoch > mark)
    }
}

/// What an error in answer to a publish means.
enum Refusal {
    /// Another server has the slot.
    Moved,
    /// It was not published, and will be elsewhere or later.
    NotNow,
    /// It will never be.
    Final,
}

impl Refusal {
    fn of(error: &str) -> Self {
        match error.split(' ').next().unwrap_or_default() {
            "MOVED" => Refusal::Moved,
            "LOADING" | "READONLY" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "ASK" | "NOAUTH" => {
                Refusal::NotNow
            }
            _ => Refusal::Final,
        }
    }
}

/// A heartbeat through sentinels asks for the role: a master that became a replica is no place to publish.
fn still_master(answer: &Value) -> Result<(), String> {
    match answer.items().first().and_then(Value::text) {
        Some(role) if role != "master" => Err(format!("the server is a {role} now")),
        _ => match answer.error() {
            // Without the right to ask, the connection itself has answered.
            Some(error) if !error.starts_with("NOPERM") => Err(error),
            _ => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests;
