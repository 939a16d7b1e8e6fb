//! RESP, versions 2 and 3: encoding of commands, parsing of replies. The bytes of a reply are slices of the read
//! buffer, so the payload of a message is not copied. <https://redis.io/docs/latest/develop/reference/protocol-spec/>

use bytes::{BufMut, Bytes, BytesMut};

/// Limit of nested arrays; `CLUSTER SLOTS` needs four.
const MAX_DEPTH: usize = 16;

/// Limit of a line. A length has at most 20 digits, and error messages of Redis are shorter than this.
const MAX_LINE: usize = 64 * 1024;

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A simple string, or a scalar type (such as a double) whose text is not interpreted.
    Simple(Bytes),
    /// An error: code, space, text.
    Error(Bytes),
    /// An integer.
    Int(i64),
    /// A bulk string.
    Bulk(Bytes),
    /// No value.
    Null,
    /// An array or a set; or a map, as key, value, key, value.
    Array(Vec<Value>),
    /// An out-of-band message (RESP3).
    Push(Vec<Value>),
}

impl Value {
    /// The bytes of a simple or bulk string.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        match self {
            Value::Simple(bytes) | Value::Bulk(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        self.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    pub(crate) fn int(&self) -> Option<i64> {
        match self {
            Value::Int(int) => Some(*int),
            _ => None,
        }
    }

    pub(crate) fn items(&self) -> &[Value] {
        match self {
            Value::Array(items) | Value::Push(items) => items,
            _ => &[],
        }
    }

    /// The text of an error reply.
    pub(crate) fn error(&self) -> Option<String> {
        match self {
            Value::Error(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        }
    }
}

/// The result of [`measure`].
enum Measured {
    /// The first reply ends at this offset.
    Whole(usize),
    /// The reply is incomplete; it has at least this many bytes.
    Needs(usize),
}

/// Removes the first reply from `buffer`. `None` if it is incomplete; then the buffer is enlarged for the rest. It is
/// an error if the reply is longer than `limit`.
pub fn take(buffer: &mut BytesMut, limit: usize) -> Result<Option<Value>, String> {
    match measure(buffer, limit)? {
        Measured::Whole(length) => {
            let frame = buffer.split_to(length).freeze();
            let mut at = 0;
            Ok(Some(decode(&frame, &mut at)))
        }
        Measured::Needs(length) => {
            buffer.reserve(length - buffer.len());
            Ok(None)
        }
    }
}

/// Finds the end of the first reply and validates everything that [`decode`] relies on.
fn measure(buffer: &[u8], limit: usize) -> Result<Measured, String> {
    let mut at = 0;
    // Number of replies still expected at each depth.
    let mut open: Vec<u64> = Vec::new();
    loop {
        let Some((kind, line, next)) = line(buffer, at)? else {
            return Ok(Measured::Needs(buffer.len() + 1));
        };
        at = next;
        let mut children = 0;
        match kind {
            b'+' | b'-' | b'_' | b',' | b'#' | b'(' => {}
            b':' => {
                int(line)?;
            }
            b'$' | b'=' | b'!' => {
                if let Some(length) = length(line)? {
                    if length > limit as u64 {
                        return Err(format!("a reply of {length} bytes is longer than the limit of {limit}"));
                    }
                    at += length as usize + 2;
                    if at > buffer.len() {
                        return Ok(Measured::Needs(at));
                    }
                    if &buffer[at - 2..at] != b"\r\n" {
                        return Err("the server does not speak RESP: a string without its end".to_owned());
                    }
                }
            }
            b'*' | b'~' | b'>' => children = length(line)?.unwrap_or(0),
            b'%' => children = length(line)?.unwrap_or(0).saturating_mul(2),
            // An attribute and the reply behind it count as one reply.
            b'|' => children = length(line)?.unwrap_or(0).saturating_mul(2).saturating_add(1),
            other => {
                return Err(format!("the server does not speak RESP: a reply starts with byte {other:#04x}"));
            }
        }
        // Every child takes at least three bytes.
        if children > limit as u64 / 3 || at > limit.saturating_add(MAX_LINE) {
            return Err(format!("a reply is longer than the limit of {limit} bytes"));
        }
        if children > 0 {
            if open.len() == MAX_DEPTH {
                return Err("a reply is nested too deep".to_owned());
            }
            open.push(children);
            continue;
        }
        loop {
            match open.last_mut() {
                None => return Ok(Measured::Whole(at)),
                Some(1) => {
                    open.pop();
                }
                Some(left) => {
                    *left -= 1;
                    break;
                }
            }
        }
    }
}

/// Decodes the reply at `at`, which [`measure`] has validated.
fn decode(frame: &Bytes, at: &mut usize) -> Value {
    let (kind, text, next) = match line(frame, *at) {
        Ok(Some(found)) => found,
        _ => return Value::Null,
    };
    let start = *at + 1;
    *at = next;
    let items = |count: u64, at: &mut usize| (0..count).map(|_| decode(frame, at)).collect::<Vec<_>>();
    let count = || length(text).ok().flatten();
    match kind {
        b'-' => Value::Error(frame.slice(start..start + text.len())),
        b':' => Value::Int(int(text).unwrap_or(0)),
        b'_' => Value::Null,
        b'$' | b'=' | b'!' => match count() {
            None => Value::Null,
            Some(length) => {
                let bytes = frame.slice(*at..*at + length as usize);
                *at += length as usize + 2;
                match kind {
                    b'!' => Value::Error(bytes),
                    // A verbatim string begins with its format: `txt:`.
                    b'=' => Value::Bulk(bytes.slice(bytes.len().min(4)..)),
                    _ => Value::Bulk(bytes),
                }
            }
        },
        b'*' | b'~' => count().map_or(Value::Null, |count| Value::Array(items(count, at))),
        b'>' => Value::Push(items(count().unwrap_or(0), at)),
        b'%' => Value::Array(items(count().unwrap_or(0) * 2, at)),
        b'|' => {
            items(count().unwrap_or(0) * 2, at);
            decode(frame, at)
        }
        _ => Value::Simple(frame.slice(start..start + text.len())),
    }
}

/// The type byte, the text, and the offset of the next line.
type Line<'a> = (u8, &'a [u8], usize);

/// The line at `at`, if it is complete.
fn line(buffer: &[u8], at: usize) -> Result<Option<Line<'_>>, String> {
    let rest = &buffer[at.min(buffer.len())..];
    match memchr::memchr(b'\n', rest) {
        Some(end) if end >= 2 && rest[end - 1] == b'\r' => {
            Ok(Some((rest[0], &rest[1..end - 1], at + end + 1)))
        }
        None if rest.len() < MAX_LINE => Ok(None),
        _ => Err("the server does not speak RESP: a line without its end".to_owned()),
    }
}

