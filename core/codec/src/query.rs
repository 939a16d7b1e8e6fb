//! The query of an engine request: `EIO`, `transport`, `sid`, `b64`, `j`. Invalid escapes are kept as they are.

use std::borrow::Cow;

/// The keys of a query string that the engine uses; other keys belong to the application.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Protocol version as received.
    pub eio: Option<String>,
    /// Transport as received.
    pub transport: Option<String>,
    /// Session id.
    pub sid: Option<String>,
    /// The client can't take binary (Engine.IO 3 polling).
    pub b64: bool,
    /// JSONP callback index (Engine.IO 3 polling in old browsers): digits only.
    pub jsonp: Option<String>,
}

/// Parses the part behind `?`. Of a repeated key the last value counts, as in engine.io.
pub fn parse(query: &str) -> Query {
    let mut out = Query::default();
    for (key, value) in pairs(query) {
        match &*key {
            "EIO" => out.eio = Some(value.into_owned()),
            "transport" => out.transport = Some(value.into_owned()),
            "sid" => out.sid = Some(value.into_owned()),
            "b64" => out.b64 = !value.is_empty(),
            "j" => out.jsonp = Some(value.chars().filter(char::is_ascii_digit).collect()),
            _ => {}
        }
    }
    out
}

/// A query as a JSON object of strings. Of a repeated key the last value counts, as in socket.io.
pub fn to_json(query: &str) -> String {
    let query = query.split('#').next().unwrap_or_default();
    let pairs = pairs(query).map(|(key, value)| (key.into_owned(), value.into_owned().into()));
    serde_json::Value::Object(pairs.collect()).to_string()
}

/// Keys and values, percent-decoded.
pub fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(query.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_keys_are_found_among_others() {
        let q = parse("token=a%26b&EIO=4&transport=polling&t=x&sid=a%2Db&j=0%27");
        assert_eq!(q.eio.as_deref(), Some("4"));
        assert_eq!(q.transport.as_deref(), Some("polling"));
        assert_eq!(q.sid.as_deref(), Some("a-b"));
        // Like engine.io: only the digits of the decoded `0%27`.
        assert_eq!(q.jsonp.as_deref(), Some("0"));
        assert!(!q.b64);
    }

    #[test]
    fn an_empty_b64_asks_for_nothing() {
        assert!(parse("b64=1").b64 && parse("b64=0").b64);
        assert!(!parse("b64=").b64 && !parse("b64").b64);
    }

    #[test]
    fn a_query_becomes_json() {
        assert_eq!(to_json(""), "{}");
        assert_eq!(to_json("a=b%26c&k&a=2+3&&z=1&=v#w=x"), r#"{"":"v","a":"2 3","k":"","z":"1"}"#);
    }

    #[test]
    fn the_last_of_a_repeated_key_wins() {
        let q = parse("transport=websocket&b64=1&transport=polling&b64=");
        assert_eq!((q.transport.as_deref(), q.b64), (Some("polling"), false));
    }

    #[test]
    fn broken_escapes_are_kept() {
        assert_eq!(to_json("k=%zz%4"), r#"{"k":"%zz%4"}"#);
        assert_eq!(to_json("a+b%41=%ff"), "{\"a bA\":\"\u{fffd}\"}");
    }
}
