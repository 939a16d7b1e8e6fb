//! A request as JSON text, made when an application first reads `handshake` or `request`; most never do.

use kraken_ws_core::RequestInfo;

/// `{"method":…,"url":…,"headers":[name, value, …],"address":…,"port":…,"secure":…,"transport":…,
/// "protocol":…,"issued":…,"tag":…,"auth":…}`; `auth` is JSON text or empty.
pub(crate) fn request_json(request: &RequestInfo, auth: &str) -> String {
    let mut out = String::with_capacity(640);
    out.push_str("{\"method\":");
    quote(&mut out, &request.method);
    out.push_str(",\"url\":");
    quote(&mut out, &request.url);
    out.push_str(",\"headers\":[");
    for (i, (name, value)) in request.headers.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        quote(&mut out, name);
        out.push(',');
        quote(&mut out, value);
    }
    out.push_str("],\"address\":");
    quote(&mut out, &request.address);
    out.push_str(&format!(
        ",\"port\":{},\"secure\":{},\"transport\":\"{}\",\"protocol\":{},\"issued\":{},\"tag\":{},\"auth\":{}}}",
        request.port,
        request.secure,
        request.transport,
        request.protocol,
        request.issued,
        request.tag,
        if auth.is_empty() { "{}" } else { auth },
    ));
    out
}

/// Appends `text` as a JSON string.
pub(crate) fn quote(out: &mut String, text: &str) {
    let plain = text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\');
    if plain {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
    }
}
