//! Parses a JSON document to [`Options`], by the table.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::options::cluster::ClusterOptions;
use crate::options::given::{Given, Plain, refuse};
use crate::options::{Cookie, Cors, Hooks, OPTIONS, OptionSpec, Options, RecoveryRules, Tls, Transports};
use crate::types::error::{Error, ErrorCode, Result};

impl Options {
    /// Reads options from a JSON document with the names of [`OPTIONS`]; absent and `null` mean the default. Names that no
    /// option has are in [`Options::unknown`]; with `strictOptions` they are errors.
    ///
    /// # Errors
    /// [`ErrorCode::Option`] with the path of the invalid value and the accepted values.
    ///
    /// ```
    /// use kraken_ws_core::Options;
    /// let error = Options::from_json(&serde_json::json!({ "pingTimeout": "fast" })).unwrap_err();
    /// assert_eq!(
    ///     error.message(),
    ///     r#"pingTimeout: expected a number of milliseconds from 1 to 86400000, got "fast""#
    /// );
    /// ```
    pub fn from_json(json: &Value) -> Result<Options> {
        let map = match json {
            Value::Null => None,
            Value::Object(map) => Some(map),
            other => return Err(refuse("options", "an object", other)),
        };
        let given = Given::new("", OPTIONS, map);
        let strict = bool::read(&given, "strictOptions")?;
        let unknown: Vec<_> = given.unknown().map(|(name, value)| unknown_option(name, value)).collect();
        match unknown.first() {
            Some(what) if strict => Err(Error::new(ErrorCode::Option, what)),
            _ => Ok(Options { unknown, ..Options::of(&given)? }),
        }
    }
}

fn unknown_option(name: &str, value: &Value) -> String {
    let hint = near(name).map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
    refuse(name, &format!("a known option{hint}"), value).message().to_owned()
}

/// The known option that a wrong name resembles: it differs in case, in a unit suffix, or in at most two letters.
fn near(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let bare = |name: &str| {
        let lower = name.to_ascii_lowercase();
        lower.strip_suffix("ms").map(str::to_owned).unwrap_or(lower)
    };
    let distance = |o: &OptionSpec| strsim::damerau_levenshtein(&o.name.to_ascii_lowercase(), &lower);
    OPTIONS
        .iter()
        .find(|o| bare(o.name) == bare(name))
        .or_else(|| {
            OPTIONS.iter().filter(|o| distance(o) <= 2 && o.name.len() > 4).min_by_key(|o| distance(o))
        })
        .map(|o| o.name)
}

pub(super) fn path(given: &Given<'_>) -> Result<String> {
    let text = match given.get("path") {
        None => return String::read(given, "path"),
        Some(Value::String(s)) if s.bytes().all(|b| b.is_ascii_graphic()) && !s.contains(['?', '#']) => s,
        Some(other) => return Err(refuse("path", "an ASCII URL path such as \"/socket.io\"", other)),
    };
    let bare = text.trim_matches('/');
    Ok(format!("/{bare}"))
}

pub(super) fn cluster(given: &Given<'_>) -> Result<Option<ClusterOptions>> {
    given.get("cluster").map(ClusterOptions::from_json).transpose()
}

pub(super) fn cors(given: &Given<'_>) -> Result<Option<Arc<Cors>>> {
    Ok(given.get("cors").map(Cors::from_json).transpose()?.flatten().map(Arc::new))
}

pub(super) fn hooks(given: &Given<'_>) -> Result<Hooks> {
    given.get("hooks").map_or_else(|| Ok(Hooks::default()), Hooks::from_json)
}

pub(super) fn transports(given: &Given<'_>) -> Result<Transports> {
    const EXPECTED: &str = "a non-empty list of \"polling\" and \"websocket\"";
    let Some(value) = given.get("transports") else {
        return Ok(Transports { polling: true, websocket: true });
    };
    let list =
        value.as_array().filter(|l| !l.is_empty()).ok_or_else(|| refuse("transports", EXPECTED, value))?;
    let mut found = Transports { polling: false, websocket: false };
    for (i, item) in list.iter().enumerate() {
        match item.as_str() {
            Some("polling") => found.polling = true,
            Some("websocket") => found.websocket = true,
            _ => return Err(refuse(&format!("transports[{i}]"), "\"polling\" or \"websocket\"", item)),
        }
    }
    Ok(found)
}

