//! Whether the node is connected to its fleet: up while all links are up.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use crate::bus::BusEvent;
use crate::outgoing::LinkId;

/// The state of all links, and the source of `Up` and `Down` events.
pub(crate) struct Health {
    events: mpsc::UnboundedSender<BusEvent>,
    links: HashMap<LinkId, bool>,
    /// Whether all required links have been added.
    complete: bool,
    /// The state in the last event; `None` before the first.
    told: Option<bool>,
    reason: Option<String>,
    /// Start of the current gap: down after having been up.
    gap_since: Option<Instant>,
    gaps: u64,
    gap: Duration,
    up: watch::Sender<bool>,
}

impl Health {
    pub(crate) fn new(events: mpsc::UnboundedSender<BusEvent>, up: watch::Sender<bool>) -> Self {
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

    pub(crate) fn tell(&self, event: BusEvent) {
        // A closed receiver means that the node has ended; its bus ends too.
        let _ = self.events.send(event);
    }

    pub(crate) fn is_up(&self) -> bool {
        self.told == Some(true)
    }

    /// Number and total duration of gaps: times when the bus was down after having been up.
    pub(crate) fn gaps(&self) -> (u64, Duration) {
        let now = self.gap_since.map_or(Duration::ZERO, |since| since.elapsed());
        (self.gaps, self.gap + now)
    }

    pub(crate) fn is_link_up(&self, id: LinkId) -> bool {
        self.links.get(&id) == Some(&true)
    }

    #[cfg(test)]
    pub(crate) fn is_partly_up(&self) -> bool {
        self.links.values().any(|up| *up)
    }

    /// The reason of the last failure.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Adds a link that has to be up for the bus to be up.
    pub(crate) fn add(&mut self, id: LinkId) {
        self.links.insert(id, false);
    }

    pub(crate) fn remove(&mut self, id: LinkId) {
        self.links.remove(&id);
        self.settle();
    }

    pub(crate) fn complete(&mut self) {
        self.complete = true;
        self.settle();
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(crate) fn up(&mut self, id: LinkId) {
        if let Some(up) = self.links.get_mut(&id) {
            *up = true;
            self.settle();
        }
    }

    /// Marks a link as down.
    pub(crate) fn failed(&mut self, id: LinkId, reason: String) {
        if let Some(up) = self.links.get_mut(&id) {
            *up = false;
            self.down(reason);
        }
    }

    pub(crate) fn down(&mut self, reason: String) {
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
