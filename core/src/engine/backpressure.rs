//! What is known of a client that does not take what is sent to it.

/// What is known of a client for which something waits. Times in wheel ticks.
#[derive(Default)]
pub(crate) struct Behind {
    pub since: u64,
    /// Bytes that it has taken since then.
    pub taken: usize,
    /// When it is looked at, or 0, and what it had taken when that was decided.
    pub armed: u64,
    pub mark: usize,
}