pub(super) fn initial_packet(given: &Given<'_>) -> Result<Option<Box<str>>> {
    match given.get("initialPacket") {
        None => Ok(None),
        Some(Value::String(s)) => Ok(Some(s.as_str().into())),
        Some(other) => Err(refuse("initialPacket", "text", other)),
    }
}

pub(super) fn recovery(given: &Given<'_>) -> Result<Option<RecoveryRules>> {
    const NAME: &str = "connectionStateRecovery";
    const LONGEST: u64 = 7 * 86_400_000;
    let none = serde_json::Map::new();
    let map = match given.get(NAME) {
        None | Some(Value::Bool(false)) => return Ok(None),
        Some(Value::Bool(true)) => &none,
        Some(Value::Object(map)) => map,
        Some(other) => {
            let expected = "true, false or an object such as { maxDisconnectionDuration: 120000 }";
            return Err(refuse(NAME, expected, other));
        }
    };
    // The defaults are those of socket.io.
    let mut rules =
        RecoveryRules { max_disconnection: Duration::from_millis(120_000), skip_middlewares: true };
    for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        let path = format!("{NAME}.{key}");
        match key.as_str() {
            "maxDisconnectionDuration" => {
                let millis = value.as_f64().filter(|ms| *ms >= 1.0 && *ms <= LONGEST as f64);
                let expected = format!("a number of milliseconds from 1 to {LONGEST}");
                let millis = millis.ok_or_else(|| refuse(&path, &expected, value))?;
                rules.max_disconnection = Duration::from_millis(millis as u64);
            }
            "skipMiddlewares" => {
                rules.skip_middlewares =
                    value.as_bool().ok_or_else(|| refuse(&path, "true or false", value))?;
            }
            _ => return Err(refuse(&path, "maxDisconnectionDuration or skipMiddlewares", value)),
        }
    }
    Ok(Some(rules))
}

pub(super) fn cookie(given: &Given<'_>) -> Result<Option<Cookie>> {
    let map = match given.get("cookie") {
        None | Some(Value::Bool(false)) => return Ok(None),
        Some(Value::Bool(true)) => serde_json::Map::new(),
        Some(Value::String(name)) => [("name".to_owned(), Value::String(name.clone()))].into_iter().collect(),
        Some(Value::Object(map)) => map.clone(),
        Some(other) => return Err(refuse("cookie", "true, false, a name or an object", other)),
    };
    let safe = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_graphic() && !b";,=\"".contains(&b));
    let text = |key: &str| match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) if safe(s) => Ok(Some(s.as_str())),
        Some(other) => Err(refuse(&format!("cookie.{key}"), "text without separators", other)),
    };
    let name = text("name")?.unwrap_or("io").to_owned();
    let mut attributes = String::new();
    if let Some(Value::Number(age)) = map.get("maxAge") {
        // In seconds, like the package `cookie` that engine.io uses.
        attributes += &format!("; Max-Age={}", age.as_f64().unwrap_or(0.0).floor());
    }
    if let Some(domain) = text("domain")? {
        attributes += &format!("; Domain={domain}");
    }
    match map.get("path") {
        Some(Value::Bool(false)) => {}
        _ => attributes += &format!("; Path={}", text("path")?.unwrap_or("/")),
    }
    match map.get("expires") {
        None | Some(Value::Null) => {}
        // RFC 6265 §4.1.1: the text must not contain the separator of attributes.
        Some(Value::String(s)) if s.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b';') => {
            attributes += &format!("; Expires={s}");
        }
        Some(other) => return Err(refuse("cookie.expires", "a date as HTTP writes it", other)),
    }
    if map.get("httpOnly") != Some(&Value::Bool(false)) {
        attributes += "; HttpOnly";
    }
    if map.get("secure") == Some(&Value::Bool(true)) {
        attributes += "; Secure";
    }
    if map.get("partitioned") == Some(&Value::Bool(true)) {
        attributes += "; Partitioned";
    }
    match map.get("priority").map(|value| (value, value.as_str())) {
        None | Some((Value::Null, _)) => {}
        Some((_, Some("low"))) => attributes += "; Priority=Low",
        Some((_, Some("medium"))) => attributes += "; Priority=Medium",
        Some((_, Some("high"))) => attributes += "; Priority=High",
        Some((other, _)) => {
            return Err(refuse("cookie.priority", "\"low\", \"medium\" or \"high\"", other));
        }
    }
    match map.get("sameSite") {
        None | Some(Value::Null) => attributes += "; SameSite=Lax",
        Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => attributes += "; SameSite=Strict",
        Some(Value::String(s)) => match s.to_ascii_lowercase().as_str() {
            "lax" => attributes += "; SameSite=Lax",
            "strict" => attributes += "; SameSite=Strict",
            "none" => attributes += "; SameSite=None",
            _ => {
                return Err(refuse(
                    "cookie.sameSite",
                    "\"lax\", \"strict\" or \"none\"",
                    &Value::String(s.clone()),
                ));
            }
        },
        Some(other) => return Err(refuse("cookie.sameSite", "\"lax\", \"strict\" or \"none\"", other)),
    }
    Ok(Some(Cookie { name, attributes }))
}

