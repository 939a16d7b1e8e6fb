//! Why a connection or a socket ended, and why a request was refused.

/// What of a client's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ends {
    /// One socket; the connection and the client's other sockets stay.
    Socket,
    /// The connection, with all sockets of the client.
    Connection,
}

/// Whether a client may come back to its socket (`connectionStateRecovery`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// It may.
    Possible,
    /// The socket is gone for good.
    Never,
}

/// Whether a client on long-polling is told: its session waits for its next poll then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Polling {
    /// The close packet answers its next poll.
    Told,
    /// The session is gone at once.
    Dropped,
}

/// Whose word the reason is. A connection that Socket.IO closes has the reason `forced close` in Engine.IO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layer {
    /// Engine.IO.
    Engine,
    /// Socket.IO.
    SocketIo,
}

/// The one table of reasons. TypeScript and C follow it: `make generated`, `make header`.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $text:literal: $ends:ident, $recovery:ident, $polling:ident, $layer:ident;)+) => {
        /// Disconnect reasons, in socket.io's words, and ours for what socket.io does not do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Reason {
            /// Every reason, in the order of the table.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),+];

            /// The text that `disconnect` handlers get.
            pub fn as_str(self) -> &'static str {
                match self { $(Reason::$name => $text,)+ }
            }

            /// What it says.
            pub fn about(self) -> &'static str {
                match self { $(Reason::$name => concat!($($doc),+).trim_ascii(),)+ }
            }

            /// What ends.
            pub fn ends(self) -> Ends {
                match self { $(Reason::$name => Ends::$ends,)+ }
            }

            /// Whether the client may come back to its socket.
            pub fn recovery(self) -> Recovery {
                match self { $(Reason::$name => Recovery::$recovery,)+ }
            }

            /// Whether a client on long-polling is told.
            pub fn polling(self) -> Polling {
                match self { $(Reason::$name => Polling::$polling,)+ }
            }

            /// Whose word it is.
            pub fn layer(self) -> Layer {
                match self { $(Reason::$name => Layer::$layer,)+ }
            }
        }
    };
}

reasons! {
    /// The transport ended (peer closed, network gone).
    TransportClose = 0, "transport close": Connection, Possible, Dropped, Engine;
    /// The transport broke a rule of its protocol or failed.
    TransportError = 1, "transport error": Connection, Possible, Dropped, Engine;
    /// No answer to a heartbeat within `pingTimeout`.
    PingTimeout = 2, "ping timeout": Connection, Possible, Dropped, Engine;
    /// A packet could not be parsed.
    ParseError = 3, "parse error": Connection, Never, Dropped, Engine;
    /// The server closed the connection: a packet that can't be read or has no place, or the host's word.
    ForcedClose = 4, "forced close": Connection, Possible, Told, Engine;
    /// The server closed the whole client: no CONNECT in time, or `disconnect` with `close`.
    ForcedServerClose = 5, "forced server close": Connection, Possible, Told, SocketIo;
    /// The client left the namespace.
    ClientNamespaceDisconnect = 6, "client namespace disconnect": Socket, Never, Dropped, SocketIo;
    /// The host disconnected the socket.
    ServerNamespaceDisconnect = 7, "server namespace disconnect": Socket, Never, Dropped, SocketIo;
    /// The server shuts down.
    ServerShuttingDown = 8, "server shutting down": Connection, Possible, Told, SocketIo;
    /// The client took too little of what waited for it: `outboxTimeout`, `hardOutboxBytes` or `totalOutboxBytes`.
    SlowConsumer = 9, "slow consumer": Connection, Never, Dropped, Engine;
}

/// Why the engine refused a request: engine.io's numeric codes, complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// `transport` is missing, unknown or not allowed.
    UnknownTransport = 0,
    /// `sid` names no session.
    UnknownSid = 1,
    /// A handshake must be a GET.
    BadHandshakeMethod = 2,
    /// The request breaks a rule (wrong transport for the session, bad Origin, not an upgrade …).
    BadRequest = 3,
    /// `allowRequest` said no.
    Forbidden = 4,
    /// `EIO` is not a protocol version that is enabled.
    UnsupportedProtocol = 5,
}

impl Refusal {
    /// Every refusal, for the generators.
    pub const ALL: &'static [Refusal] = &[
        Refusal::UnknownTransport,
        Refusal::UnknownSid,
        Refusal::BadHandshakeMethod,
        Refusal::BadRequest,
        Refusal::Forbidden,
        Refusal::UnsupportedProtocol,
    ];

    /// engine.io's name for the code.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::UnknownTransport => "UNKNOWN_TRANSPORT",
            Refusal::UnknownSid => "UNKNOWN_SID",
            Refusal::BadHandshakeMethod => "BAD_HANDSHAKE_METHOD",
            Refusal::BadRequest => "BAD_REQUEST",
            Refusal::Forbidden => "FORBIDDEN",
            Refusal::UnsupportedProtocol => "UNSUPPORTED_PROTOCOL_VERSION",
        }
    }

    /// engine.io's message for the code.
    pub fn message(self) -> &'static str {
        match self {
            Refusal::UnknownTransport => "Transport unknown",
            Refusal::UnknownSid => "Session ID unknown",
            Refusal::BadHandshakeMethod => "Bad handshake method",
            Refusal::BadRequest => "Bad request",
            Refusal::Forbidden => "Forbidden",
            Refusal::UnsupportedProtocol => "Unsupported protocol version",
        }
    }

    /// 403 for [`Refusal::Forbidden`], else 400.
    pub fn http_status(self) -> u16 {
        if self == Refusal::Forbidden { 403 } else { 400 }
    }
}
