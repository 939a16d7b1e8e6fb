//! Cross-origin rules with the semantics of Node's package `cors`.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::options::Pattern;
use crate::options::given::refuse;
use crate::types::error::Result;

/// The allowed origins.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Origin {
    /// `*`.
    Any,
    /// The origin in the request (`true`).
    Reflect,
    /// Exactly this one.
    One(String),
    /// Any of these.
    List(Vec<Origin>),
    /// All that match (feature `regex`).
    Pattern(Pattern),
    /// None (`false`): no CORS headers, and no answer to preflights.
    None,
}

/// The `cors` option.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(missing_docs)] // the names are the `cors` package's
pub struct Cors {
    pub origin: Origin,
    pub methods: String,
    pub allowed_headers: Option<String>,
    pub exposed_headers: Option<String>,
    pub credentials: bool,
    pub max_age: Option<u64>,
    pub success_status: u16,
    pub preflight_continue: bool,
}

impl Cors {
    /// Reads the rules from JSON; `false` means none.
    ///
    /// # Errors
    /// [`ErrorCode::Option`](crate::ErrorCode::Option) with the path of the invalid value and the accepted values.
    pub fn from_json(json: &Value) -> Result<Option<Cors>> {
        let map = match json {
            Value::Bool(false) => return Ok(None),
            Value::Object(map) => map,
            other => return Err(refuse("cors", "an object such as { origin: true }", other)),
        };
        let list = |key: &str| -> Result<Option<String>> {
            let path = format!("cors.{key}");
            let text = match map.get(key) {
                None | Some(Value::Null) => return Ok(None),
                Some(Value::String(s)) => s.clone(),
                Some(Value::Array(items)) => items
                    .iter()
                    .map(|i| i.as_str().ok_or_else(|| refuse(&path, "text or a list of text", i)))
                    .collect::<Result<Vec<_>>>()?
                    .join(","),
                Some(other) => return Err(refuse(&path, "text or a list of text", other)),
            };
            HeaderValue::from_str(&text)
                .map_err(|_| refuse(&path, "text that fits a header", &text.as_str().into()))?;
            Ok(Some(text))
        };
        Ok(Some(Cors {
            origin: match map.get("origin") {
                None | Some(Value::Null) => Origin::Any,
                Some(value) => origin("cors.origin", value)?,
            },
            methods: list("methods")?.unwrap_or_else(|| "GET,HEAD,PUT,PATCH,POST,DELETE".into()),
            allowed_headers: list("allowedHeaders")?,
            exposed_headers: list("exposedHeaders")?,
            credentials: map.get("credentials") == Some(&Value::Bool(true)),
            max_age: map.get("maxAge").and_then(Value::as_u64),
            success_status: match map.get("optionsSuccessStatus").and_then(Value::as_u64) {
                Some(status @ 200..=299) => status as u16,
                _ => 204,
            },
            preflight_continue: map.get("preflightContinue") == Some(&Value::Bool(true)),
        }))
    }

    /// Adds the headers of a response that is not a preflight.
    pub(crate) fn apply(&self, origin: Option<&str>, out: &mut HeaderMap) {
        self.put_origin(origin, out);
        self.put_exposed(out);
    }

    fn put_exposed(&self, out: &mut HeaderMap) {
        if let Some(exposed) = &self.exposed_headers {
            put(out, header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }

    /// Adds the headers of a preflight response.
    pub(crate) fn apply_preflight(&self, origin: Option<&str>, requested: Option<&str>, out: &mut HeaderMap) {
        self.put_origin(origin, out);
        put(out, header::ACCESS_CONTROL_ALLOW_METHODS, &self.methods);
        match (&self.allowed_headers, requested) {
            (Some(allowed), _) => put(out, header::ACCESS_CONTROL_ALLOW_HEADERS, allowed),
            (None, Some(requested)) => {
                out.append(header::VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
                put(out, header::ACCESS_CONTROL_ALLOW_HEADERS, requested);
            }
            (None, None) => {}
        }
        if let Some(age) = self.max_age {
            put(out, header::ACCESS_CONTROL_MAX_AGE, &age.to_string());
        }
        self.put_exposed(out);
    }

    fn put_origin(&self, origin: Option<&str>, out: &mut HeaderMap) {
        match &self.origin {
            Origin::Any => put(out, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            Origin::One(one) => {
                put(out, header::ACCESS_CONTROL_ALLOW_ORIGIN, one);
                out.append(header::VARY, HeaderValue::from_static("Origin"));
            }
            rule => {
                if let Some(origin) = origin.filter(|o| allows(rule, o)) {
                    put(out, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                }
                out.append(header::VARY, HeaderValue::from_static("Origin"));
            }
        }
        if self.credentials {
            put(out, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
    }
}

fn put(out: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        out.insert(name, value);
    }
}

fn allows(rule: &Origin, origin: &str) -> bool {
    match rule {
        Origin::Any | Origin::Reflect => true,
        Origin::One(one) => one == origin,
        Origin::List(list) => list.iter().any(|rule| allows(rule, origin)),
        Origin::Pattern(pattern) => pattern.matches(origin),
        Origin::None => false,
    }
}

fn origin(path: &str, value: &Value) -> Result<Origin> {
    match value {
        Value::Bool(true) => Ok(Origin::Reflect),
        Value::Bool(false) => Ok(Origin::None),
        Value::String(s) if s == "*" => Ok(Origin::Any),
        Value::String(s) if HeaderValue::from_str(s).is_ok() => Ok(Origin::One(s.clone())),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, item)| origin(&format!("{path}[{i}]"), item))
            .collect::<Result<Vec<_>>>()
            .map(Origin::List),
        Value::Object(map) => {
            let text = |key| map.get(key).and_then(Value::as_str).unwrap_or_default();
            Pattern::new(path, text("regex"), text("flags")).map(Origin::Pattern)
        }
        other => Err(refuse(path, "true, false, text, a regular expression or a list of these", other)),
    }
}
