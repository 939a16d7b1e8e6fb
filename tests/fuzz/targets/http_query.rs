//! The query of an engine request: any text is read, and what is read is no longer than the text.

use kraken_ws_codec::query;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let query = query::parse(text);
    // A broken escape may become U+FFFD, three bytes for three.
    for value in [query.eio, query.transport, query.sid, query.jsonp].into_iter().flatten() {
        assert!(value.len() <= 3 * text.len());
    }
}
