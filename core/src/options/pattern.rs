//! Origins given as regular expressions.

use regex::Regex;

use crate::types::error::{Error, ErrorCode, Result};

/// A regular expression that takes linear time: an Origin header is hostile input.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Of the flags `i`, `m` and `s` count. `path` is the option that a refusal names.
    ///
    /// # Errors
    /// [`ErrorCode::Option`] if it is none, or has look-around or back-references.
    pub fn new(path: &str, source: &str, flags: &str) -> Result<Self> {
        let flags: String = flags.chars().filter(|flag| "ims".contains(*flag)).collect();
        let pattern = if flags.is_empty() { source.to_owned() } else { format!("(?{flags}){source}") };
        Regex::new(&pattern).map(Self).map_err(|e| {
            let expected = "a regular expression without look-around or back-references";
            Error::new(ErrorCode::Option, format!("{path}: expected {expected}, got /{source}/ ({e})"))
        })
    }

    pub(super) fn matches(&self, origin: &str) -> bool {
        self.0.is_match(origin)
    }
}
