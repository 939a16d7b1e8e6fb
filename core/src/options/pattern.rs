//! Origins given as regular expressions.

use regex::Regex;

use crate::types::error::{Error, ErrorCode, Result};

/// A regular expression with linear-time matching, because an Origin header is untrusted input.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles an expression; of the flags, `i`, `m` and `s` have an effect. `path` is the option that an error
    /// names.
    ///
    /// # Errors
    /// [`ErrorCode::Option`] if it is invalid, or uses look-around or back-references.
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
