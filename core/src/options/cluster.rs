//! The option `cluster`, and its settings.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::options::given::{Given, refuse};
use crate::options::rows::{kind, options, read, rows};
use crate::types::error::{Error, ErrorCode, Result};

const DAY: u64 = 86_400_000;
const MIB: u64 = 1 << 20;

/// The wire format, which also determines the kind of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// `createAdapter`: PUBLISH, PSUBSCRIBE.
    Classic,
    /// `createShardedAdapter`: SPUBLISH, SSUBSCRIBE; Redis 7 or later.
    Sharded,
}

/// The rooms with a channel of their own in sharded mode (`subscriptionMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subscriptions {
    /// None.
    Static,
    /// Public rooms: those whose name is not a socket id.
    Dynamic,
    /// All.
    DynamicPrivate,
}

/// Why a room exists. The values are bits, because a name can be a room of several kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RoomKind {
    /// A room that sockets joined.
    Joined = 1,
    /// The room of one socket, named by its id.
    Own = 2,
    /// A room of disconnected sockets that can be recovered.
    Away = 4,
}

/// The policy for a publish when `queueBytes` are queued for Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The oldest publish is dropped and counted as lost.
    DropOldest,
    /// The new publish is dropped and counted as lost.
    DropNewest,
}

/// The kind of Redis deployment and its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redis {
    /// One server: `redis://`, `rediss://` or `redis+unix://`.
    Url(String),
    /// The master found through sentinels.
    Sentinel {
        /// URLs of the sentinels.
        sentinels: Vec<String>,
        /// Name of the master.
        master: String,
    },
    /// Redis Cluster: URLs of some of its nodes.
    Cluster(Vec<String>),
}

/// TLS to Redis, in addition to `rediss://`. All values are PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisTls {
    /// Certificates to trust instead of the system's.
    pub ca: Option<Vec<u8>>,
    /// Client certificate.
    pub cert: Option<Vec<u8>>,
    /// Client key.
    pub key: Option<Vec<u8>>,
}

options! {
    /// The settings of a node of a fleet. Names, ranges and defaults: [`CLUSTER_OPTIONS`].
    #[derive(Clone, PartialEq, Eq)]
    #[non_exhaustive]
    struct ClusterOptions,
    /// The members of the option `cluster`, in the order of the documentation.
    table CLUSTER_OPTIONS {
        redis: Redis = "redis", Shape(
            "`redis://`, `rediss://` or `redis+unix://`, `{ sentinel: { sentinels, master } }` or `{ cluster: [urls] }`"
        ) by redis,
            "where Redis is", {
                required: true, typescript: "RedisPlace", part: "RedisOptions",
                node: "`redis://…`, `rediss://…`, `redis+unix://…`, `{ sentinel: { sentinels, master } }` or `{ cluster: [urls] }`."
            };
        mode: Mode = "mode", Word("classic" = Mode::Classic, "sharded" = Mode::Sharded),
            "`classic` for fleets of `createAdapter`, `sharded` for `createShardedAdapter` (Redis 7)",
            { part: "ClusterFormat" };
        prefix: String = "prefix", Text("socket.io"),
            "first part of channel names: `key` and `channelPrefix` of the adapters", { part: "ClusterFormat" };
        subscriptions: Subscriptions = "subscriptionMode", Word(
            "dynamic" = Subscriptions::Dynamic,
            "static" = Subscriptions::Static,
            "dynamic-private" = Subscriptions::DynamicPrivate
        ),
            "sharded: rooms with a channel of their own", { part: "ClusterFormat" };
        requests_timeout: Duration = "requestsTimeout", Millis(1, DAY, 5000),
            "how long answers of other nodes are waited for";
        specific_response_channel: bool = "publishOnSpecificResponseChannel", Bool(false),
            "classic: answer only to who asked";
        username: Option<String> = "username", Text(""),
            "user of Redis' ACL; over that of the URL", { part: "RedisOptions" };
        password: Option<String> = "password", Text("") by password,
            "password for Redis; over that of the URL", { part: "RedisOptions" };
        tls: Option<RedisTls> = "tls", Shape("`{ ca, cert, key }` in PEM") by tls,
            "certificates and key, beyond what `rediss://` says", { typescript: "RedisTls", part: "RedisOptions" };
        protocol: Option<u8> = "protocol", Shape("2, 3") by protocol,
            "version of Redis' protocol", { default: "what is needed", typescript: "2 | 3", part: "RedisOptions" };
        wait_for_redis: bool = "waitForRedis", Bool(false),
            "start only with Redis, else fail with `REDIS`; the calling thread (in Node its event loop) waits up to `redisTimeout`. Without it the server starts alone and joins when Redis comes",
            { node: "The error has the code `ERR_KRAKEN_WS_REDIS`." };
        redis_timeout: Duration = "redisTimeout", Millis(1, DAY, 5000),
            "how long an attempt to connect, and an answer of Redis, may take", { part: "RedisOptions" };
        queue_bytes: usize = "queueBytes", Bytes(65_536, 4 << 30, 16 * MIB),
            "bytes of messages and requests that may wait for Redis", { part: "RedisOptions" };
        overflow: Overflow = "overflow", Word("drop-oldest" = Overflow::DropOldest, "drop-newest" = Overflow::DropNewest),
            "what goes when more than `queueBytes` would wait; it counts as lost", { part: "RedisOptions" };
        secret: Option<Vec<u8>> = "secret", Text("") by secret,
            "native nodes only: messages carry an HMAC, and others are ignored", { part: "ClusterFormat" };
    }
    fieldless {}
    beside {}
}

