//! Socket.IO packets in the encoding of socket.io-msgpack-parser: each packet is one MessagePack map `{ type, data,
//! nsp, id? }` with binary data inline.
//!
//! The rest of the core sees data as JSON text plus attachments, whatever the parser: the output of [`decode`] and
//! the input of [`encode`] have the same form as the default parser's packets. Both directions work without a tree.
//! Decoding is one pass; encoding walks the JSON twice, because a MessagePack container starts with its length. The
//! dialect is that of notepack.io, which JavaScript uses on both ends; see `read` and `write`.
//!
//! `socketioxide-parser-msgpack` deserializes into the type of the handler; here the payload only passes through to a
//! host that uses JSON.

use bytes::Bytes;

use crate::packet::{self, MAX_ARGUMENTS, PacketError, PacketType};

pub mod date;
pub mod read;
pub mod write;

pub use crate::packet::MAX_DEPTH;

/// Limit of binary values in one packet. An empty one takes two bytes here and a placeholder of thirty in JSON, so
/// without a limit a packet could grow by a factor of fifteen.
pub const MAX_ATTACHMENTS: usize = 4096;

/// A decoded packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Its type; never a binary one, because binary data is inline.
    pub kind: PacketType,
    /// The namespace.
    pub nsp: String,
    /// The ack id.
    pub id: Option<u64>,
    /// JSON text, `{"_placeholder":true,"num":n}` for the n-th attachment; empty if there is no data.
    pub data: String,
    /// The binary values in the order in which they appear.
    pub attachments: Vec<Bytes>,
}

/// Decodes a packet. Stricter than the JavaScript parser: event names follow the rule of the default parser, so a
/// client can't send `disconnect` here either, and ids can't be negative.
///
/// # Errors
/// It is not MessagePack, or not a packet that a client may send.
pub fn decode(bytes: &[u8]) -> Result<Decoded, PacketError> {
    let mut reader = read::Reader::new(bytes);
    let mut kind = None;
    let mut nsp = None;
    let mut id = None;
    let mut json = None;
    let mut elements = 0;
    for _ in 0..reader.map_len()? {
        match &*reader.key()? {
            "type" => kind = reader.uint()?.and_then(PacketType::from_number),
            "nsp" => nsp = Some(reader.string()?.ok_or(PacketError::InvalidNamespace)?),
            "id" if reader.take_undefined() => id = None,
            "id" => id = Some(reader.uint()?.ok_or(PacketError::InvalidId)?),
            "data" if reader.take_undefined() => json = None,
            "data" => {
                elements = reader.elements();
                json = Some(reader.json()?);
            }
            _ => reader.skip()?,
        }
    }
    reader.finish()?;

    let kind = kind.filter(|kind| !kind.is_binary()).ok_or(PacketError::UnknownType)?;
    let nsp = nsp.ok_or(PacketError::InvalidNamespace)?.into_owned();
    let read::Json { text: data, attachments } = match json {
        Some(json) => json,
        None if matches!(kind, PacketType::Connect | PacketType::Disconnect) => read::Json::default(),
        None => return Err(PacketError::InvalidPayload),
    };
    if !data.is_empty() && !packet::has_shape(kind, &data) {
        return Err(PacketError::InvalidPayload);
    }
    if elements > MAX_ARGUMENTS {
        return Err(PacketError::TooManyArguments);
    }
    // A map of the client that looks like a placeholder must not refer to a missing attachment.
    if !attachments.is_empty() && !packet::validate_placeholders(&data, attachments.len()) {
        return Err(PacketError::IllegalAttachments);
    }
    Ok(Decoded { kind, nsp, id, data, attachments })
}

/// Whether `bytes` are a packet with too many arguments. For hosts that parse packets themselves: other binary
/// messages pass, and most are accepted after a cheap scan.
pub fn has_too_many_arguments(bytes: &[u8]) -> bool {
    let mut reader = read::Reader::new(bytes);
    let mut scan = || {
        let (mut is_packet, mut elements) = (false, 0);
        for _ in 0..reader.map_len().ok()? {
            match &*reader.key().ok()? {
                "nsp" => is_packet = reader.string().ok()?.is_some_and(|nsp| nsp.starts_with('/')),
                "data" => {
                    elements = reader.elements();
                    reader.skip().ok()?;
                }
                _ => reader.skip().ok()?,
            }
        }
        Some(is_packet && elements > MAX_ARGUMENTS)
    };
    bytes.len() > MAX_ARGUMENTS && scan().unwrap_or(false)
}

/// Encodes a packet. `json_data` is well-formed JSON, its placeholders refer to `attachments`. A binary `kind` is
/// encoded as the plain one.
///
/// # Errors
/// A placeholder has no attachment, or the data is nested too deep or too long.
pub fn encode(
    kind: PacketType,
    nsp: &str,
    id: Option<u64>,
    json_data: Option<&str>,
    attachments: &[Bytes],
) -> Result<Vec<u8>, PacketError> {
    let kind = match kind {
        PacketType::BinaryEvent => PacketType::Event,
        PacketType::BinaryAck => PacketType::Ack,
        kind => kind,
    };
    let json_data = json_data.filter(|json| !json.is_empty());
    let binary: usize = attachments.iter().map(Bytes::len).sum();
    let mut out = Vec::with_capacity(48 + nsp.len() + json_data.map_or(0, str::len) + binary);
    let entries = 2 + u32::from(json_data.is_some()) + u32::from(id.is_some());
    write::map_len(&mut out, entries);
    write::string(&mut out, "type")?;
    write::uint(&mut out, kind as u64);
    if let Some(json) = json_data {
        write::string(&mut out, "data")?;
        json_to_msgpack(json, attachments, &mut out)?;
    }
    write::string(&mut out, "nsp")?;
    write::string(&mut out, nsp)?;
    if let Some(id) = id {
        write::string(&mut out, "id")?;
        write::uint(&mut out, id);
    }
    Ok(out)
}

/// Appends one well-formed JSON value as MessagePack. Placeholders become binary values; without any attachments, an
/// object that looks like a placeholder stays an object.
///
/// # Errors
/// A placeholder has no attachment, or the data is nested too deep or too long. `out` then holds a part of the value.
pub fn json_to_msgpack(json: &str, attachments: &[Bytes], out: &mut Vec<u8>) -> Result<(), PacketError> {
    write::json(json, attachments, out)
}

/// Converts one MessagePack value, which must be all of `bytes`, to JSON text and attachments.
///
/// # Errors
/// It is not MessagePack, is nested too deep, or has too many binary values.
pub fn msgpack_to_json(bytes: &[u8]) -> Result<(String, Vec<Bytes>), PacketError> {
    let mut reader = read::Reader::new(bytes);
    let json = reader.json()?;
    reader.finish()?;
    Ok((json.text, json.attachments))
}

#[cfg(test)]
mod tests;
