//! Socket.IO packets in the default encoding (protocol 5, and 4 for Engine.IO 3 clients):
//! `<type>[<attachments>-][<namespace>,][<ack id>][JSON]`.
//!
//! A parsed packet borrows from the received text. Its JSON is validated (well-formed, with the shape that the type
//! requires) but not built into a tree, because it travels to the host as text. The accepted packets are those of
//! socket.io-parser 4.2.7, with two exceptions that no encoder produces: a space in place of the ack id (there the id
//! 0), and an id above 64 bits (there a rounded one, here the maximum).
//!
//! `socketioxide-core` implements these packets too, with an owned namespace and a payload value per packet and
//! parsing tied to its `Value`; for every message that would cost allocations without a benefit.

use std::borrow::Cow;
use std::io::Write as _;

use json::{Token, Tokens};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

pub mod json;

/// Limit of binary attachments of one packet, as in socket.io-parser.
pub const MAX_ATTACHMENTS: usize = 10;

/// Limit of elements in the array of an event or an ack, including the event's name. JavaScript hosts pass them to
/// functions as arguments. Each argument takes 8 bytes of a stack of about 1 MB, in every layer that passes them on
/// (V8 throws from about 120,000 in a single layer). An application with more values sends them as one array.
pub const MAX_ARGUMENTS: usize = 4096;

/// Limit of nested arrays and objects. Deeper data is refused, to protect code that processes it recursively.
pub const MAX_DEPTH: usize = 512;

/// Names with a meaning in socket.io itself; neither side sends events with these names.
pub const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// The type of a packet; the value is its digit on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PacketType {
    /// Joins a namespace, or confirms that.
    Connect = 0,
    /// Leaves a namespace.
    Disconnect = 1,
    /// An event; it has an id if an ack is wanted.
    Event = 2,
    /// The ack of an event.
    Ack = 3,
    /// The refusal of a namespace.
    ConnectError = 4,
    /// An event whose binary parts follow as attachments.
    BinaryEvent = 5,
    /// An ack whose binary parts follow as attachments.
    BinaryAck = 6,
}

impl PacketType {
    /// The type with this number, 0 to 6.
    pub fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Connect,
            1 => Self::Disconnect,
            2 => Self::Event,
            3 => Self::Ack,
            4 => Self::ConnectError,
            5 => Self::BinaryEvent,
            6 => Self::BinaryAck,
            _ => return None,
        })
    }

    /// Whether the binary parts follow the packet as attachments.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::BinaryEvent | Self::BinaryAck)
    }
}

/// A parsed packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its type.
    pub kind: PacketType,
    /// Number of binary attachments that follow; 0 unless the type is a binary one.
    pub attachments: usize,
    /// The namespace without a query; `/` if the packet names none.
    pub nsp: &'a str,
    /// The text after `?` in the namespace. Protocol 4 clients send their query here; in protocol 5 it is part of the
    /// name, see [`Header::full_nsp`].
    pub query: Option<&'a str>,
    /// The namespace as received, including a query.
    pub full_nsp: &'a str,
    /// The ack id.
    pub id: Option<u64>,
    /// The JSON text; empty if there is none. An event may have none, as in socket.io.
    pub data: &'a str,
}

/// The reason why a packet is refused; the texts are socket.io's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketError {
    /// The type is unknown.
    UnknownType,
    /// The number of attachments is malformed, or a placeholder has no attachment.
    IllegalAttachments,
    /// More attachments than a packet may have.
    TooManyAttachments,
    /// The namespace is not a string.
    InvalidNamespace,
    /// The ack id is not a 64-bit number.
    InvalidId,
    /// The data is malformed or does not have the shape that the packet's type requires.
    InvalidPayload,
    /// More than [`MAX_ARGUMENTS`].
    TooManyArguments,
    /// Deeper than [`MAX_DEPTH`].
    TooDeep,
}

impl PacketError {
    /// The text for hosts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownType => "unknown packet type",
            Self::IllegalAttachments => "Illegal attachments",
            Self::TooManyAttachments => "too many attachments",
            Self::InvalidNamespace => "invalid namespace",
            Self::InvalidId => "invalid packet id",
            Self::InvalidPayload => "invalid payload",
            Self::TooManyArguments => "too many arguments",
            Self::TooDeep => "data is nested too deep",
        }
    }
}

impl std::fmt::Display for PacketError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for PacketError {}

