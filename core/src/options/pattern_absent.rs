//! Regular expressions of a build without the feature `regex`: they are refused.

use crate::types::error::{Result, needs};

/// A regular expression; there is none without the feature `regex`.
#[derive(Debug, Clone)]
pub enum Pattern {}

impl Pattern {
    /// Is refused.
    ///
    /// # Errors
    /// [`ErrorCode::Feature`](crate::ErrorCode::Feature)
    pub fn new(path: &str, _source: &str, _flags: &str) -> Result<Self> {
        Err(needs(path, "regex"))
    }

    pub(crate) fn matches(&self, _origin: &str) -> bool {
        match *self {}
    }
}
