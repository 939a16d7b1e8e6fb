//! Checks of an Engine.IO request (engine.io's `verify`), except those that need the session.

use std::borrow::Cow;

use kraken_ws_codec::query::Query;

use kraken_ws_codec::ws;

use crate::options::Options;
use crate::types::reason::Refusal;
use crate::types::request::RequestInfo;

/// The parameters of a request that passed the first checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Polling,
    WebSocket,
}

/// Whether `url` belongs to the engine. Like engine.io, compares only the prefix.
pub(crate) fn is_engine_path(options: &Options, url: &str) -> bool {
    match url.strip_prefix(options.path.as_str()) {
        Some(rest) if options.add_trailing_slash => rest.starts_with('/') || options.path == "/",
        Some(rest) => rest.is_empty() || rest.starts_with(['?', '/']),
        None => false,
    }
}

/// The bundles of socket.io-client, which a host may serve under the engine's path.
const CLIENT_FILES: [&str; 8] = [
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.msgpack.min.js",
    "socket.io.msgpack.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
];

/// Whether `url` names one of the bundles.
pub(crate) fn is_client_file(options: &Options, url: &str) -> bool {
    let name = url.strip_prefix(options.path.as_str()).map(|rest| rest.strip_prefix('/').unwrap_or(rest));
    name.is_some_and(|name| CLIENT_FILES.contains(&name.split('?').next().unwrap_or_default()))
}

/// The transport, if it is known and enabled.
pub(crate) fn transport(options: &Options, query: &Query) -> Result<Transport, Refusal> {
    match query.transport.as_deref() {
        Some("polling") if options.transports.polling => Ok(Transport::Polling),
        Some("websocket") if options.transports.websocket => Ok(Transport::WebSocket),
        _ => Err(Refusal::UnknownTransport),
    }
}

/// The Engine.IO protocol version in a handshake.
pub(crate) fn protocol(options: &Options, query: &Query) -> Result<u8, Refusal> {
    match query.eio.as_deref() {
        Some("4") => Ok(4),
        _ if options.allow_eio3 => Ok(3),
        _ => Err(Refusal::UnsupportedProtocol),
    }
}

/// The parameters of a WebSocket handshake (RFC 6455 §4.2.1).
pub(crate) struct WsRequest<'a> {
    pub key: &'a str,
    pub extensions: Option<Cow<'a, str>>,
    /// The selected subprotocol: the client's first, like the `ws` package.
    pub protocol: Option<String>,
}

/// Reads the handshake headers. The error is the text of the 400 response, the same as in the `ws` package.
pub(crate) fn websocket(request: &RequestInfo) -> Result<WsRequest<'_>, &'static str> {
    let one = |name| match request.headers.list(name) {
        Some(Cow::Borrowed(value)) => Some(value),
        _ => None,
    };
    if !one("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
        return Err("Invalid Upgrade header");
    }
    let key = one("sec-websocket-key")
        .filter(|key| ws::valid_key(key))
        .ok_or("Missing or invalid Sec-WebSocket-Key header")?;
    if !matches!(one("sec-websocket-version"), Some("13" | "8")) {
        return Err(BAD_VERSION);
    }
    let protocol = match request.headers.list("sec-websocket-protocol") {
        Some(list) => Some(subprotocol(&list).ok_or("Invalid Sec-WebSocket-Protocol header")?),
        None => None,
    };
    Ok(WsRequest { key, extensions: request.headers.list("sec-websocket-extensions"), protocol })
}

/// The first token of a list; `None` if the list is malformed.
fn subprotocol(list: &str) -> Option<String> {
    let is_token = |name: &&str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    let names: Option<Vec<&str>> = list.split(',').map(str::trim).map(|n| Some(n).filter(is_token)).collect();
    names?.first().map(|name| (*name).to_owned())
}

/// Error of [`websocket`]. Its response also lists the supported versions.
pub(crate) const BAD_VERSION: &str = "Missing or invalid Sec-WebSocket-Version header";

/// Whether the request asks for a WebSocket. A polling client may offer another protocol; that is ignored.
pub(crate) fn is_upgrade(request: &RequestInfo) -> bool {
    let websocket =
        |wanted: &str| wanted.eq_ignore_ascii_case("websocket") || request.transport == "websocket";
    let asks = |list: Cow<'_, str>| list.split(',').any(|item| item.trim().eq_ignore_ascii_case("upgrade"));
    request.header("upgrade").is_some_and(websocket) && request.headers.list("connection").is_some_and(asks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_path_ends_at_a_slash_unless_told_otherwise() {
        let with = Options::default();
        assert!(is_engine_path(&with, "/socket.io/?EIO=4"));
        assert!(!is_engine_path(&with, "/socket.io?EIO=4"));
        assert!(!is_engine_path(&with, "/socket.iox/?EIO=4"));
        let without = Options::from_json(&json!({"addTrailingSlash": false})).unwrap();
        assert!(is_engine_path(&without, "/socket.io?EIO=4"));
        assert!(!is_engine_path(&without, "/other"));
    }

    #[test]
    fn client_files_are_named_one_by_one() {
        let options = Options::default();
        assert!(is_client_file(&options, "/socket.io/socket.io.js"));
        assert!(is_client_file(&options, "/socket.io/socket.io.esm.min.js.map?v=1"));
        assert!(!is_client_file(&options, "/socket.io/"));
        assert!(!is_client_file(&options, "/socket.io/socket.io.jsx"));
        assert!(!is_client_file(&options, "/socket.io/../socket.io.js"));
        assert!(!is_client_file(&options, "/other/socket.io.js"));
    }
}
