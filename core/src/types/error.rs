//! The one error table of the core. Numbers and names are stable: a number is never reused, and the C
//! header and the TypeScript types are generated from [`ErrorCode::ALL`].

use std::fmt;

/// Stable identity of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
#[non_exhaustive]
pub enum ErrorCode {
    /// An option has an unknown name or a value outside its range.
    Option = 1,
    /// A listener could not be bound.
    Listen = 2,
    /// Certificate or key could not be read or do not fit each other.
    Tls = 3,
    /// The server is closed.
    Closed = 4,
    /// A payload is not the JSON text the call needs, or its attachments don't match.
    Payload = 5,
    /// A handed-over descriptor is not a connected stream socket, or its request head is not HTTP.
    Adopt = 6,
    /// The command queue is full (`commandQueueBytes`); nothing was sent.
    QueueFull = 7,
    /// The operating system refused a thread or another resource.
    System = 8,
    /// A namespace or event name is not allowed.
    Name = 9,
    /// An argument of a call has the wrong type.
    Argument = 10,
    /// This kind of server cannot do that; the message says what can.
    Unsupported = 11,
    /// A host's binding found no native library that it can load.
    Load = 12,
    /// A bug in the library was caught; the call had no effect that can be relied on.
    Internal = 13,
    /// It was not done within the time given.
    Timeout = 14,
    /// What the call is about is gone: a freed server, a socket that has left.
    Gone = 15,
    /// The call does not fit the state: answered already, no server set, callbacks and polling mixed.
    State = 16,
    /// The process was forked after the server was made; a child can't use it.
    Forked = 17,
    /// A module could not be loaded or broke a rule; the message names it.
    Module = 18,
    /// It is in use at this moment; try again.
    Busy = 19,
    /// Redis can't be reached, or refuses; the message says which and why.
    Redis = 20,
    /// The library was built without what the call or option needs; the message names the cargo feature.
    Feature = 21,
}

impl ErrorCode {
    /// Every code with its public name, for the generators.
    pub const ALL: &'static [(ErrorCode, &'static str)] = &[
        (ErrorCode::Option, "OPTION"),
        (ErrorCode::Listen, "LISTEN"),
        (ErrorCode::Tls, "TLS"),
        (ErrorCode::Closed, "CLOSED"),
        (ErrorCode::Payload, "PAYLOAD"),
        (ErrorCode::Adopt, "ADOPT"),
        (ErrorCode::QueueFull, "QUEUE_FULL"),
        (ErrorCode::System, "SYSTEM"),
        (ErrorCode::Name, "NAME"),
        (ErrorCode::Argument, "ARGUMENT"),
        (ErrorCode::Unsupported, "UNSUPPORTED"),
        (ErrorCode::Load, "LOAD"),
        (ErrorCode::Internal, "INTERNAL"),
        (ErrorCode::Timeout, "TIMEOUT"),
        (ErrorCode::Gone, "GONE"),
        (ErrorCode::State, "STATE"),
        (ErrorCode::Forked, "FORKED"),
        (ErrorCode::Module, "MODULE"),
        (ErrorCode::Busy, "BUSY"),
        (ErrorCode::Redis, "REDIS"),
        (ErrorCode::Feature, "FEATURE"),
    ];

    /// Public name, `OPTION` for example. Hosts prefix it: `ERR_KRAKEN_WS_OPTION`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(code, _)| *code == self).map_or("UNKNOWN", |(_, name)| name)
    }
}

/// What a call of the core can fail with: a stable code and a message that says what to do.
#[derive(Debug, Clone)]
pub struct Error {
    code: ErrorCode,
    message: String,
}

/// Shorthand used by the whole crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error; `message` names the culprit and the accepted values.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The message without the code.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorCode::Closed, "the server is closed")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// An option asks for a part that this build was made without.
pub(crate) fn needs(option: &str, feature: &str) -> Error {
    Error::new(
        ErrorCode::Feature,
        format!(
            "{option}: expected a build of kraken-ws-core with the feature \"{feature}\", this one is without it"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_named() {
        let mut seen = std::collections::HashSet::new();
        for (code, name) in ErrorCode::ALL {
            assert!(seen.insert(*code as u16));
            assert_eq!(code.name(), *name);
        }
    }
}
