//! Whether the node is part of its fleet: up when every link is, down from the first that is not.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use crate::cluster::bus::BusEvent;
use crate::cluster::redis::outgoing::LinkId;

/// See the module.
pub(crate) struct Health {
    events: mpsc::UnboundedSender<BusEvent>,
    links: HashMap<LinkId, bool>,
    /// All links that there should be are known.
    complete: bool,
    /// What the node was told last; `None` before the first word.
    told: Option<bool>,
    reason: Option<String>,
    /// Since when it is down, having been up before.
    gap_since: Option<Instant>,
    gaps: u64,
    gap: Duration,
    up: watch::Sender<bool>,
}

impl Health {
    pub fn new(events: mpsc::UnboundedSender<BusEvent>, up: watch::Sender<bool>) -> Self {
        Self {
            events,
            links: HashMap::new(),
            complete: false,
            told: None,
            reason: None,
            gap_since: None,
            gaps: 0,
            gap: Duration::ZERO,
            up,
        }
    }

    pub fn tell(&self, event: BusEvent) {
        // Without a receiver the node is gone, and its bus goes with it.
        let _ = self.events.send(event);
    }

    pub fn is_up(&self) -> bool {
        self.told == Some(true)
    }

    /// How often, and for how long altogether, it was down after it had been up.
    pub fn gaps(&self) -> (u64, Duration) {
        let now = self.gap_since.map_or(Duration::ZERO, |since| since.elapsed());
        (self.gaps, self.gap + now)
    }

    pub fn is_link_up(&self, id: LinkId) -> bool {
        self.links.get(&id) == Some(&true)
    }

    #[cfg(test)]
    pub fn is_partly_up(&self) -> bool {
        self.links.values().any(|up| *up)
    }

    /// Why the last attempt failed.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The bus is not up without this link.
    pub fn add(&mut self, id: LinkId) {
        self.links.insert(id, false);
    }

    pub fn remove(&mut self, id: LinkId) {
        self.links.remove(&id);
        self.settle();
    }

    pub fn complete(&mut self) {
        self.complete = true;
        self.settle();
    }

    pub fn is_complete(&self) -> bool {
        self.complete
    }

    pub fn up(&mut self, id: LinkId) {
        if let Some(up) = self.links.get_mut(&id) {
            *up = true;
            self.settle();
        }
    }

    /// A link that counts has failed.
    pub fn failed(&mut self, id: LinkId, reason: String) {
        if let Some(up) = self.links.get_mut(&id) {
            *up = false;
            self.down(reason);
        }
    }

    pub fn down(&mut self, reason: String) {
        if self.told != Some(false) {
            if self.told == Some(true) {
                self.gap_since = Some(Instant::now());
                self.gaps += 1;
            }
            self.told = Some(false);
            tracing::warn!(reason, "not connected to Redis");
            let _ = self.up.send_replace(false);
            self.tell(BusEvent::Down(reason.clone()));
        }
        self.reason = Some(reason);
    }

    fn settle(&mut self) {
        if self.told != Some(true) && self.complete && self.links.values().all(|up| *up) {
            self.gap += self.gap_since.take().map_or(Duration::ZERO, |since| since.elapsed());
            self.told = Some(true);
            self.reason = None;
            tracing::info!("connected to Redis");
            let _ = self.up.send_replace(true);
            self.tell(BusEvent::Up);
        }
    }
}
