//! When a connection is asked for a sign of life, and when it is given up.

use std::time::Duration;

use tokio::time::Instant;

/// A server that owes an answer must be heard within the timeout; one that owes none is asked when half of that has
/// passed in silence. So a cut or stalled network is noticed within one and a half timeouts.
pub(crate) struct Pulse {
    timeout: Duration,
    /// The last sign of life, or the moment from which one is owed.
    since: Instant,
    owed: bool,
}

/// What is due.
pub(crate) enum Due {
    Heartbeat,
    GiveUp(String),
}

impl Pulse {
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, since: Instant::now(), owed: false }
    }

    /// Something was read.
    pub fn heard(&mut self) {
        self.since = Instant::now();
    }

    /// Waits until something is due; `owed`: an answer is.
    pub async fn due(&mut self, owed: bool) -> Due {
        if owed && !self.owed {
            self.since = Instant::now();
        }
        self.owed = owed;
        if owed {
            tokio::time::sleep_until(self.since + self.timeout).await;
            Due::GiveUp(format!("no answer from Redis within {} ms", self.timeout.as_millis()))
        } else {
            tokio::time::sleep_until(self.since + self.timeout / 2).await;
            self.since = Instant::now();
            Due::Heartbeat
        }
    }
}
