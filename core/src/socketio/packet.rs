//! Socket.IO packets in the default encoding (protocol 5, and 4 for Engine.IO 3 clients):
//! `<type>[<attachments>-][<namespace>,][<ack id>][JSON]`.
//!
//! A packet is read as borrows of the text that came in. Its JSON is checked (well-formed, of the shape
//! its type asks for) but never built into a tree: it travels to the host as text. What is accepted is
//! what socket.io-parser 4.2.7 accepts, except for two oddities that no encoder writes: a space where
//! the ack id stands (there the id 0) and an id past 64 bits (there a rounded one, here the largest).
//!
//! `socketioxide-core` has these packets too, with an owned namespace and a payload value per packet and
//! parsing tied to its `Value`; on the path of every message that is allocations for nothing.

use std::borrow::Cow;
use std::io::Write as _;

use json::{Token, Tokens};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

pub mod json;

/// Binary attachments of one packet, as in socket.io-parser.
pub const MAX_ATTACHMENTS: usize = 10;

/// Elements of the array of an event or an ack, the event's name among them. Hosts in JavaScript hand them to functions
/// as arguments, each of which is 8 bytes of a stack of about 1 MB, in every layer that passes them on (V8 throws from
/// about 120,000 on, in one layer). What is more goes into an array that is one argument.
pub const MAX_ARGUMENTS: usize = 4096;

/// Arrays and objects inside each other; deeper data is refused, for the sake of whoever reads or writes it recursively.
pub const MAX_DEPTH: usize = 512;

/// Names that mean something to socket.io itself; neither side sends events of these names.
pub const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// What a packet is; the value is its digit on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PacketType {
    /// Join a namespace, or the answer to that.
    Connect = 0,
    /// Leave a namespace.
    Disconnect = 1,
    /// An event, with an id if an ack is asked for.
    Event = 2,
    /// The answer to an event.
    Ack = 3,
    /// A namespace refused.
    ConnectError = 4,
    /// An event whose binary parts follow as attachments.
    BinaryEvent = 5,
    /// An ack whose binary parts follow as attachments.
    BinaryAck = 6,
}

impl PacketType {
    /// The type for a digit's value, 0 to 6.
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

    /// Whether the binary parts travel as attachments after the packet.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::BinaryEvent | Self::BinaryAck)
    }
}

/// A packet, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its type.
    pub kind: PacketType,
    /// How many binary attachments follow; 0 unless the type is a binary one.
    pub attachments: usize,
    /// The namespace, `/` if none is given, without a query.
    pub nsp: &'a str,
    /// What follows `?` in the namespace. Protocol 4 clients send their query here; in protocol 5 it is
    /// part of the name, see [`Header::full_nsp`].
    pub query: Option<&'a str>,
    /// The namespace as it came, with a query.
    pub full_nsp: &'a str,
    /// The ack id.
    pub id: Option<u64>,
    /// The JSON text; empty if there is none. An event may come without (socket.io lets it pass).
    pub data: &'a str,
}

/// Why a packet is refused; the messages are socket.io's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketError {
    /// The type is not known.
    UnknownType,
    /// The count of attachments is malformed, or a placeholder points at none.
    IllegalAttachments,
    /// More attachments than a packet may have.
    TooManyAttachments,
    /// The namespace is not a string.
    InvalidNamespace,
    /// The ack id is not a 64-bit number.
    InvalidId,
    /// The data is malformed or not what the packet's type asks for.
    InvalidPayload,
    /// More than [`MAX_ARGUMENTS`].
    TooManyArguments,
    /// Deeper than [`MAX_DEPTH`].
    TooDeep,
}

impl PacketError {
    /// What hosts are told.
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

/// Reads a packet from the text behind the Engine.IO `4`. Safe for any depth of nesting: nothing here
/// recurses.
///
/// # Errors
/// See [`PacketError`]; socket.io closes the connection with `parse error`.
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
        // Too long for a number: nobody waits for it, and its ack will name an id that nobody sent.
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

/// Whether `data` is JSON of the shape that packets of `kind` carry, and within the limits.
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
    // Only what opens so many containers can have them inside each other.
    let deep = || memchr::memchr2_iter(b'[', b'{', data.as_bytes()).nth(MAX_DEPTH).is_some();
    if data.len() > MAX_DEPTH && deep() && json::is_deeper_than(data, MAX_DEPTH) {
        return Err(PacketError::TooDeep);
    }
    Ok(())
}

