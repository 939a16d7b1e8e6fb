//! The query of an engine request: `EIO`, `transport`, `sid`, `b64`, `j`.

use std::borrow::Cow;

/// What the engine reads from a query string; other keys belong to the application.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Protocol version as written.
    pub eio: Option<String>,
    /// Transport as written.
    pub transport: Option<String>,
    /// Session id.
    pub sid: Option<String>,
    /// The client can't take binary (Engine.IO 3 polling).
    pub b64: bool,
    /// JSONP callback index (Engine.IO 3 polling in old browsers): digits only.
    pub jsonp: Option<String>,
}

/// Reads the part behind `?`. Of a repeated key the last wins, as in engine.io; broken escapes are kept as they are.
pub fn parse(query: &str) -> Query {
    let mut out = Query::default();
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = unescape(key);
        let slot = match &*key {
            "EIO" => &mut out.eio,
            "transport" => &mut out.transport,
            "sid" => &mut out.sid,
            "b64" => {
                out.b64 = !value.is_empty();
                continue;
            }
            "j" => {
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                out.jsonp = Some(digits);
                continue;
            }
            _ => continue,
        };
        *slot = Some(unescape(value).into_owned());
    }
    out
}

/// A query as JSON: an object of texts. Of a repeated key the last wins, as in socket.io.
pub fn to_json(query: &str) -> String {
    let query = query.split('#').next().unwrap_or_default();
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescape(key).into_owned(), unescape(value).into_owned().into())
    });
    serde_json::Value::Object(pairs.collect()).to_string()
}

/// `%XX` and `+` of a query value.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| (*b as char).to_digit(16));
        match bytes[i] {
            b'%' => match (hex(i + 1), hex(i + 2)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    i += 2;
                }
                _ => out.push(b'%'),
            },
            b'+' => out.push(b' '),
            other => out.push(other),
        }
        i += 1;
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
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
        assert_eq!(q.jsonp.as_deref(), Some("027"));
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
        assert_eq!(unescape("%zz%4"), "%zz%4");
        assert_eq!(unescape("a+b%41"), "a bA");
    }
}
