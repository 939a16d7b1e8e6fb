//! Encoding and framing of packets to clients, once per packet.

use bytes::Bytes;
use kraken_ws_codec::msgpack;
use kraken_ws_codec::packet::{self, PacketType, write_event_prefix};

use crate::engine::frame::Frame;
use crate::options::Parser;
use crate::types::error::{Error, ErrorCode, Result};

/// An event or an ack of the host.
pub(crate) struct Packet<'a> {
    pub ack: bool,
    pub id: Option<u64>,
    /// JSON array.
    pub data: &'a str,
    /// The binary values; `data` has a placeholder for each.
    pub attachments: &'a [Bytes],
}

/// Checks that `data` can be the data of a packet.
///
/// # Errors
/// [`ErrorCode::Payload`], as in [`message`].
pub(crate) fn check(data: &str, attachments: &[Bytes]) -> Result<()> {
    // The text comes from the host's own serializer, so its shape is checked and not every byte.
    if !(data.starts_with('[') && data.ends_with(']')) {
        return Err(Error::new(ErrorCode::Payload, "payload: expected a JSON array such as [\"event\", 1]"));
    }
    if !attachments.is_empty() && !packet::validate_placeholders(data, attachments.len()) {
        return Err(Error::new(
            ErrorCode::Payload,
            format!("payload: a placeholder points past the {} attachments given", attachments.len()),
        ));
    }
    Ok(())
}

/// Encodes and frames a packet.
///
/// # Errors
/// [`ErrorCode::Payload`]: `data` is not a JSON array, or the attachments don't match its placeholders.
pub(crate) fn message(parser: Parser, nsp: &str, packet: Packet<'_>, compress: bool) -> Result<Frame> {
    let Packet { ack, id, data, attachments } = packet;
    check(data, attachments)?;
    let kind = match (ack, attachments.is_empty()) {
        (false, true) => PacketType::Event,
        (false, false) => PacketType::BinaryEvent,
        (true, true) => PacketType::Ack,
        (true, false) => PacketType::BinaryAck,
    };
    match parser {
        Parser::Default => {
            let mut prefix = Vec::with_capacity(24 + nsp.len());
            write_event_prefix(&mut prefix, kind, attachments.len(), nsp, id);
            Ok(Frame::message(&prefix, data, attachments, compress))
        }
        Parser::Msgpack => {
            let bytes = msgpack::encode(kind, nsp, id, Some(data), attachments)
                .map_err(|e| Error::new(ErrorCode::Payload, format!("payload: {e}")))?;
            Ok(Frame::binary(&bytes, compress))
        }
    }
}