fn int(text: &[u8]) -> Result<i64, String> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| "the server does not speak RESP: a number was expected".to_owned())
}

/// A length; `None` for −1, the null of RESP2.
fn length(text: &[u8]) -> Result<Option<u64>, String> {
    match int(text)? {
        -1 => Ok(None),
        length => u64::try_from(length)
            .map(Some)
            .map_err(|_| "the server does not speak RESP: a negative length".to_owned()),
    }
}

/// Appends an encoded command.
pub(crate) fn command(out: &mut BytesMut, parts: &[&[u8]]) {
    header(out, b'*', parts.len());
    for part in parts {
        header(out, b'$', part.len());
        out.put_slice(part);
        out.put_slice(b"\r\n");
    }
}

/// Appends a header: `kind`, a number and CRLF.
pub(crate) fn header(out: &mut BytesMut, kind: u8, mut number: usize) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.put_u8(kind);
    out.put_slice(&digits[first..]);
    out.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> Result<Option<Value>, String> {
        take(&mut BytesMut::from(text), 1000)
    }

    fn bulk(text: &'static str) -> Value {
        Value::Bulk(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn every_kind_of_reply_is_read() {
        let simple = |text: &'static str| Value::Simple(Bytes::from_static(text.as_bytes()));
        for (wire, value) in [
            ("+OK\r\n", simple("OK")),
            ("-ERR no\r\n", Value::Error(Bytes::from_static(b"ERR no"))),
            ("!6\r\nERR no\r\n", Value::Error(Bytes::from_static(b"ERR no"))),
            (":-12\r\n", Value::Int(-12)),
            ("$0\r\n\r\n", bulk("")),
            ("$2\r\nhi\r\n", bulk("hi")),
            ("=6\r\ntxt:hi\r\n", bulk("hi")),
            ("$-1\r\n", Value::Null),
            ("*-1\r\n", Value::Null),
            ("_\r\n", Value::Null),
            ("#t\r\n", simple("t")),
            (",1.5\r\n", simple("1.5")),
            ("*0\r\n", Value::Array(vec![])),
            ("~1\r\n:1\r\n", Value::Array(vec![Value::Int(1)])),
            ("%1\r\n+a\r\n:1\r\n", Value::Array(vec![simple("a"), Value::Int(1)])),
            (">2\r\n$2\r\nhi\r\n:1\r\n", Value::Push(vec![bulk("hi"), Value::Int(1)])),
            ("|1\r\n+ttl\r\n:1\r\n$2\r\nhi\r\n", bulk("hi")),
            (
                "*2\r\n*1\r\n*0\r\n:1\r\n",
                Value::Array(vec![Value::Array(vec![Value::Array(vec![])]), Value::Int(1)]),
            ),
        ] {
            assert_eq!(one(wire), Ok(Some(value)), "{wire:?}");
            // The result must not depend on how the bytes are split.
            let mut buffer = BytesMut::new();
            for (index, byte) in wire.bytes().enumerate() {
                buffer.put_u8(byte);
                let taken = take(&mut buffer, 1000).unwrap();
                assert_eq!(taken.is_some(), index + 1 == wire.len(), "{wire:?} at {index}");
            }
        }
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for wire in [
            "HTTP/1.1 400 Bad Request\r\n",
            "$5\r\nhello!!",
            "$x\r\n",
            ":\r\n",
            "*-2\r\n",
            "\r\n",
            "\n",
            "$5000\r\n",
            "*400\r\n",
        ] {
            assert!(one(wire).is_err(), "{wire:?}: {:?}", one(wire));
        }
        assert!(one(&"*1\r\n".repeat(17)).is_err());
        assert!(take(&mut BytesMut::from(&vec![b'+'; MAX_LINE][..]), 1000).is_err());
    }

    #[test]
    fn a_long_string_is_read_into_room_made_for_it() {
        let mut buffer = BytesMut::from("$900\r\nx");
        assert_eq!(take(&mut buffer, 1000), Ok(None));
        assert!(buffer.capacity() >= 6 + 900 + 2);
    }

    #[test]
    fn a_command_is_an_array_of_strings() {
        let mut out = BytesMut::new();
        command(&mut out, &[b"PUBLISH", b"", &[0; 1234]]);
        assert!(out.starts_with(b"*3\r\n$7\r\nPUBLISH\r\n$0\r\n\r\n$1234\r\n\0"));
        assert!(matches!(take(&mut out, 5000), Ok(Some(Value::Array(parts))) if parts.len() == 3));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = take(&mut buffer, 1000) {}
        }

        #[test]
        fn anything_like_resp_is_taken_or_refused(text in "([*$>%~|:+=!-][0-9]{0,3}\r\n[a-z]{0,3}(\r\n)?){0,20}") {
            let mut buffer = BytesMut::from(text.as_bytes());
            while let Ok(Some(_)) = take(&mut buffer, 1000) {}
        }
    }
}
