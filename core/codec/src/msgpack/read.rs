//! MessagePack to JSON text, with the result of notepack.io's decoder and `JSON.stringify`: binary values become
//! placeholders, timestamps ISO strings, NaN and infinities `null`, unknown extensions the pair `[type, binary]`.

use std::borrow::Cow;

use bytes::Bytes;
use rmp::Marker;

use crate::msgpack::{MAX_ATTACHMENTS, MAX_DEPTH, date};
use crate::packet::PacketError;
use crate::packet::json::quote;

/// A value as JSON text, with its binary parts separate.
#[derive(Debug, Default)]
pub struct Json {
    /// The text.
    pub text: String,
    /// The binary values.
    pub attachments: Vec<Bytes>,
}

/// Reads values from a buffer.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// One value; for a container only its head.
enum Item<'a> {
    Nil,
    Bool(bool),
    Uint(u64),
    Int(i64),
    Float(f64),
    Str(Cow<'a, str>),
    Bin(&'a [u8]),
    Ext(i8, &'a [u8]),
    Array(usize),
    Map(usize),
}

/// `fixext 1` of type 0, the form of `undefined` in old notepack versions.
const UNDEFINED: [u8; 3] = [0xd4, 0x00, 0x00];

type Result<T> = std::result::Result<T, PacketError>;

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Fails if bytes are left.
    pub fn finish(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(PacketError::InvalidPayload) }
    }

    /// Reads the head of a map.
    pub fn map_len(&mut self) -> Result<usize> {
        match self.item()? {
            Item::Map(len) => Ok(len),
            _ => Err(PacketError::InvalidPayload),
        }
    }

    /// Reads the head of an array.
    pub fn array_len(&mut self) -> Result<usize> {
        match self.item()? {
            Item::Array(len) => Ok(len),
            _ => Err(PacketError::InvalidPayload),
        }
    }

    /// The number of elements if the next value is an array, else 0. Nothing is consumed.
    pub fn elements(&self) -> usize {
        match (Reader { rest: self.rest }).item() {
            Ok(Item::Array(len)) => len,
            _ => 0,
        }
    }

    /// Skips a value and returns its bytes.
    pub fn raw(&mut self) -> Result<&'a [u8]> {
        let before = self.rest;
        self.skip()?;
        Ok(&before[..before.len() - self.rest.len()])
    }

    /// Reads the key of a map: a string, or a number converted to one like in JavaScript.
    pub fn key(&mut self) -> Result<Cow<'a, str>> {
        match self.item()? {
            Item::Str(key) => Ok(key),
            Item::Uint(key) => Ok(key.to_string().into()),
            Item::Int(key) => Ok(key.to_string().into()),
            _ => Err(PacketError::InvalidPayload),
        }
    }

    /// Reads a value that should be a string.
    pub fn string(&mut self) -> Result<Option<Cow<'a, str>>> {
        Ok(match self.scalar()? {
            Some(Item::Str(text)) => Some(text),
            _ => None,
        })
    }

    /// Reads a value that should be an integer from 0 to 2^64-1, in any encoding.
    pub fn uint(&mut self) -> Result<Option<u64>> {
        Ok(match self.scalar()? {
            Some(Item::Uint(value)) => Some(value),
            Some(Item::Int(value)) => u64::try_from(value).ok(),
            Some(Item::Float(value)) => {
                (value >= 0.0 && value < 2f64.powi(64) && value.fract() == 0.0).then_some(value as u64)
            }
            _ => None,
        })
    }

    /// Consumes `undefined` if it is the next value.
    pub fn take_undefined(&mut self) -> bool {
        match self.rest.strip_prefix(&UNDEFINED) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Skips a value.
    pub fn skip(&mut self) -> Result<()> {
        // Number of values still expected. It is compared with the bytes left after each head, so it can't overflow.
        let mut due: u64 = 1;
        while due > 0 {
            due -= 1;
            due += match self.item()? {
                Item::Array(len) => len as u64,
                Item::Map(len) => 2 * len as u64,
                _ => 0,
            };
            if due > self.rest.len() as u64 {
                return Err(PacketError::InvalidPayload);
            }
        }
        Ok(())
    }

    /// Reads a value as JSON.
    pub fn json(&mut self) -> Result<Json> {
        let mut json = Json::default();
        json.text.reserve(self.rest.len());
        let mut open: Vec<Open> = Vec::new();
        loop {
            if let Some(container) = open.last_mut() {
                if container.left == 0 {
                    json.text.push(if container.is_map { '}' } else { ']' });
                    open.pop();
                    if open.is_empty() {
                        return Ok(json);
                    }
                    continue;
                }
                if container.started {
                    json.text.push(',');
                }
                container.started = true;
                container.left -= 1;
                if container.is_map {
                    quote(&self.key()?, &mut json.text);
                    json.text.push(':');
                }
            }
            match self.item()? {
                Item::Array(left) => self.open(left, false, &mut open, &mut json)?,
                Item::Map(left) => self.open(left, true, &mut open, &mut json)?,
                scalar => json.push(scalar, open.len())?,
            }
            if open.is_empty() {
                return Ok(json);
            }
        }
    }

    fn open(&self, left: usize, is_map: bool, open: &mut Vec<Open>, json: &mut Json) -> Result<()> {
        if open.len() == MAX_DEPTH || left > self.rest.len() {
            return Err(PacketError::InvalidPayload);
        }
        json.text.push(if is_map { '{' } else { '[' });
        open.push(Open { left, is_map, started: false });
        Ok(())
    }

    /// Reads a value. A container is skipped and gives `None`.
    fn scalar(&mut self) -> Result<Option<Item<'a>>> {
        let before = self.rest;
        match self.item()? {
            Item::Array(_) | Item::Map(_) => {
                self.rest = before;
                self.skip()?;
                Ok(None)
            }
            item => Ok(Some(item)),
        }
    }

    fn item(&mut self) -> Result<Item<'a>> {
        let [marker] = self.take()?;
        Ok(match Marker::from_u8(marker) {
            Marker::FixPos(value) => Item::Uint(value.into()),
            Marker::FixNeg(value) => Item::Int(value.into()),
            Marker::Null => Item::Nil,
            Marker::True => Item::Bool(true),
            Marker::False => Item::Bool(false),
            Marker::U8 => Item::Uint(u8::from_be_bytes(self.take()?).into()),
            Marker::U16 => Item::Uint(u16::from_be_bytes(self.take()?).into()),
            Marker::U32 => Item::Uint(u32::from_be_bytes(self.take()?).into()),
            Marker::U64 => Item::Uint(u64::from_be_bytes(self.take()?)),
            Marker::I8 => Item::Int(i8::from_be_bytes(self.take()?).into()),
            Marker::I16 => Item::Int(i16::from_be_bytes(self.take()?).into()),
            Marker::I32 => Item::Int(i32::from_be_bytes(self.take()?).into()),
            Marker::I64 => Item::Int(i64::from_be_bytes(self.take()?)),
            Marker::F32 => Item::Float(f32::from_be_bytes(self.take()?).into()),
            Marker::F64 => Item::Float(f64::from_be_bytes(self.take()?)),
            Marker::FixStr(len) => self.str(len.into())?,
            Marker::Str8 => self.len8().and_then(|len| self.str(len))?,
            Marker::Str16 => self.len16().and_then(|len| self.str(len))?,
            Marker::Str32 => self.len32().and_then(|len| self.str(len))?,
            Marker::Bin8 => self.len8().and_then(|len| self.bytes(len)).map(Item::Bin)?,
            Marker::Bin16 => self.len16().and_then(|len| self.bytes(len)).map(Item::Bin)?,
            Marker::Bin32 => self.len32().and_then(|len| self.bytes(len)).map(Item::Bin)?,
            Marker::FixArray(len) => Item::Array(len.into()),
            Marker::Array16 => Item::Array(self.len16()?),
            Marker::Array32 => Item::Array(self.len32()?),
            Marker::FixMap(len) => Item::Map(len.into()),
            Marker::Map16 => Item::Map(self.len16()?),
            Marker::Map32 => Item::Map(self.len32()?),
            Marker::FixExt1 => self.ext(1)?,
            Marker::FixExt2 => self.ext(2)?,
            Marker::FixExt4 => self.ext(4)?,
            Marker::FixExt8 => self.ext(8)?,
            Marker::FixExt16 => self.ext(16)?,
            // notepack.io's ArrayBuffer has type 0, but only in the forms with a length.
            Marker::Ext8 => self.len8().and_then(|len| self.sized_ext(len))?,
            Marker::Ext16 => self.len16().and_then(|len| self.sized_ext(len))?,
            Marker::Ext32 => self.len32().and_then(|len| self.sized_ext(len))?,
            Marker::Reserved => return Err(PacketError::InvalidPayload),
        })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(PacketError::InvalidPayload)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn len8(&mut self) -> Result<usize> {
        Ok(u8::from_be_bytes(self.take()?).into())
    }

    fn len16(&mut self) -> Result<usize> {
        Ok(u16::from_be_bytes(self.take()?).into())
    }

    fn len32(&mut self) -> Result<usize> {
        Ok(u32::from_be_bytes(self.take()?) as usize)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(PacketError::InvalidPayload)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Invalid UTF-8 becomes U+FFFD, as in Node's `buffer.toString("utf8")`.
    fn str(&mut self, len: usize) -> Result<Item<'a>> {
        self.bytes(len).map(String::from_utf8_lossy).map(Item::Str)
    }

    fn ext(&mut self, len: usize) -> Result<Item<'a>> {
        let kind = i8::from_be_bytes(self.take()?);
        Ok(Item::Ext(kind, self.bytes(len)?))
    }

    fn sized_ext(&mut self, len: usize) -> Result<Item<'a>> {
        Ok(match self.ext(len)? {
            Item::Ext(0, data) => Item::Bin(data),
            item => item,
        })
    }
}