/// Parses a packet from the text after the Engine.IO `4`. Safe for any depth of nesting, because nothing here
/// recurses.
///
/// # Errors
/// See [`PacketError`]; as in socket.io, the connection is then closed.
pub fn parse(text: &str) -> Result<Header<'_>, PacketError> {
    let digit = text.bytes().next().ok_or(PacketError::UnknownType)?;
    let kind =
        PacketType::from_number(u64::from(digit.wrapping_sub(b'0'))).ok_or(PacketError::UnknownType)?;
    let mut rest = &text[1..];

    let mut attachments = 0;
    if kind.is_binary() {
        let (count, after) = rest.split_once('-').ok_or(PacketError::IllegalAttachments)?;
        attachments = parse_attachments(count)?;
        rest = after;
    }

    let mut full_nsp = "/";
    if rest.starts_with('/') {
        (full_nsp, rest) = rest.split_once(',').unwrap_or((rest, ""));
    }
    let (nsp, query) = match full_nsp.split_once('?') {
        Some((nsp, query)) => (nsp, Some(query)),
        None => (full_nsp, None),
    };

    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (id, data) = rest.split_at(digits);
    let id = match id {
        "" => None,
        // An id above 64 bits was never given out, so its ack matches nothing.
        id => Some(id.parse().unwrap_or(u64::MAX)),
    };

    if !data.is_empty() {
        check_payload(kind, data)?;
    }
    Ok(Header { kind, attachments, nsp, query, full_nsp, id, data })
}

fn parse_attachments(count: &str) -> Result<usize, PacketError> {
    if count.is_empty() || !count.bytes().all(|b| b.is_ascii_digit()) {
        return Err(PacketError::IllegalAttachments);
    }
    match count.trim_start_matches('0').parse() {
        Ok(count) if count <= MAX_ATTACHMENTS => Ok(count),
        Err(_) if count.bytes().all(|b| b == b'0') => Err(PacketError::IllegalAttachments),
        _ => Err(PacketError::TooManyAttachments),
    }
}

/// Checks that `data` is JSON with the shape for packets of `kind`, within the limits.
fn check_payload(kind: PacketType, data: &str) -> Result<(), PacketError> {
    let Elements(count) = serde_json::from_str(data).map_err(|_| PacketError::InvalidPayload)?;
    if !has_shape(kind, data) {
        return Err(PacketError::InvalidPayload);
    }
    check_limits(count, data)
}

fn check_limits(elements: usize, data: &str) -> Result<(), PacketError> {
    if elements > MAX_ARGUMENTS {
        return Err(PacketError::TooManyArguments);
    }
    // A cheap test first: only data with this many opening brackets can be nested too deep.
    let deep = || memchr::memchr2_iter(b'[', b'{', data.as_bytes()).nth(MAX_DEPTH).is_some();
    if data.len() > MAX_DEPTH && deep() && json::is_deeper_than(data, MAX_DEPTH) {
        return Err(PacketError::TooDeep);
    }
    Ok(())
}

/// Checks an array of arguments that did not come in a client's packet.
///
/// # Errors
/// It is malformed, has more than [`MAX_ARGUMENTS`] elements, or is nested deeper than [`MAX_DEPTH`].
pub fn check_arguments(data: &str) -> Result<(), PacketError> {
    let Elements(count) = serde_json::from_str(data).map_err(|_| PacketError::InvalidPayload)?;
    check_limits(count, data)
}

/// Whether `text` is a packet with too many arguments or too much nesting. For hosts that parse packets themselves:
/// other texts pass, and most are accepted after a cheap scan.
pub fn is_beyond_limits(text: &str) -> bool {
    let more_than = |limit, mut found: memchr::Memchr2<'_>| found.nth(limit).is_some();
    text.len() > MAX_DEPTH
        && (more_than(MAX_DEPTH, memchr::memchr2_iter(b'[', b'{', text.as_bytes()))
            || more_than(MAX_ARGUMENTS - 2, memchr::memchr2_iter(b',', b',', text.as_bytes())))
        && matches!(parse(text), Err(PacketError::TooManyArguments | PacketError::TooDeep))
}

/// The number of elements of an array; 0 for other values. The elements are validated and skipped; serde_json does
/// that in a loop, so depth costs no stack.
pub struct Elements(pub usize);

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Count;

        impl<'de> Visitor<'de> for Count {
            type Value = Elements;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array, an object or a string")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Elements, A::Error> {
                let mut count = 0;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Elements(count))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Elements, A::Error> {
                IgnoredAny.visit_map(map).map(|_| Elements(0))
            }

            fn visit_str<E>(self, _: &str) -> Result<Elements, E> {
                Ok(Elements(0))
            }
        }

        deserializer.deserialize_any(Count)
    }
}

