//! The handshake of a socket in the shape of socket.io, for nodes that fetch the socket.

use std::collections::BTreeMap;

use kraken_ws_codec::msgpack::date;
use kraken_ws_codec::packet::json::quote;
use kraken_ws_codec::query;

use crate::types::request::RequestInfo;

/// Headers of which Node.js keeps only the first value.
const SINGLE: [&str; 19] = [
    "age",
    "authorization",
    "content-length",
    "content-type",
    "etag",
    "expires",
    "from",
    "host",
    "if-modified-since",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "proxy-authorization",
    "referer",
    "retry-after",
    "server",
    "user-agent",
    "set-cookie",
];

/// JSON of `{headers, time, address, xdomain, secure, issued, url, query, auth}`. `auth` is JSON or empty.
pub(super) fn handshake(request: &RequestInfo, auth: &str) -> String {
    let mut headers: Vec<(&str, String)> = Vec::new();
    for (name, value) in request.headers.iter() {
        match headers.iter_mut().find(|(known, _)| *known == name) {
            None => headers.push((name, value.to_owned())),
            Some(_) if SINGLE.contains(&name) => {}
            Some((_, all)) => {
                all.push_str(if name == "cookie" { "; " } else { ", " });
                all.push_str(value);
            }
        }
    }
    // The last value of a repeated key counts, as in `Object.fromEntries`.
    let query: BTreeMap<_, _> =
        query::pairs(request.url.split_once('?').map_or("", |(_, query)| query)).collect();
    let mut out = String::with_capacity(768);
    out.push_str("{\"headers\":");
    object(&mut out, headers.iter().map(|(name, value)| (*name, &**value)));
    out.push_str(",\"time\":");
    quote(&time(request.issued), &mut out);
    out.push_str(",\"address\":");
    quote(&request.address, &mut out);
    let xdomain = request.header("origin").is_some_and(|origin| !origin.is_empty());
    out.push_str(&format!(
        ",\"xdomain\":{xdomain},\"secure\":{},\"issued\":{},\"url\":",
        request.secure, request.issued
    ));
    quote(&request.url, &mut out);
    out.push_str(",\"query\":");
    object(&mut out, query.iter().map(|(name, value)| (&**name, &**value)));
    out.push_str(",\"auth\":");
    out.push_str(if auth.is_empty() { "{}" } else { auth });
    out.push('}');
    out
}

fn object<'a>(out: &mut String, entries: impl Iterator<Item = (&'a str, &'a str)>) {
    out.push('{');
    for (i, (name, value)) in entries.enumerate() {
        if i > 0 {
            out.push(',');
        }
        quote(name, out);
        out.push(':');
        quote(value, out);
    }
    out.push('}');
}

/// Same text as `String(new Date(millis))` in a process whose time zone is UTC.
fn time(millis: u64) -> String {
    let Some(time) = date::utc(millis as f64) else { return "Invalid Date".to_owned() };
    let (weekday, month) = (time.weekday().to_string(), time.month().to_string());
    let (hour, minute, second) = time.as_hms();
    format!(
        "{weekday:.3} {month:.3} {day:02} {year:04} {hour:02}:{minute:02}:{second:02} GMT+0000 (Coordinated Universal Time)",
        day = time.day(),
        year = time.year(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_handshake_is_that_of_socket_io() {
        let headers = [
            ("host", "a"),
            ("host", "b"),
            ("cookie", "x=1"),
            ("x-list", "1"),
            ("cookie", "y=2"),
            ("x-list", "2"),
            ("origin", "http://elsewhere"),
        ];
        let request = RequestInfo {
            url: "/socket.io/?EIO=4&token=a%26b&token=c+d".into(),
            headers: headers.into_iter().collect(),
            address: "127.0.0.1".into(),
            issued: 1_800_000_000_123,
            ..RequestInfo::default()
        };
        let found: Value = serde_json::from_str(&handshake(&request, r#"{"user":"ada"}"#)).unwrap();
        // `time` is the result of `String(new Date(1800000000123))` in Node.js 20 with TZ=UTC.
        assert_eq!(
            found,
            json!({
                "headers": { "host": "a", "cookie": "x=1; y=2", "x-list": "1, 2", "origin": "http://elsewhere" },
                "time": "Fri Jan 15 2027 08:00:00 GMT+0000 (Coordinated Universal Time)",
                "address": "127.0.0.1",
                "xdomain": true,
                "secure": false,
                "issued": 1_800_000_000_123_u64,
                "url": "/socket.io/?EIO=4&token=a%26b&token=c+d",
                "query": { "EIO": "4", "token": "c d" },
                "auth": { "user": "ada" },
            })
        );
        let found: Value = serde_json::from_str(&handshake(&RequestInfo::default(), "")).unwrap();
        assert_eq!(
            (&found["auth"], &found["query"], &found["xdomain"]),
            (&json!({}), &json!({}), &json!(false))
        );
    }
}
