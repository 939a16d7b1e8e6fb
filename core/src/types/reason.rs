//! Why a connection or a socket ended, and why a request was refused.

/// Disconnect reasons, in socket.io's words, plus `slow consumer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Reason {
    /// The transport ended (peer closed, network gone).
    TransportClose = 0,
    /// The transport broke a rule of its protocol or failed.
    TransportError = 1,
    /// No answer to a heartbeat within `pingTimeout`.
    PingTimeout = 2,
    /// A packet could not be parsed.
    ParseError = 3,
    /// The server closed the connection: a packet that can't be read or has no place, or the host's word.
    ForcedClose = 4,
    /// The server closed the whole client: no CONNECT in time, or `disconnect` with `close`.
    ForcedServerClose = 5,
    /// The client left the namespace.
    ClientNamespaceDisconnect = 6,
    /// The host disconnected the socket.
    ServerNamespaceDisconnect = 7,
    /// The server shuts down.
    ServerShuttingDown = 8,
    /// The client took too little of what waited for it: `outboxTimeout`, `hardOutboxBytes` or `totalOutboxBytes`.
    SlowConsumer = 9,
}

impl Reason {
    /// Every reason, for the generators.
    pub const ALL: &'static [Reason] = &[
        Reason::TransportClose,
        Reason::TransportError,
        Reason::PingTimeout,
        Reason::ParseError,
        Reason::ForcedClose,
        Reason::ForcedServerClose,
        Reason::ClientNamespaceDisconnect,
        Reason::ServerNamespaceDisconnect,
        Reason::ServerShuttingDown,
        Reason::SlowConsumer,
    ];

    /// The text that `disconnect` handlers get.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::TransportClose => "transport close",
            Reason::TransportError => "transport error",
            Reason::PingTimeout => "ping timeout",
            Reason::ParseError => "parse error",
            Reason::ForcedClose => "forced close",
            Reason::ForcedServerClose => "forced server close",
            Reason::ClientNamespaceDisconnect => "client namespace disconnect",
            Reason::ServerNamespaceDisconnect => "server namespace disconnect",
            Reason::ServerShuttingDown => "server shutting down",
            Reason::SlowConsumer => "slow consumer",
        }
    }
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