/// Checks an array of arguments that did not come in a packet of a client.
///
/// # Errors
/// It is malformed, has more than [`MAX_ARGUMENTS`] elements, or is deeper than [`MAX_DEPTH`].
pub(crate) fn check_arguments(data: &str) -> Result<(), PacketError> {
    let Elements(count) = serde_json::from_str(data).map_err(|_| PacketError::InvalidPayload)?;
    check_limits(count, data)
}

/// Whether `text` is a packet that is refused for the number of its arguments or its depth. For hosts that read packets
/// themselves: other texts are none of our business, and most are not looked at twice.
pub(crate) fn is_beyond_limits(text: &str) -> bool {
    let more_than = |limit, mut found: memchr::Memchr2<'_>| found.nth(limit).is_some();
    text.len() > MAX_DEPTH
        && (more_than(MAX_DEPTH, memchr::memchr2_iter(b'[', b'{', text.as_bytes()))
            || more_than(MAX_ARGUMENTS - 2, memchr::memchr2_iter(b',', b',', text.as_bytes())))
        && matches!(parse(text), Err(PacketError::TooManyArguments | PacketError::TooDeep))
}

/// How many elements an array has; other values have none. What is in them is checked and ignored: for that serde_json
/// walks the text in a loop, so depth costs no stack.
pub(crate) struct Elements(pub usize);

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

/// Whether `data`, which is well-formed JSON, is what packets of `kind` carry.
pub(crate) fn has_shape(kind: PacketType, data: &str) -> bool {
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

/// The name of an event: the first element of its array, a string or a number (then its JSON text).
/// `data` is JSON that [`parse`] let pass. Unpaired surrogates in escapes become U+FFFD.
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

/// How many placeholders for attachments `data` holds; `data` is well-formed JSON.
pub fn count_placeholders(data: &str) -> usize {
    let mut count = 0;
    json::placeholders(data, &mut |_| {
        count += 1;
        true
    });
    count
}

/// Whether every placeholder in `data` points at one of `attachments`; `data` is well-formed JSON. As in
/// socket.io, one attachment may be pointed at twice or not at all. An index with a fraction, which
/// socket.io turns into `undefined`, is refused.
pub fn validate_placeholders(data: &str, attachments: usize) -> bool {
    json::placeholders(data, &mut |num| num.is_some_and(|num| num < attachments))
}

/// Appends everything that stands before the JSON: `2`, `51-/admin,12`.
pub fn write_event_prefix(
    out: &mut Vec<u8>,
    kind: PacketType,
    attachments: usize,
    nsp: &str,
    id: Option<u64>,
) {
    out.push(b'0' + kind as u8);
    if kind.is_binary() {
        // Writing to a Vec does not fail.
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

/// The answer to an accepted CONNECT. `pid` is the private session id of connection state recovery.
/// For a protocol 4 client, which is told nothing but the namespace, see [`connect_v4`].
pub fn connect(nsp: &str, sid: &str, pid: Option<&str>) -> String {
    let sid = quote(sid);
    let json = match pid {
        Some(pid) => format!(r#"{{"sid":{sid},"pid":{}}}"#, quote(pid)),
        None => format!(r#"{{"sid":{sid}}}"#),
    };
    packet(PacketType::Connect, nsp, &json)
}

/// The answer to an accepted CONNECT in protocol 4.
pub fn connect_v4(nsp: &str) -> String {
    packet(PacketType::Connect, nsp, "")
}

/// The answer to a refused CONNECT. `data` is the JSON text of the error's `data`.
pub fn connect_error(nsp: &str, message: &str, data: Option<&str>) -> String {
    let message = quote(message);
    let json = match data {
        Some(data) => format!(r#"{{"message":{message},"data":{data}}}"#),
        None => format!(r#"{{"message":{message}}}"#),
    };
    packet(PacketType::ConnectError, nsp, &json)
}

/// The same in protocol 4, where the packet carries the data, or else the message, bare.
pub fn connect_error_v4(nsp: &str, message: &str, data: Option<&str>) -> String {
    let json = data.map_or_else(|| Cow::Owned(quote(message)), Cow::Borrowed);
    packet(PacketType::ConnectError, nsp, &json)
}

/// The server takes a client out of a namespace.
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