struct Open {
    /// Number of elements or entries still expected.
    left: usize,
    is_map: bool,
    started: bool,
}

impl Json {
    /// Writes a scalar at this depth of containers.
    fn push(&mut self, item: Item<'_>, depth: usize) -> Result<()> {
        match item {
            Item::Bool(true) => self.text.push_str("true"),
            Item::Bool(false) => self.text.push_str("false"),
            Item::Uint(value) => self.text.push_str(&value.to_string()),
            Item::Int(value) => self.text.push_str(&value.to_string()),
            Item::Float(value) if value.is_finite() => {
                // serde_json writes the shortest digits that parse to the same value, like JavaScript.
                self.text.push_str(&serde_json::Value::from(value).to_string());
            }
            Item::Str(text) => quote(&text, &mut self.text),
            Item::Bin(data) => self.binary(data)?,
            Item::Ext(kind, data) => self.ext(kind, data, depth)?,
            Item::Float(_) | Item::Nil | Item::Array(_) | Item::Map(_) => {
                self.text.push_str("null");
            }
        }
        Ok(())
    }

    fn binary(&mut self, data: &[u8]) -> Result<()> {
        let num = self.attachments.len();
        if num == MAX_ATTACHMENTS {
            return Err(PacketError::TooManyAttachments);
        }
        self.attachments.push(Bytes::copy_from_slice(data));
        self.text.push_str(&format!(r#"{{"_placeholder":true,"num":{num}}}"#));
        Ok(())
    }

    fn ext(&mut self, kind: i8, data: &[u8], depth: usize) -> Result<()> {
        let iso = match (kind, data) {
            // `undefined` of notepack.io.
            (0, [_]) => None,
            // The old date format of notepack.io: milliseconds.
            (0, &[a, b, c, d, e, f, g, h]) => {
                date::from_millis(i64::from_be_bytes([a, b, c, d, e, f, g, h]) as f64)
            }
            (-1, &[a, b, c, d]) => date::to_iso(u32::from_be_bytes([a, b, c, d]).into(), 0),
            (-1, &[a, b, c, d, e, f, g, h]) => {
                let both = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
                date::to_iso((both & 0x3_ffff_ffff) as f64, (both >> 34) as u32)
            }
            (-1, &[n0, n1, n2, n3, a, b, c, d, e, f, g, h]) => date::to_iso(
                i64::from_be_bytes([a, b, c, d, e, f, g, h]) as f64,
                u32::from_be_bytes([n0, n1, n2, n3]),
            ),
            _ if depth == MAX_DEPTH => return Err(PacketError::InvalidPayload),
            _ => {
                self.text.push_str(&format!("[{kind},"));
                self.binary(data)?;
                self.text.push(']');
                return Ok(());
            }
        };
        match iso {
            Some(iso) => quote(&iso, &mut self.text),
            None => self.text.push_str("null"),
        }
        Ok(())
    }
}
