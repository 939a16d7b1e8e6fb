//! When a heartbeat is sent, and when a connection is given up.

use std::time::Duration;

use tokio::time::Instant;

/// The timers of a connection. While a reply is expected, something must arrive within the timeout; otherwise a
/// heartbeat is sent after half of it. So a cut or stalled network is detected within one and a half timeouts.
pub(crate) struct Pulse {
    timeout: Duration,
    /// The last read, or the time since when a reply is expected.
    since: Instant,
    owed: bool,
}

/// The action that is due.
pub(crate) enum Due {
    Heartbeat,
    GiveUp(String),
}

impl Pulse {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, since: Instant::now(), owed: false }
    }

    /// Notes that bytes were read.
    pub(super) fn heard(&mut self) {
        self.since = Instant::now();
    }

    /// Waits until an action is due. `owed`: whether a reply is expected.
    pub(super) async fn due(&mut self, owed: bool) -> Due {
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
