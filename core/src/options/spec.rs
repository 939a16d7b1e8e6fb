//! The table of options: the only place where a name, a range or a default is written down.

/// What an option accepts. Complete: whoever reads the table has to know them all.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false`.
    Bool(bool),
    /// Milliseconds: least, most, default.
    Millis(u64, u64, u64),
    /// Bytes: least, most, default.
    Bytes(u64, u64, u64),
    /// A plain count: least, most, default.
    Count(u64, u64, u64),
    /// Text with a default.
    Text(&'static str),
    /// One of these words, the first is the default.
    Word(&'static [&'static str]),
    /// A list of these words; all of them are the default.
    Words(&'static [&'static str]),
    /// `true`, `false` or an object with a `threshold` in bytes; default on/off and threshold.
    Compression(bool, u64),
    /// A structure with a parser of its own; the text says what it accepts.
    Shape(&'static str),
}

/// One option.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct OptionSpec {
    /// Public name.
    pub name: &'static str,
    /// Accepted values and default.
    pub kind: Kind,
    /// What it is for.
    pub doc: &'static str,
}

const DAY: u64 = 86_400_000;
const GIB: u64 = 1 << 30;

const fn o(name: &'static str, kind: Kind, doc: &'static str) -> OptionSpec {
    OptionSpec { name, kind, doc }
}

/// Every option of the core, in the order of the documentation.
pub const OPTIONS: &[OptionSpec] = &[
    o("path", Kind::Text("/socket.io"), "HTTP path of the engine"),
    o("addTrailingSlash", Kind::Bool(true), "expect `path/`, as clients send it"),
    o("transports", Kind::Words(&["polling", "websocket"]), "allowed transports"),
    o("allowUpgrades", Kind::Bool(true), "polling sessions may upgrade to WebSocket"),
    o("allowEIO3", Kind::Bool(false), "accept Engine.IO 3 clients (socket.io-client 2)"),
    o("pingInterval", Kind::Millis(1, DAY, 25_000), "time between heartbeats"),
    o("pingTimeout", Kind::Millis(1, DAY, 20_000), "how long a client may take to answer a heartbeat"),
    o("upgradeTimeout", Kind::Millis(1, DAY, 10_000), "how long a transport upgrade may take"),
    o(
        "connectTimeout",
        Kind::Millis(1, DAY, 45_000),
        "a client that joins no namespace in this time is closed",
    ),
    o("maxHttpBufferSize", Kind::Bytes(1, GIB, 1_000_000), "largest message or POST body from a client"),
    o(
        "perMessageDeflate",
        Kind::Compression(false, 1024),
        "WebSocket compression (RFC 7692, no context takeover)",
    ),
    o("httpCompression", Kind::Compression(true, 1024), "gzip or deflate of polling responses"),
    o(
        "cookie",
        Kind::Shape(
            "false, true or { name, path, httpOnly, sameSite, secure, domain, maxAge, expires, partitioned, priority }",
        ),
        "cookie that carries the session id",
    ),
    o(
        "cors",
        Kind::Shape(
            "{ origin, methods, allowedHeaders, exposedHeaders, credentials, maxAge, preflightContinue, optionsSuccessStatus }",
        ),
        "cross-origin rules",
    ),
    o("initialPacket", Kind::Text(""), "an Engine.IO message for each new connection, before anything else"),
    o("parser", Kind::Word(&["default", "msgpack"]), "packet parser, must equal the clients'"),
    o(
        "connectionStateRecovery",
        Kind::Shape("true, false or { maxDisconnectionDuration, skipMiddlewares }"),
        "clients that come back in time get their id, rooms, data and what they missed",
    ),
    o(
        "maxRecoveryBytes",
        Kind::Bytes(65_536, 4 * GIB, 16 << 20),
        "bytes of messages and sessions kept for clients that may come back; beyond, the oldest go",
    ),
    o("shards", Kind::Count(0, 64, 0), "threads that own connections; 0 means one per core"),
    o(
        "maxOutboxBytes",
        Kind::Bytes(1024, GIB, 1 << 20),
        "bytes that may wait for a client that takes none of them; above, it has `outboxTimeout` to take some",
    ),
    o(
        "outboxTimeout",
        Kind::Millis(1, DAY, 10_000),
        "a client that takes nothing for this long, while more than `maxOutboxBytes` waits, is closed as a slow consumer",
    ),
    o(
        "hardOutboxBytes",
        Kind::Bytes(1024, 16 * GIB, 64 << 20),
        "bytes that may wait for one client in any case; `maxOutboxBytes` if that is more",
    ),
    o(
        "totalOutboxBytes",
        Kind::Bytes(0, 1 << 40, 0),
        "bytes that may wait for all clients together, a message for many once; beyond, those that take least are closed; 0 means a quarter of memory",
    ),
    o(
        "flushIntervalMs",
        Kind::Millis(0, 1000, 0),
        "collect packets for this long before writing; 0 writes at the end of the turn",
    ),
    o(
        "maxPendingEvents",
        Kind::Count(1, 1_000_000, 256),
        "events of one connection that may wait for the host before it is not read from",
    ),
    o(
        "hostQueueBytes",
        Kind::Bytes(65_536, 4 * GIB, 16 << 20),
        "bytes of events that may wait for the host before reading stops",
    ),
    o(
        "commandQueueBytes",
        Kind::Bytes(65_536, 16 * GIB, 256 << 20),
        "bytes of outgoing messages that may wait for a shard, each with a flat share; above, sends are refused",
    ),
    o(
        "maxAnswerBytes",
        Kind::Bytes(65_536, 256 << 20, 64 << 20),
        "bytes of answers to broadcasts with acks, and of other nodes, that may be collected at a time; others count as missing",
    ),
    o("maxNamespaces", Kind::Count(1, 1_000_000, 64), "namespaces that one client may join or wait for"),
    o("headersTimeoutMs", Kind::Millis(10, DAY, 10_000), "how long a request head may take"),
    o("requestTimeoutMs", Kind::Millis(10, DAY, 300_000), "how long a request body may take"),
    o(
        "keepAliveTimeoutMs",
        Kind::Millis(10, DAY, 60_000),
        "how long an HTTP connection stays open that is idle, or whose client takes nothing of an answer",
    ),
    o("maxHeaderBytes", Kind::Bytes(8192, 1 << 20, 16_384), "largest request head"),
    o("backlog", Kind::Count(1, 65_535, 1024), "connections that may wait in the kernel to be accepted"),
    o("tls", Kind::Shape("{ cert, key } in PEM"), "serve TLS on listeners"),
    o(
        "cluster",
        Kind::Shape(
            "{ redis, mode, prefix, subscriptionMode, requestsTimeout, publishOnSpecificResponseChannel, username, password, tls, protocol, waitForRedis, redisTimeout, queueBytes, overflow, secret }",
        ),
        "one room space with other nodes, over Redis",
    ),
    o(
        "strictOptions",
        Kind::Bool(false),
        "names that no option has are refused; otherwise they are a warning",
    ),
    o(
        "hooks",
        Kind::Shape("an object of booleans by the names of Hooks"),
        "questions the host wants to answer",
    ),
];