pub(super) fn tls(given: &Given<'_>) -> Result<Option<Tls>> {
    let Some(value) = given.get("tls") else { return Ok(None) };
    let text = |key: &str| {
        value.get(key).and_then(Value::as_str).map(|s| s.as_bytes().to_vec()).ok_or_else(|| {
            Error::new(ErrorCode::Option, format!("tls.{key}: expected PEM text, got nothing usable"))
        })
    };
    Ok(Some(Tls { cert: text("cert")?, key: text("key")? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(options: Value) -> String {
        Options::from_json(&options).unwrap_err().message().to_owned()
    }

    #[test]
    fn a_wrong_value_is_refused_with_path_and_range() {
        assert_eq!(
            message(json!({"pingTimeout": "fast"})),
            r#"pingTimeout: expected a number of milliseconds from 1 to 86400000, got "fast""#
        );
        assert_eq!(
            message(json!({"transports": ["carrier pigeon"]})),
            r#"transports[0]: expected "polling" or "websocket", got "carrier pigeon""#
        );
        assert_eq!(message(json!({"shards": 1.5})), "shards: expected a whole number from 0 to 64, got 1.5");
    }

    #[test]
    fn an_unknown_name_is_a_warning_or_refused_if_asked_for() {
        let warnings = |options: Value| Options::from_json(&options).unwrap().unknown;
        assert_eq!(
            warnings(json!({"maxPayload": 5, "path": "/x"})),
            ["maxPayload: expected a known option, got 5"]
        );
        for (name, meant) in [
            ("pingtimeout", "pingTimeout"),
            ("pingTimeoutMs", "pingTimeout"),
            ("keepAliveTimeout", "keepAliveTimeoutMs"),
            ("conectTimeout", "connectTimeout"),
            ("transport", "transports"),
        ] {
            let options = json!({ name: 1 });
            let expected = format!("{name}: expected a known option (did you mean {meant}?), got 1");
            assert_eq!(warnings(options.clone()), [&*expected]);
            let mut strict = options;
            strict["strictOptions"] = json!(true);
            assert_eq!(message(strict), expected);
        }
        assert!(warnings(json!({"strictOptions": true, "path": "/x"})).is_empty());
        assert_eq!(message(json!({"strictOptions": 1})), "strictOptions: expected true or false, got 1");
    }

    #[test]
    fn defaults_are_socket_ios() {
        let options = Options::default();
        assert_eq!(options.ping_interval, Duration::from_millis(25_000));
        assert_eq!(options.max_http_buffer_size, 1_000_000);
        assert_eq!(options.path, "/socket.io");
        assert!(options.per_message_deflate.is_none());
    }

    #[test]
    fn cookie_true_is_http_only_and_lax() {
        let options = Options::from_json(&json!({"cookie": true})).unwrap();
        assert_eq!(
            options.cookie,
            Some(Cookie { name: "io".into(), attributes: "; Path=/; HttpOnly; SameSite=Lax".into() })
        );
    }
}