/// Leaves out the secrets.
impl fmt::Debug for ClusterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterOptions")
            .field("mode", &self.mode)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl ClusterOptions {
    /// The defaults, with one Redis server: `redis://`, `rediss://` or `redis+unix://`.
    ///
    /// # Errors
    /// [`ErrorCode::Option`] for another kind of URL.
    pub fn new(url: &str) -> Result<Self> {
        Self::from_json(&serde_json::json!({ "redis": url }))
    }

    /// Reads the option `cluster`.
    ///
    /// # Errors
    /// [`ErrorCode::Option`] with the path of the invalid value and the accepted values.
    ///
    /// ```
    /// use kraken_ws_core::ClusterOptions;
    /// let given = serde_json::json!({ "redis": "redis://127.0.0.1", "mode": "fast" });
    /// assert_eq!(
    ///     ClusterOptions::from_json(&given).unwrap_err().message(),
    ///     r#"cluster.mode: expected "classic" or "sharded", got "fast""#
    /// );
    /// ```
    pub fn from_json(json: &Value) -> Result<Self> {
        let Value::Object(map) = json else {
            return Err(refuse("cluster", r#"an object such as { redis: "redis://127.0.0.1:6379" }"#, json));
        };
        let given = Given::new("cluster", CLUSTER_OPTIONS, Some(map));
        let options = Self::read(&given)?;
        given.only_known()?;
        Ok(options)
    }
}

const REDIS: &str = "a URL (redis://, rediss:// or redis+unix://), { sentinel: { sentinels, master } } or \
    { cluster: [URLs] }";

/// Text that the error must not repeat.
fn hidden(given: &Given<'_>, name: &str, fits: impl Fn(&str) -> bool) -> Result<Option<String>> {
    match given.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if fits(text) => Ok(Some(text.clone())),
        Some(_) => {
            let what = format!("cluster.{name}: expected text, got something else");
            Err(Error::new(ErrorCode::Option, what))
        }
    }
}

fn password(given: &Given<'_>) -> Result<Option<String>> {
    hidden(given, "password", |_| true)
}

fn secret(given: &Given<'_>) -> Result<Option<Vec<u8>>> {
    Ok(hidden(given, "secret", |text| !text.is_empty())?.map(String::into_bytes))
}

fn protocol(given: &Given<'_>) -> Result<Option<u8>> {
    match given.get("protocol") {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(version @ 2..=3) => Ok(Some(version as u8)),
            _ => Err(given.refuse("protocol", "2 or 3", value)),
        },
    }
}

/// A URL of Redis. The error does not show the value, because it may hold a password.
fn url(path: &str, value: &Value) -> Result<String> {
    const SCHEMES: [&str; 4] = ["redis://", "rediss://", "redis+unix://", "unix://"];
    match value.as_str() {
        Some(url) if SCHEMES.iter().any(|scheme| url.starts_with(scheme)) => Ok(url.to_owned()),
        Some(url) => {
            let scheme = url.split_once("://").map_or("text without a scheme", |(scheme, _)| scheme);
            let expected = "a URL that begins with redis://, rediss:// or redis+unix://";
            Err(Error::new(ErrorCode::Option, format!("{path}: expected {expected}, got {scheme}")))
        }
        None => Err(refuse(path, "a URL", value)),
    }
}

fn urls(path: &str, value: Option<&Value>) -> Result<Vec<String>> {
    let list = value.and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| refuse(path, "a list of URLs", value.unwrap_or(&Value::Null)))?;
    list.iter().enumerate().map(|(i, item)| url(&format!("{path}[{i}]"), item)).collect()
}

fn redis(given: &Given<'_>) -> Result<Redis> {
    let value = given.get("redis").unwrap_or(&Value::Null);
    let map = match value {
        Value::String(_) => return url("cluster.redis", value).map(Redis::Url),
        Value::Object(map) if map.len() == 1 => map,
        other => return Err(refuse("cluster.redis", REDIS, other)),
    };
    if let Some(nodes) = map.get("cluster") {
        return urls("cluster.redis.cluster", Some(nodes)).map(Redis::Cluster);
    }
    let Some(sentinel) = map.get("sentinel") else { return Err(refuse("cluster.redis", REDIS, value)) };
    let path = "cluster.redis.sentinel";
    let Value::Object(map) = sentinel else { return Err(refuse(path, "{ sentinels, master }", sentinel)) };
    let given = Given::new(path, &[], Some(map));
    let master = given.text("master")?.map(str::to_owned);
    Ok(Redis::Sentinel {
        sentinels: urls("cluster.redis.sentinel.sentinels", map.get("sentinels"))?,
        master: master.ok_or_else(|| given.refuse("master", "the master's name", &Value::Null))?,
    })
}

