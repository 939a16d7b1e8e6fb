//! The option `cluster`, and its settings.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::options::refuse;
use crate::types::error::{Error, ErrorCode, Result};

/// The names in the option, in the order of the documentation.
const NAMES: &str = "redis, mode, prefix, subscriptionMode, requestsTimeout, publishOnSpecificResponseChannel, \
    username, password, tls, protocol, waitForRedis, redisTimeout, queueBytes, overflow or secret";
/// Upper limit of durations in milliseconds: a day.
const DAY: u64 = 86_400_000;

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

/// The settings of a node of a fleet.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterOptions {
    /// Where Redis is.
    pub redis: Redis,
    /// User of the ACL; takes precedence over that in the URL.
    pub username: Option<String>,
    /// Password; takes precedence over that in the URL.
    pub password: Option<String>,
    /// TLS details.
    pub tls: Option<RedisTls>,
    /// RESP version, 2 or 3. `None` selects what the mode and Redis Cluster need.
    pub protocol: Option<u8>,
    /// Wire format.
    pub mode: Mode,
    /// First part of all channel names: `socket.io`.
    pub prefix: String,
    /// Sharded mode: rooms with a channel of their own.
    pub subscriptions: Subscriptions,
    /// Timeout for answers of other nodes: 5000 ms.
    pub requests_timeout: Duration,
    /// Classic mode: answers go to the channel of the asking node.
    pub specific_response_channel: bool,
    /// `Server::join_cluster` waits until Redis is connected; without it the server starts, and joins once Redis is
    /// there.
    pub wait_for_redis: bool,
    /// Timeout for an attempt to connect and for a reply of Redis: 5000 ms.
    pub redis_timeout: Duration,
    /// Limit of the bytes of queued publishes: 16 MiB.
    pub queue_bytes: usize,
    /// The policy above that limit.
    pub overflow: Overflow,
    /// Secret shared by native nodes. Messages carry an HMAC; those without a valid one are ignored, including those
    /// of JavaScript nodes.
    pub secret: Option<Vec<u8>>,
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
        let given = Given { path: "cluster", map };
        let mut options = Self {
            redis: match given.get("redis") {
                Some(value) => redis(value)?,
                None => return Err(refuse("cluster.redis", REDIS, &Value::Null)),
            },
            username: given.text("username")?,
            password: None,
            tls: given.get("tls").map(tls).transpose()?,
            protocol: None,
            mode: given.word("mode", &[("classic", Mode::Classic), ("sharded", Mode::Sharded)])?,
            prefix: given.text("prefix")?.unwrap_or_else(|| "socket.io".to_owned()),
            subscriptions: given.word(
                "subscriptionMode",
                &[
                    ("dynamic", Subscriptions::Dynamic),
                    ("static", Subscriptions::Static),
                    ("dynamic-private", Subscriptions::DynamicPrivate),
                ],
            )?,
            requests_timeout: given.millis("requestsTimeout", 5000)?,
            specific_response_channel: given.bool("publishOnSpecificResponseChannel")?,
            wait_for_redis: given.bool("waitForRedis")?,
            redis_timeout: given.millis("redisTimeout", 5000)?,
            queue_bytes: given.number("queueBytes", "bytes", 65_536, 4 << 30, 16 << 20)? as usize,
            overflow: given.word(
                "overflow",
                &[("drop-oldest", Overflow::DropOldest), ("drop-newest", Overflow::DropNewest)],
            )?,
            secret: None,
        };
        for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            match (name.as_str(), value) {
                ("password", Value::String(text)) => options.password = Some(text.clone()),
                ("secret", Value::String(text)) if !text.is_empty() => {
                    options.secret = Some(text.clone().into_bytes());
                }
                // The error must not repeat a secret.
                ("password" | "secret", _) => {
                    let what = format!("cluster.{name}: expected text, got something else");
                    return Err(Error::new(ErrorCode::Option, what));
                }
                ("protocol", value) => match value.as_u64() {
                    Some(version @ 2..=3) => options.protocol = Some(version as u8),
                    _ => return Err(refuse("cluster.protocol", "2 or 3", value)),
                },
                (name, _) if KNOWN.contains(&name) => {}
                (name, value) => return Err(refuse(&format!("cluster.{name}"), NAMES, value)),
            }
        }
        Ok(options)
    }
}

/// The names that [`Given`] reads in a loop; the others are read one by one.
const KNOWN: [&str; 12] = [
    "redis",
    "mode",
    "prefix",
    "subscriptionMode",
    "requestsTimeout",
    "publishOnSpecificResponseChannel",
    "username",
    "tls",
    "waitForRedis",
    "redisTimeout",
    "queueBytes",
    "overflow",
];

const REDIS: &str = "a URL (redis://, rediss:// or redis+unix://), { sentinel: { sentinels, master } } or \
    { cluster: [URLs] }";

/// The given values by name; `null` means absent.
struct Given<'a> {
    path: &'static str,
    map: &'a Map<String, Value>,
}

impl<'a> Given<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn refuse(&self, name: &str, expected: &str, got: &Value) -> Error {
        refuse(&format!("{}.{name}", self.path), expected, got)
    }

    fn text(&self, name: &str) -> Result<Option<String>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(other) => Err(self.refuse(name, "text", other)),
        }
    }

    fn bool(&self, name: &str) -> Result<bool> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(on)) => Ok(*on),
            Some(other) => Err(self.refuse(name, "true or false", other)),
        }
    }

    fn number(&self, name: &str, unit: &str, least: u64, most: u64, default: u64) -> Result<u64> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let whole = value.as_f64().filter(|f| f.fract() == 0.0 && *f >= least as f64 && *f <= most as f64);
        let expected = format!("a number of {unit} from {least} to {most}");
        whole.map(|f| f as u64).ok_or_else(|| self.refuse(name, &expected, value))
    }

    fn millis(&self, name: &str, default: u64) -> Result<Duration> {
        self.number(name, "milliseconds", 1, DAY, default).map(Duration::from_millis)
    }

    /// One of these words; the first is the default.
    fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T> {
        let Some(value) = self.get(name) else { return Ok(words[0].1) };
        let found = words.iter().find(|(word, _)| value.as_str() == Some(word));
        let quoted: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        found.map(|(_, it)| *it).ok_or_else(|| self.refuse(name, &quoted.join(" or "), value))
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

fn redis(value: &Value) -> Result<Redis> {
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
    let given = Given { path, map };
    let master = given.text("master")?;
    Ok(Redis::Sentinel {
        sentinels: urls("cluster.redis.sentinel.sentinels", map.get("sentinels"))?,
        master: master.ok_or_else(|| given.refuse("master", "the master's name", &Value::Null))?,
    })
}

fn tls(value: &Value) -> Result<RedisTls> {
    let Value::Object(map) = value else {
        return Err(refuse("cluster.tls", "{ ca, cert, key } in PEM", value));
    };
    let given = Given { path: "cluster.tls", map };
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
    Ok(tls)
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