/// Whether `data`, which is well-formed JSON, has the shape for packets of `kind`.
pub fn has_shape(kind: PacketType, data: &str) -> bool {
    let Some(first) = data.trim_start().bytes().next() else { return false };
    match kind {
        PacketType::Connect => first == b'{',
        PacketType::Disconnect => false,
        PacketType::ConnectError => matches!(first, b'{' | b'"'),
        PacketType::Ack | PacketType::BinaryAck => first == b'[',
        PacketType::Event | PacketType::BinaryEvent => {
            event_name(data).is_some_and(|name| !RESERVED_EVENTS.contains(&&*name))
        }
    }
}

/// The name of an event: the first element of its array, a string or a number (then its JSON text). `data` is JSON
/// that [`parse`] has accepted. Unpaired surrogates in escapes become U+FFFD.
pub fn event_name(data: &str) -> Option<Cow<'_, str>> {
    let mut tokens = Tokens::new(data);
    if tokens.next() != Some(Token::ArrayStart) {
        return None;
    }
    match tokens.next()? {
        Token::String(raw) => Some(json::unescape(raw)),
        Token::Number(number) => Some(Cow::Borrowed(number)),
        _ => None,
    }
}

/// Number of placeholders for attachments in `data`, which is well-formed JSON.
pub fn count_placeholders(data: &str) -> usize {
    let mut count = 0;
    json::placeholders(data, &mut |_| {
        count += 1;
        true
    });
    count
}

/// Whether every placeholder in `data` refers to one of `attachments`; `data` is well-formed JSON. As in socket.io,
/// an attachment may be referred to twice or not at all. A fractional index, which socket.io turns into `undefined`,
/// is refused.
pub fn validate_placeholders(data: &str, attachments: usize) -> bool {
    json::placeholders(data, &mut |num| num.is_some_and(|num| num < attachments))
}

/// Appends everything before the JSON: `2`, `51-/admin,12`.
pub fn write_event_prefix(
    out: &mut Vec<u8>,
    kind: PacketType,
    attachments: usize,
    nsp: &str,
    id: Option<u64>,
) {
    out.push(b'0' + kind as u8);
    if kind.is_binary() {
        // Writing to a Vec can't fail.
        let _ = write!(out, "{attachments}-");
    }
    if nsp != "/" {
        out.extend_from_slice(nsp.as_bytes());
        out.push(b',');
    }
    if let Some(id) = id {
        let _ = write!(out, "{id}");
    }
}

fn packet(kind: PacketType, nsp: &str, json: &str) -> String {
    let digit = char::from(b'0' + kind as u8);
    match nsp {
        "/" => format!("{digit}{json}"),
        nsp => format!("{digit}{nsp},{json}"),
    }
}

/// The confirmation of a CONNECT. `pid` is the private session id of connection state recovery. For protocol 4
/// clients, which receive only the namespace, see [`connect_v4`].
pub fn connect(nsp: &str, sid: &str, pid: Option<&str>) -> String {
    let sid = quote(sid);
    let json = match pid {
        Some(pid) => format!(r#"{{"sid":{sid},"pid":{}}}"#, quote(pid)),
        None => format!(r#"{{"sid":{sid}}}"#),
    };
    packet(PacketType::Connect, nsp, &json)
}

/// The confirmation of a CONNECT in protocol 4.
pub fn connect_v4(nsp: &str) -> String {
    packet(PacketType::Connect, nsp, "")
}

/// The refusal of a CONNECT. `data` is the JSON text of the error's `data`.
pub fn connect_error(nsp: &str, message: &str, data: Option<&str>) -> String {
    let message = quote(message);
    let json = match data {
        Some(data) => format!(r#"{{"message":{message},"data":{data}}}"#),
        None => format!(r#"{{"message":{message}}}"#),
    };
    packet(PacketType::ConnectError, nsp, &json)
}

/// The refusal of a CONNECT in protocol 4, where the packet is only the data, or else the message.
pub fn connect_error_v4(nsp: &str, message: &str, data: Option<&str>) -> String {
    let json = data.map_or_else(|| Cow::Owned(quote(message)), Cow::Borrowed);
    packet(PacketType::ConnectError, nsp, &json)
}

/// Disconnects a client from a namespace.
pub fn disconnect(nsp: &str) -> String {
    packet(PacketType::Disconnect, nsp, "")
}

fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    json::quote(text, &mut out);
    out
}

#[cfg(test)]
mod tests;
