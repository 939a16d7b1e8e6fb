//! Latency histogram: log-linear, 64 steps per power of two, so a value is off by at most 1.6 %.

const STEPS: u64 = 64;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// Counts of nanosecond values.
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Histogram {
    pub fn new() -> Self {
        Self { counts: vec![0; index(u64::MAX) + 1], total: 0, max: 0 }
    }

    pub fn record(&mut self, value_ns: u64) {
        self.counts[index(value_ns)] += 1;
        self.total += 1;
        self.max = self.max.max(value_ns);
    }

    pub fn max(&self) -> u64 {
        self.max
    }

    /// The value that `fraction` (0 to 1) of the records do not exceed; 0 when there are none.
    pub fn quantile(&self, fraction: f64) -> u64 {
        let wanted = ((self.total as f64 * fraction).ceil() as u64).max(1);
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper_bound(at).min(self.max);
            }
        }
        self.max
    }
}

fn index(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let power = 63 - value.leading_zeros() - STEP_BITS;
    let step = (value >> power) - STEPS;
    ((u64::from(power) + 1) * STEPS + step) as usize
}

fn upper_bound(at: usize) -> u64 {
    let at = at as u64;
    if at < STEPS {
        return at;
    }
    let power = at / STEPS - 1;
    let low = (STEPS + at % STEPS) << power;
    low + ((1 << power) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_own_bucket_within_two_percent() {
        for shift in 0..63 {
            for value in [1u64 << shift, (1 << shift) + 1, (1 << shift) * 3 / 2] {
                let top = upper_bound(index(value));
                assert!(top >= value, "{value} above its bucket {top}");
                assert!((top - value) as f64 <= value as f64 * 0.016, "{value} in {top}");
                assert!(index(top) == index(value) && index(top + 1) == index(value) + 1);
            }
        }
    }

    #[test]
    fn quantiles_of_a_uniform_run() {
        let mut histogram = Histogram::new();
        for value in 1..=10_000 {
            histogram.record(value * 1000);
        }
        let p50 = histogram.quantile(0.5) as f64;
        let p99 = histogram.quantile(0.99) as f64;
        assert!((p50 / 5_000_000.0 - 1.0).abs() < 0.02, "{p50}");
        assert!((p99 / 9_900_000.0 - 1.0).abs() < 0.02, "{p99}");
        assert_eq!(histogram.max(), 10_000_000);
        assert_eq!(histogram.quantile(1.0), 10_000_000);
    }

    #[test]
    fn an_empty_histogram_answers_zero() {
        assert_eq!(Histogram::new().quantile(0.5), 0);
    }
}
