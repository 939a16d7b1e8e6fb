//! The state of each publish: which link it goes to, and whether it is queued, in flight or done.
//!
//! Every publish is in exactly one of three places: in the `queue` of a link (or `unrouted`) until it is written, in
//! `waiting` of the link until Redis answers, and then in one of the counters. A written publish is written again
//! only if Redis has refused it, so there are no duplicates.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{Notify, oneshot};

use crate::batch::Batch;
use crate::config::Overflow;
use crate::resp::{self, Value};
use crate::slot::{Routes, slot_of};

/// Identifies a link: a connection to one server and its successors.
pub(crate) type LinkId = u32;

/// Approximate size of a queued publish without its bytes.
const ENTRY_BYTES: usize = 96;

/// Limit of bytes in flight on one link: 1 MiB per round trip, so 1 GB/s at a round trip of one millisecond.
const WINDOW: usize = 1 << 20;

/// Number of queued questions from which abandoned ones are removed.
const MANY_ASKS: usize = 64;

/// A publish.
struct Publish {
    /// Position in the order of the calls.
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

/// A command whose reply the caller waits for.
pub(crate) struct Ask {
    /// The encoded command.
    pub command: Bytes,
    pub answer: oneshot::Sender<Value>,
}

enum What {
    Publish(Publish),
    Ask(Ask),
    Heartbeat,
}

/// A command that is written but not answered.
struct Waiting {
    what: What,
    /// Offset of its first byte in the stream of this connection.
    begins: u64,
}

#[derive(Default)]
struct OutgoingLink {
    wake: Arc<Notify>,
    queue: VecDeque<Publish>,
    asks: VecDeque<Ask>,
    /// The last attempt to connect has failed. New questions are dropped until [`Outgoing::speaks`].
    mute: bool,
    waiting: VecDeque<Waiting>,
    /// Sum of the sizes of the publishes in `waiting`.
    in_flight: usize,
    /// Publishes that the server refused for now. They are routed again, before all others, when `waiting` is empty.
    again: Vec<Publish>,
    /// While set, nothing is written until `waiting` is empty. Then the connection is closed if there is a reason,
    /// else writing goes on.
    draining: Option<Option<String>>,
    /// Bytes put into batches of this connection, and bytes of them that were written.
    batched: u64,
    written: u64,
    /// The server has left the cluster. The link ends when `waiting` is empty, and takes no new publishes.
    retiring: bool,
}

/// Publishes by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub published: u64,
    pub lost: u64,
    pub unconfirmed: u64,
}

/// The publishes of all links.
pub(crate) struct Outgoing {
    links: HashMap<LinkId, OutgoingLink>,
    routes: Routes,
    /// Publishes without a link: their slot has none, or routing is paused. In order.
    unrouted: VecDeque<Publish>,
    /// `PUBLISH` or `SPUBLISH`.
    verb: &'static [u8],
    limit: usize,
    overflow: Overflow,
    bytes: usize,
    next_seq: u64,
    epoch: u64,
    /// Number of publishes in `queue`, `unrouted` and `waiting`, by epoch.
    open: VecDeque<(u64, u64)>,
    counts: Counts,
    /// The text of the last final refusal, and whether it was logged.
    refusal: Option<(String, bool)>,
}

