//! Delays between attempts to connect.

use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// A connection that lasted this long, or that served, resets the back-off. One that ends sooner does not, so a
/// server that accepts and closes at once is not flooded with attempts.
const STOOD: Duration = Duration::from_secs(1);

/// Exponential back-off with jitter: each delay is a random part, at least half, of 100 ms, 200 ms, … 5 s.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// Resets the back-off after a connection if it lasted for [`STOOD`] since `since`, or if it was up (`served`).
    /// Without `served`, a Redis that restarts often would be missed by some nodes much longer than by others.
    pub(super) fn stood(&mut self, since: Instant, served: bool) {
        if served || since.elapsed() >= STOOD {
            self.attempts = 0;
        }
    }

    pub(super) async fn wait(&mut self) {
        tokio::time::sleep(self.delay()).await;
    }

    fn delay(&mut self) -> Duration {
        let full = FIRST.saturating_mul(1 << self.attempts.min(10)).min(LONGEST);
        self.attempts += 1;
        full / 2 + (full / 2).mul_f64(fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_five_seconds_and_start_again_after_a_good_connection() {
        let mut backoff = Backoff::default();
        for full in [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000] {
            let delay = backoff.delay();
            assert!(
                delay >= Duration::from_millis(full / 2) && delay <= Duration::from_millis(full),
                "{delay:?} of {full}"
            );
        }
        backoff.stood(Instant::now(), false);
        assert!(backoff.delay() >= LONGEST / 2);
        if let Some(earlier) = Instant::now().checked_sub(STOOD) {
            backoff.stood(earlier, false);
            assert!(backoff.delay() <= FIRST);
        }
        assert!(backoff.delay() > FIRST / 2);
        backoff.stood(Instant::now(), true);
        assert!(backoff.delay() <= FIRST);
    }
}
