//! JSON text, written piece by piece: what a host gives is spliced in, not parsed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::shared::fleet_reply::RemoteSocket;
use crate::socketio::msgpack;
use crate::socketio::packet::PacketError;
use crate::socketio::packet::json::quote;
use crate::types::flags::EmitFlags;
use crate::types::target::Target;

/// An object under construction.
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

    /// A value that is JSON.
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

    /// Names of rooms. In JavaScript a room may be a number, and is another than the text of it; here it is the same.
    /// So other nodes are told both.
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

/// How the name of a room begins that is not well-formed in JavaScript, and can't be had as text; the JSON of it follows
/// (`node-binding/src-ts/native/room-name.ts`).
pub(super) const ILL_FORMED: &str = "\0string ";

/// The JSON of such a name.
fn ill_formed(room: &str) -> Option<&str> {
    let json = room.strip_prefix(ILL_FORMED)?;
    // A host may call a room so.
    (json.starts_with('"') && serde_json::from_str::<&RawValue>(json).is_ok()).then_some(json)
}

/// Whether a room's name is what JavaScript makes of a number.
pub(super) fn is_number(room: &str) -> bool {
    // Longer ones have an exponent there.
    let may_be = room.len() <= 20 && room.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    may_be && room != "-0" && room.parse::<f64>().is_ok_and(|number| number.to_string() == room)
}

/// A room expression as the adapters' `opts`; `flags` is JSON.
pub(super) fn opts(target: &Target, flags: Option<&str>) -> String {
    let opts =
        Object::new().rooms("rooms", &distinct(&target.rooms)).rooms("except", &distinct(&target.except));
    match flags {
        Some(flags) => opts.json("flags", flags).end(),
        None => opts.end(),
    }
}

/// The adapters' `flags`, with what is not the default.
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

/// Sockets as another node fetches them.
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

/// Each name once, in order: the adapters' are sets.
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

/// JSON text as it is, or as MessagePack where it has attachments.
pub(super) fn payload(json: String, attachments: &[Bytes]) -> Result<Vec<u8>, PacketError> {
    if attachments.is_empty() {
        return Ok(json.into_bytes());
    }
    let mut out = Vec::with_capacity(json.len() + attachments.iter().map(Bytes::len).sum::<usize>());
    msgpack::json_to_msgpack(&json, attachments, &mut out)?;
    Ok(out)
}

/// The JSON text of a payload of either kind: JSON begins with `{`.
pub(super) fn of_payload(payload: &[u8]) -> Option<(Cow<'_, str>, Vec<Bytes>)> {
    if payload.first() == Some(&b'{') {
        return Some((simdutf8::basic::from_utf8(payload).ok()?.into(), Vec::new()));
    }
    let (text, attachments) = msgpack::msgpack_to_json(payload).ok()?;
    Some((text.into(), attachments))
}
