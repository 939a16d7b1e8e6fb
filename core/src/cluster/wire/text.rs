//! Writes JSON text piece by piece. Data of the host is inserted as it is, without parsing.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use kraken_ws_codec::msgpack;
use kraken_ws_codec::packet::PacketError;
use kraken_ws_codec::packet::json::quote;
use serde_json::value::RawValue;

use crate::shared::fleet_reply::RemoteSocket;
use crate::types::flags::EmitFlags;
use crate::types::target::Target;

/// A JSON object under construction.
pub(super) struct Object(String);

impl Object {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity);
        text.push('{');
        Self(text)
    }

    pub(super) fn new() -> Self {
        Self::with_capacity(256)
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    /// Adds a member whose value is JSON text.
    pub(super) fn json(mut self, name: &str, json: &str) -> Self {
        self.name(name);
        self.0.push_str(json);
        self
    }

    pub(super) fn text(mut self, name: &str, text: &str) -> Self {
        self.name(name);
        quote(text, &mut self.0);
        self
    }

    pub(super) fn number(mut self, name: &str, number: u64) -> Self {
        self.name(name);
        let _ = write!(self.0, "{number}");
        self
    }

    pub(super) fn bool(self, name: &str, value: bool) -> Self {
        self.json(name, if value { "true" } else { "false" })
    }

    pub(super) fn texts(mut self, name: &str, list: &[Box<str>]) -> Self {
        self.name(name);
        texts(&mut self.0, list);
        self
    }

    /// Adds a list of rooms. In JavaScript a room can be a number, which is a different room than its text; here they
    /// are the same. So names that look like numbers are sent in both forms.
    pub(super) fn rooms(self, name: &str, list: &[Box<str>]) -> Self {
        let mut object = self.texts(name, list);
        let numbers: Vec<&str> = list.iter().map(|room| &**room).filter(|room| is_number(room)).collect();
        if !numbers.is_empty() {
            object.0.pop();
            for number in numbers {
                object.0.push(',');
                object.0.push_str(number);
            }
            object.0.push(']');
        }
        object
    }

    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

fn texts(out: &mut String, list: &[Box<str>]) {
    out.push('[');
    for (i, text) in list.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        match ill_formed(text) {
            Some(json) => out.push_str(json),
            None => quote(text, out),
        }
    }
    out.push(']');
}

/// Prefix of the name of a room whose JavaScript string is not well-formed UTF-16 and so has no Rust text. The JSON
/// of the string follows (`node-binding/src-ts/native/room-name.ts`).
pub(super) const ILL_FORMED: &str = "\0string ";

/// The JSON in a name with the prefix [`ILL_FORMED`].
fn ill_formed(room: &str) -> Option<&str> {
    let json = room.strip_prefix(ILL_FORMED)?;
    // A host may use a name with this prefix for an ordinary room.
    (json.starts_with('"') && serde_json::from_str::<&RawValue>(json).is_ok()).then_some(json)
}

/// Whether the name of a room is the text of a JavaScript number.
pub(super) fn is_number(room: &str) -> bool {
    // Longer numbers have an exponent in JavaScript.
    let may_be = room.len() <= 20 && room.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    may_be && room != "-0" && room.parse::<f64>().is_ok_and(|number| number.to_string() == room)
}

/// The target in the shape of the adapters' `opts`; `flags` is JSON.
pub(super) fn opts(target: &Target, flags: Option<&str>) -> String {
    let opts =
        Object::new().rooms("rooms", &distinct(&target.rooms)).rooms("except", &distinct(&target.except));
    match flags {
        Some(flags) => opts.json("flags", flags).end(),
        None => opts.end(),
    }
}

/// The adapters' `flags`, without default values.
pub(super) fn flags(flags: EmitFlags, timeout: Option<Duration>) -> String {
    let mut out = Object::with_capacity(48);
    if flags.volatile {
        out = out.bool("volatile", true);
    }
    if !flags.compress {
        out = out.bool("compress", false);
    }
    if let Some(timeout) = timeout {
        out = out.number("timeout", timeout.as_millis() as u64);
    }
    out.end()
}

/// Sockets in the shape of an answer to `fetchSockets`.
pub(super) fn sockets(list: &[RemoteSocket]) -> String {
    let mut out = String::from("[");
    for (i, socket) in list.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        let RemoteSocket { id, handshake, rooms, data } = socket;
        let object = Object::with_capacity(96 + handshake.len() + data.len())
            .text("id", id)
            .json("handshake", or(handshake, "{}"))
            .texts("rooms", rooms)
            .json("data", or(data, "{}"));
        out.push_str(&object.end());
    }
    out.push(']');
    out
}

fn or<'a>(json: &'a str, default: &'a str) -> &'a str {
    if json.is_empty() { default } else { json }
}

/// The names without duplicates, in order; the adapters use sets.
pub(super) fn distinct(names: &[Box<str>]) -> Cow<'_, [Box<str>]> {
    if names.len() < 2 {
        return names.into();
    }
    let mut seen = HashSet::with_capacity(names.len());
    let first: Vec<bool> = names.iter().map(|name| seen.insert(&**name)).collect();
    if first.iter().all(|first| *first) {
        return names.into();
    }
    names.iter().zip(first).filter(|(_, first)| *first).map(|(name, _)| name.clone()).collect()
}

/// Encodes JSON text as it is, or as MessagePack if there are attachments.
pub(super) fn payload(json: String, attachments: &[Bytes]) -> Result<Vec<u8>, PacketError> {
    if attachments.is_empty() {
        return Ok(json.into_bytes());
    }
    let mut out = Vec::with_capacity(json.len() + attachments.iter().map(Bytes::len).sum::<usize>());
    msgpack::json_to_msgpack(&json, attachments, &mut out)?;
    Ok(out)
}

/// The JSON text of a payload in either encoding; JSON begins with `{`.
pub(super) fn of_payload(payload: &[u8]) -> Option<(Cow<'_, str>, Vec<Bytes>)> {
    if payload.first() == Some(&b'{') {
        return Some((simdutf8::basic::from_utf8(payload).ok()?.into(), Vec::new()));
    }
    let (text, attachments) = msgpack::msgpack_to_json(payload).ok()?;
    Some((text.into(), attachments))
}
