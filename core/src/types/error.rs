//! The one error table of the core. Numbers and names are stable: a number is never reused.

use std::fmt;

/// The one table of errors: number, public name, and when it comes. The C header, TypeScript and `docs/errors.md` follow it.
macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $code:ident = $number:literal, $name:literal;)+) => {
        /// Stable identity of an [`Error`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $code = $number,)+
        }

        impl ErrorCode {
            /// Every code with its public name, for the generators.
            pub const ALL: &'static [(ErrorCode, &'static str)] = &[$((ErrorCode::$code, $name)),+];

            /// Public name, `OPTION` for example. Hosts prefix it: `ERR_KRAKEN_WS_OPTION`.
            pub fn name(self) -> &'static str {
                match self { $(ErrorCode::$code => $name,)+ }
            }

            /// When it comes.
            pub fn about(self) -> &'static str {
                match self { $(ErrorCode::$code => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

errors! {
    /// An option has an unknown name or a value outside its range.
    Option = 1, "OPTION";
    /// A listener could not be bound (in Node an `error` event of `io.httpServer`; a taken address has the code
    /// `EADDRINUSE`).
    Listen = 2, "LISTEN";
    /// Certificate or key can't be read or don't fit each other.
    Tls = 3, "TLS";
    /// The server is closed.
    Closed = 4, "CLOSED";
    /// A payload can't be sent: it is not the JSON text that the call needs, or its attachments don't match.
    Payload = 5, "PAYLOAD";
    /// A handed-over descriptor is no connected stream socket, or its request head is not HTTP.
    Adopt = 6, "ADOPT";
    /// The command queue is full (`commandQueueBytes`); nothing was sent.
    QueueFull = 7, "QUEUE_FULL";
    /// The operating system refused a thread or another resource.
    System = 8, "SYSTEM";
    /// A namespace or event name is not allowed.
    Name = 9, "NAME";
    /// An argument of a call has the wrong type; in C also a null pointer, an impossible length, text that is no
    /// UTF-8.
    Argument = 10, "ARGUMENT";
    /// This kind of server cannot do that, the message says what can; in C also flags, callbacks or a table of a
    /// newer header.
    Unsupported = 11, "UNSUPPORTED";
    /// Node: the binary for this platform is missing or does not load.
    Load = 12, "LOAD";
    /// C: a bug in the library was caught; the call had no effect that can be relied on.
    Internal = 13, "INTERNAL";
    /// It was not done within the time given; in C `kraken_ws_server_close` was not over in time.
    Timeout = 14, "TIMEOUT";
    /// What the call is about is gone: in C a freed server, a socket that has left.
    Gone = 15, "GONE";
    /// The call does not fit the state: answered already, no server set, callbacks and polling mixed.
    State = 16, "STATE";
    /// The process was forked after the server was made; a child can't use it.
    Forked = 17, "FORKED";
    /// A module could not be loaded or broke a rule; the message names it.
    Module = 18, "MODULE";
    /// It is in use at this moment, in C by a call of the module that is under way; try again.
    Busy = 19, "BUSY";
    /// Redis can't be reached or refuses (`waitForRedis`, `serverCount()`); the message has its words.
    Redis = 20, "REDIS";
    /// The library was built without what the call or option needs; the message names the cargo feature.
    Feature = 21, "FEATURE";
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