fn tls(given: &Given<'_>) -> Result<Option<RedisTls>> {
    let map = match given.get("tls") {
        None => return Ok(None),
        Some(Value::Object(map)) => map,
        Some(other) => return Err(given.refuse("tls", "{ ca, cert, key } in PEM", other)),
    };
    let given = Given::new("cluster.tls", &[], Some(map));
    let pem = |name: &str| match given.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.contains("-----BEGIN ") => Ok(Some(text.clone().into_bytes())),
        // The error must not repeat a key.
        Some(_) => {
            let what = format!("cluster.tls.{name}: expected PEM text, got something else");
            Err(Error::new(ErrorCode::Option, what))
        }
    };
    if let Some((name, value)) = map.iter().find(|(name, _)| !["ca", "cert", "key"].contains(&name.as_str()))
    {
        return Err(given.refuse(name, "ca, cert or key", value));
    }
    let tls = RedisTls { ca: pem("ca")?, cert: pem("cert")?, key: pem("key")? };
    if tls.cert.is_some() != tls.key.is_some() {
        let what = "cluster.tls: expected cert and key together, got one of them";
        return Err(Error::new(ErrorCode::Option, what));
    }
    Ok(Some(tls))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(options: Value) -> String {
        ClusterOptions::from_json(&options).unwrap_err().message().to_owned()
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_path() {
        let with = |name: &str, value: Value| {
            let mut options = json!({ "redis": "redis://h" });
            options[name] = value;
            message(options)
        };
        let cases = [
            (message(json!("redis://h")), r#"cluster: expected an object such as { redis: "#),
            (message(json!({})), "cluster.redis: expected a URL"),
            (message(json!({ "redis": {} })), "cluster.redis: expected a URL"),
            (
                message(json!({ "redis": { "cluster": [] } })),
                "cluster.redis.cluster: expected a list of URLs",
            ),
            (
                message(json!({ "redis": { "cluster": ["redis://a", 1] } })),
                "cluster.redis.cluster[1]: expected a URL",
            ),
            (
                message(json!({ "redis": { "sentinel": { "sentinels": ["redis://a"] } } })),
                "cluster.redis.sentinel.master: expected the master's name",
            ),
            (with("mode", json!("fast")), r#"cluster.mode: expected "classic" or "sharded", got "fast""#),
            (
                with("subscriptionMode", json!(1)),
                r#"cluster.subscriptionMode: expected "dynamic" or "static" or "dynamic-private", got 1"#,
            ),
            (
                with("requestsTimeout", json!(0)),
                "cluster.requestsTimeout: expected a number of milliseconds from 1 to",
            ),
            (
                with("queueBytes", json!(1.5)),
                "cluster.queueBytes: expected a number of bytes from 65536 to 4294967296, got 1.5",
            ),
            (with("protocol", json!(4)), "cluster.protocol: expected 2 or 3, got 4"),
            (
                with("waitForRedis", json!("yes")),
                r#"cluster.waitForRedis: expected true or false, got "yes""#,
            ),
            (with("tls", json!({ "cert": "-----BEGIN X" })), "cluster.tls: expected cert and key together"),
            (with("tls", json!({ "pfx": "" })), r#"cluster.tls.pfx: expected ca, cert or key, got """#),
            (with("rooms", json!(true)), "cluster.rooms: expected redis, mode, prefix"),
        ];
        for (got, expected) in cases {
            assert!(got.starts_with(expected), "{got}");
        }
    }

    #[test]
    fn secrets_are_neither_repeated_nor_printed() {
        let refused = message(json!({ "redis": "http://me:hunter2@host" }));
        assert!(refused.ends_with("got http"), "{refused}");
        let refused = message(json!({ "redis": "redis://h", "password": ["hunter2"] }));
        assert!(!refused.contains("hunter2"), "{refused}");
        let options =
            json!({ "redis": "redis://me:hunter2@host", "password": "hunter2", "secret": "hunter2" });
        let options = ClusterOptions::from_json(&options).unwrap();
        assert!(!format!("{options:?}").contains("hunter2"));
    }

    #[test]
    fn defaults_are_those_of_the_javascript_adapters() {
        let options = ClusterOptions::new("redis://h").unwrap();
        assert_eq!((options.mode, options.subscriptions), (Mode::Classic, Subscriptions::Dynamic));
        assert_eq!((&*options.prefix, options.requests_timeout), ("socket.io", Duration::from_millis(5000)));
        assert!(!options.specific_response_channel && !options.wait_for_redis);
    }
}
