//! What a call of the bus can fail with.

use std::fmt;

/// The kind of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A setting has a value outside its range; the message begins with its name.
    Setting,
    /// Certificate or key could not be read; the message begins with the setting's name.
    Tls,
    /// The settings need TLS, and this build is without the feature `tls`.
    NoTls,
    /// Redis can't be reached, or refuses.
    Redis,
    /// It was not done within the time given.
    Timeout,
}

/// An error of the bus: its kind, and a message that says what to do.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// Shorthand of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Its message.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
