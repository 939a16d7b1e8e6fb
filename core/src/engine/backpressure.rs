//! Data for detecting a client that does not read what is sent to it.

/// A client with queued bytes. Times are in ticks of the timer wheel.
#[derive(Default)]
pub(crate) struct Behind {
    pub since: u64,
    /// Bytes that the client has taken since then.
    pub taken: usize,
    /// Time of the next check, or 0 if none is scheduled.
    pub armed: u64,
    /// The value of `taken` when that check was scheduled.
    pub mark: usize,
}
