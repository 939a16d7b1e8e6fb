//! The table of options: name, range, default and meaning of each.

use std::sync::Arc;
use std::time::Duration;

use crate::options::cluster::{CLUSTER_OPTIONS, ClusterOptions};
use crate::options::given::Given;
use crate::options::parse::{cluster, cookie, cors, hooks, initial_packet, path, recovery, tls, transports};
use crate::options::rows::{OptionSpec, kind, options, read, rows};
use crate::options::{Compression, Cookie, Cors, Hooks, Parser, RecoveryRules, Tls, Transports};
use crate::types::error::Result;

const DAY: u64 = 86_400_000;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

options! {
    /// All options of a server. Names, ranges and defaults: [`OPTIONS`].
    #[derive(Debug, Clone)]
    #[non_exhaustive]
    struct Options,
    /// Every option of the core, in the order of the documentation.
    table OPTIONS {
        path: String = "path", Text("/socket.io") by path, [SocketIo, Engine],
            "HTTP path of the engine";
        add_trailing_slash: bool = "addTrailingSlash", Bool(true), [SocketIo, Engine],
            "expect `path/`, as clients send it";
        transports: Transports = "transports", Words(&["polling", "websocket"]) by transports, [SocketIo, Engine],
            "allowed transports", { default: "both" };
        allow_upgrades: bool = "allowUpgrades", Bool(true), [SocketIo, Engine],
            "polling sessions may upgrade to WebSocket";
        allow_eio3: bool = "allowEIO3", Bool(false), [SocketIo, Engine],
            "accept Engine.IO 3 clients (socket.io-client 2)";
        ping_interval: Duration = "pingInterval", Millis(1, DAY, 25_000), [SocketIo, Engine],
            "time between heartbeats";
        ping_timeout: Duration = "pingTimeout", Millis(1, DAY, 20_000), [SocketIo, Engine],
            "how long a client may take to answer a heartbeat";
        upgrade_timeout: Duration = "upgradeTimeout", Millis(1, DAY, 10_000), [SocketIo, Engine],
            "how long a transport upgrade may take";
        connect_timeout: Duration = "connectTimeout", Millis(1, DAY, 45_000), [SocketIo, Absent],
            "a client that joins no namespace in this time is closed";
        max_http_buffer_size: usize = "maxHttpBufferSize", Bytes(1, GIB, 1_000_000), [SocketIo, Engine],
            "largest message or POST body from a client";
        per_message_deflate: Option<Compression> = "perMessageDeflate", Compression(false, 1024), [SocketIo, Engine],
            "WebSocket compression (RFC 7692, no context takeover)",
            { node: "Of the options of `ws` only `threshold` has an effect." };
        http_compression: Option<Compression> = "httpCompression", Compression(true, 1024), [SocketIo, Engine],
            "gzip or deflate of polling responses", { node: "Of the options of zlib only `threshold` has an effect." };
        cookie: Option<Cookie> = "cookie", Shape(
            "`true`, `false`, `{ name, path, httpOnly, sameSite, secure, domain, maxAge, expires, partitioned, priority }`"
        ) by cookie, [SocketIo, Engine],
            "cookie that carries the session id", { typescript: "boolean | CookieOptions" };
        cors: Option<Arc<Cors>> = "cors", Shape(
            "`{ origin, methods, allowedHeaders, exposedHeaders, credentials, maxAge, preflightContinue, optionsSuccessStatus }`"
        ) by cors, [SocketIo, Absent],
            "cross-origin rules", {
                typescript: "CorsOptions | CorsOptionsDelegate | boolean",
                node: "A function gives them for each request."
            };
        initial_packet: Option<Box<str>> = "initialPacket", Text("") by initial_packet, [SocketIo, Absent],
            "an Engine.IO message for each new connection, before anything else", { range: "text" };
        parser: Parser = "parser", Word("default" = Parser::Default, "msgpack" = Parser::Msgpack), [SocketIo, Absent],
            "packet parser, must equal the clients'", {
                typescript: "'default' | 'msgpack' | object",
                node: "By name, or as the module that clients use."
            };
        connection_state_recovery: Option<RecoveryRules> = "connectionStateRecovery", Shape(
            "`true`, `false`, `{ maxDisconnectionDuration, skipMiddlewares }` (120000, `true`)"
        ) by recovery, [SocketIo, Absent],
            "clients that come back in time get their id, rooms, data and what they missed",
            { typescript: "Partial<ConnectionStateRecoveryOptions>" };
        max_recovery_bytes: usize = "maxRecoveryBytes", Bytes(65_536, 4 * GIB, 16 * MIB),
            "bytes of messages and sessions kept for clients that may come back; beyond, the oldest go";
        shards: usize = "shards", Count(0, 64, 0), [Ours, Own],
            "threads that own connections; 0 means one per core";
        max_outbox_bytes: usize = "maxOutboxBytes", Bytes(1024, GIB, MIB), [Ours, Own],
            "bytes that may wait for a client that takes none of them; above, it has `outboxTimeout` to take some";
        outbox_timeout: Duration = "outboxTimeout", Millis(1, DAY, 10_000), [Ours, Own],
            "a client that takes nothing for this long, while more than `maxOutboxBytes` waits, is closed as a slow consumer";
        hard_outbox_bytes: usize = "hardOutboxBytes", Bytes(1024, 16 * GIB, 64 * MIB), [Ours, Own],
            "bytes that may wait for one client in any case; `maxOutboxBytes` if that is more";
        total_outbox_bytes: usize = "totalOutboxBytes", Bytes(0, 1 << 40, 0), [Ours, Own],
            "bytes that may wait for all clients together, a message for many once; beyond, those that take least are closed; 0 means a quarter of memory";
        flush_interval: Duration = "flushIntervalMs", Millis(0, 1000, 0), [Ours, Own],
            "collect packets for this long before writing; 0 writes at the end of the turn";
        max_pending_events: usize = "maxPendingEvents", Count(1, 1_000_000, 256), [Ours, Own],
            "events of one connection that may wait for the host before it is not read from";
        host_queue_bytes: usize = "hostQueueBytes", Bytes(65_536, 4 * GIB, 16 * MIB), [Ours, Own],
            "bytes of events that may wait for the host before reading stops";
        command_queue_bytes: usize = "commandQueueBytes", Bytes(65_536, 16 * GIB, 256 * MIB), [Ours, Own],
            "bytes of outgoing messages that may wait for a shard, each with a flat share; above, sends are refused";
        max_answer_bytes: usize = "maxAnswerBytes", Bytes(65_536, 256 * MIB, 64 * MIB),
            "bytes of answers to broadcasts with acks, and of other nodes, that may be collected at a time; others count as missing";
        max_namespaces: usize = "maxNamespaces", Count(1, 1_000_000, 64),
            "namespaces that one client may join or wait for";
        headers_timeout: Duration = "headersTimeoutMs", Millis(10, DAY, 10_000),
            "how long a request head may take";
        request_timeout: Duration = "requestTimeoutMs", Millis(10, DAY, 300_000),
            "how long a request body may take";
        keep_alive_timeout: Duration = "keepAliveTimeoutMs", Millis(10, DAY, 60_000),
            "how long an HTTP connection stays open that is idle, or whose client takes nothing of an answer";
        max_header_bytes: usize = "maxHeaderBytes", Bytes(8192, MIB, 16_384),
            "largest request head";
        backlog: u32 = "backlog", Count(1, 65_535, 1024),
            "connections that may wait in the kernel to be accepted";
        tls: Option<Tls> = "tls", Shape("`{ cert, key }` in PEM") by tls,
            "serve TLS on the own listeners", { typescript: "{ cert: string | Buffer; key: string | Buffer }", node: "Both are PEM." };
        cluster: Option<ClusterOptions> = "cluster", Shape("[many nodes](scale.md#many-nodes)") by cluster,
            "the other nodes of the fleet, and where Redis is",
            {
                members: CLUSTER_OPTIONS, page: "docs/scale.md", typescript: "ClusterOptions",
                node: "Without it this server's rooms are its own."
            };
        hooks: Hooks = "hooks", Shape("an object of booleans, see [hooks](#hooks)") by hooks,
            "questions the host wants to answer", {
                default: "all `false`", hosts: "Rust, C",
                more: "; C sets those that are marked there, on polling"
            };
    }
    fieldless {
        "strictOptions", Bool(false), "names that no option has are refused; otherwise they are a warning",
            { default: "`false`; C: `true`" };
    }
    beside {
        /// Unknown names in the given options, each with the name that may have been meant.
        unknown: Vec<String> = Vec::new();
        /// Messages are passed to the host undecoded: connections without Socket.IO, for a host that implements it. Not
        /// in the table, because it depends on the host's code and is not configurable.
        raw: bool = false;
    }
}

