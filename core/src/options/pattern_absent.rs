//! Regular expressions in a build without the feature `regex`: every use is an error.

use crate::types::error::{Result, needs};

/// A regular expression. None can be created without the feature `regex`.
#[derive(Debug, Clone)]
pub enum Pattern {}

impl Pattern {
    /// Always fails.
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