impl Outgoing {
    pub(crate) fn new(sharded: bool, routes: Routes, limit: usize, overflow: Overflow) -> Self {
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

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Publishes that are not confirmed, lost or unconfirmed yet.
    pub(crate) fn open(&self) -> u64 {
        self.open.iter().map(|(_, count)| *count).sum()
    }

    /// Bytes of publishes that are queued or in flight.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The text of the last refusal if it is new, so that a repeated refusal is logged once.
    pub(crate) fn new_refusal(&mut self) -> Option<&str> {
        let (text, told) = self.refusal.as_mut()?;
        (!std::mem::replace(told, true)).then_some(text)
    }

    pub(crate) fn add_link(&mut self, id: LinkId) -> Arc<Notify> {
        self.links.entry(id).or_default().wake.clone()
    }

    /// Queues a publish. On overflow, it or older ones are counted as lost.
    pub(crate) fn publish(&mut self, channel: Box<[u8]>, payload: Bytes) {
        let publish = Publish { seq: self.next_seq, epoch: self.epoch, channel, payload };
        self.next_seq += 1;
        let size = publish.size();
        while self.bytes + size > self.limit {
            let dropped = match self.overflow {
                // A publish larger than the limit must not evict others.
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

    /// Removes the oldest publish that is still queued.
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

    /// Whether routing is paused. While a link drains after slots have moved, nothing is routed, because publishes
    /// that it refuses come first.
    fn held(&self) -> bool {
        self.links.values().any(|link| matches!(link.draining, Some(None)))
    }

    /// Whether publishes are waiting for a route.
    pub(crate) fn is_stranded(&self) -> bool {
        !self.unrouted.is_empty()
    }

    /// Routes the publishes in `unrouted`, in order.
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

    /// Sets the new owners of the slots. Every link drains first, so that no publish overtakes one on its old link.
    pub(crate) fn set_routes(&mut self, routes: Routes) {
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

    /// Ends a link whose server has left the cluster, after its publishes in flight are answered.
    pub(crate) fn retire(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.retiring = true;
            self.unrouted.extend(link.queue.drain(..));
            link.wake.notify_one();
        }
        self.release();
    }

    pub(crate) fn is_retired(&self, id: LinkId) -> bool {
        self.links.get(&id).is_none_or(|link| link.retiring && link.waiting.is_empty())
    }

    /// Removes a link. Its written but unanswered publishes become unconfirmed.
    pub(crate) fn remove_link(&mut self, id: LinkId) {
        self.broke(id);
        if let Some(link) = self.links.remove(&id) {
            self.unrouted.extend(link.queue);
        }
        self.release();
    }

    /// Queues a question for a link. A mute link drops it, which closes the sender `answer`.
    pub(crate) fn ask(&mut self, id: LinkId, ask: Ask) {
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.mute) else { return };
        // Abandoned questions would accumulate while there is no connection.
        if link.asks.len() >= MANY_ASKS && link.asks.len().is_power_of_two() {
            link.asks.retain(|ask| !ask.answer.is_closed());
        }
        link.asks.push_back(ask);
        link.wake.notify_one();
    }

    /// Drops questions to this link until [`Outgoing::speaks`] is called.
    pub(crate) fn mute(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.mute = true;
            link.asks.clear();
        }
    }

    /// The link has a new connection.
    pub(crate) fn speaks(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.mute = false;
        }
    }

    /// Moves queued commands into `batch` until it is full or the window is used up.
    pub(crate) fn fill(&mut self, id: LinkId, batch: &mut Batch) {
        let window = WINDOW.min(self.limit / 2);
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.draining.is_some() {
            return;
        }
        while !batch.is_full()
            && let Some(ask) = link.asks.pop_front()
        {
            // The caller has given up.
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

    /// Appends a heartbeat to `batch`.
    pub(crate) fn heartbeat(&mut self, id: LinkId, parts: &[&[u8]], batch: &mut Batch) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let mut command = BytesMut::new();
        resp::command(&mut command, parts);
        let begins = link.batched;
        link.batched += batch.put(&command);
        link.waiting.push_back(Waiting { what: What::Heartbeat, begins });
    }

    pub(crate) fn wrote(&mut self, id: LinkId, bytes: usize) {
        if let Some(link) = self.links.get_mut(&id) {
            link.written += bytes as u64;
        }
    }

    pub(crate) fn expects_answers(&self, id: LinkId) -> bool {
        self.links.get(&id).is_some_and(|link| !link.waiting.is_empty())
    }

    /// Handles the next reply. `Ok(true)`: slots have moved. After an error the connection must be closed.
    pub(crate) fn answered(&mut self, id: LinkId, value: Value) -> Result<bool, String> {
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

    /// Ends draining once `waiting` is empty. Returns the reason if the connection has to be closed.
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

    /// The connection broke. Publishes that were not written at all are queued again, before later ones; the others
    /// are unconfirmed.
    pub(crate) fn broke(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let mut back = std::mem::take(&mut link.again);
        let mut gone = Vec::new();
        for Waiting { what, begins } in std::mem::take(&mut link.waiting) {
            match what {
                What::Publish(publish) if begins >= link.written => back.push(publish),
                What::Publish(publish) => gone.push(publish),
                // A question has no side effects, so it can be sent again.
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
        // Slots may have moved meanwhile, so they are routed again in their original order.
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

    /// Ends the current epoch and returns its number for [`Outgoing::is_done`].
    pub(crate) fn mark(&mut self) -> u64 {
        self.epoch += 1;
        self.epoch - 1
    }

    /// Whether everything published before the mark is confirmed, lost or unconfirmed.
    pub(crate) fn is_done(&self, mark: u64) -> bool {
        self.open.front().is_none_or(|(epoch, _)| *epoch > mark)
    }
}

/// The meaning of an error reply to a publish.
enum Refusal {
    /// The slot has moved to another server.
    Moved,
    /// The server can't take it now; it is sent again.
    NotNow,
    /// A permanent error.
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

/// Checks the heartbeat of a connection found through sentinels, which is `ROLE`: a master that became a replica must
/// not be published to.
fn still_master(answer: &Value) -> Result<(), String> {
    match answer.items().first().and_then(Value::text) {
        Some(role) if role != "master" => Err(format!("the server is a {role} now")),
        _ => match answer.error() {
            // `ROLE` may be forbidden by the ACL; then any reply proves that the connection works.
            Some(error) if !error.starts_with("NOPERM") => Err(error),
            _ => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests;