impl Options {
    /// The options of an object.
    pub(super) fn of(given: &Given<'_>) -> Result<Self> {
        let mut options = Self::read(given)?;
        options.hard_outbox_bytes = options.hard_outbox_bytes.max(options.max_outbox_bytes);
        Ok(options)
    }
}

/// Options that only the npm package reads; the core never sees them.
pub const JAVASCRIPT_OPTIONS: &[OptionSpec] = rows! {
    "host", Shape("text"),
        "address to listen on when the server is made from a port", { default: "all addresses", typescript: "string" };
    "allowRequest", Shape("a function"), [SocketIo, Absent],
        "`(req, callback)` decides about each handshake: `callback(null, true)` allows, `callback(message)` refuses",
        { typescript: "(req: IncomingMessage, callback: (err: string | null | undefined, success: boolean) => void) => void" };
    "serveClient", Bool(true), [SocketIo, Absent],
        "serve the bundles of socket.io-client: `/socket.io/socket.io.js` and seven more";
    "cleanupEmptyChildNamespaces", Bool(false), [SocketIo, Absent],
        "remove a child namespace when its last socket leaves";
    "destroyUpgrade", Bool(true), [SocketIo, Absent],
        "end upgrades on the HTTP server that nobody took";
    "destroyUpgradeTimeout", Shape("a number"), [SocketIo, Absent],
        "how long to wait for somebody to take them", { default: "1000", typescript: "number" };
    "adapter", Shape("a class or function"), [SocketIo, Absent],
        "an in-memory adapter, or one over Redis, which becomes `cluster`; others are refused",
        { default: "in-memory", typescript: "AdapterConstructor" };
    "wsEngine", Shape("anything"), [SocketIo, Absent],
        "without effect: the core implements WebSocket", { typescript: "unknown" };
};
