//! WebSocket frames, server side (RFC 6455 §5, with the RSV1 bit of RFC 7692).
//!
//! [`Decoder`] turns the bytes of one connection into messages and control frames; [`put_header`] and its neighbours
//! encode frames and compute the accept key of the opening handshake.
//!
//! This is not taken from tungstenite, because its reader copies every frame out of the stream into its own buffer,
//! and keeps that buffer while the connection is idle. The tests compare both implementations.

mod decode;
mod encode;

pub use decode::Decoder;
pub use encode::{accept_key, close_frame, header_len, pong_frame, put_header, valid_key};

/// Continuation of a fragmented message.
pub const CONTINUATION: u8 = 0x0;
/// Text message.
pub const TEXT: u8 = 0x1;
/// Binary message.
pub const BINARY: u8 = 0x2;
/// Close frame.
pub const CLOSE: u8 = 0x8;
/// Ping frame.
pub const PING: u8 = 0x9;
/// Pong frame.
pub const PONG: u8 = 0xA;

/// Limit of a control frame's payload (RFC 6455 §5.5).
const MAX_CONTROL: usize = 125;

/// The limits of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Limit of a message in bytes, over all fragments; applies before and after inflating.
    pub max_message: usize,
    /// Whether permessage-deflate was negotiated on this connection.
    pub deflate: bool,
}

/// A complete message or control frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping. The answer is a [`pong_frame`] with the same payload.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// A close frame. The decoder ignores all bytes after it.
    Close {
        /// The peer's close code, if it sent one.
        code: Option<u16>,
        /// The peer's reason, maybe empty.
        reason: &'a str,
    },
}

/// The reason why the connection has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WsError {
    /// The peer violated the framing rules.
    Protocol(&'static str),
    /// A text message or close reason is not UTF-8.
    InvalidUtf8,
    /// A message is longer than [`Limits::max_message`].
    TooBig,
    /// A compressed message can't be inflated.
    Deflate,
}

impl WsError {
    /// The code for the close frame (RFC 6455 §7.4.1). For a broken deflate stream it is 1007, as in the JavaScript
    /// package `ws`.
    pub fn close_code(&self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::InvalidUtf8 | Self::Deflate => 1007,
            Self::TooBig => 1009,
        }
    }
}

impl std::fmt::Display for WsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Protocol(what) => f.write_str(what),
            Self::InvalidUtf8 => f.write_str("invalid UTF-8 sequence"),
            Self::TooBig => f.write_str("max payload size exceeded"),
            Self::Deflate => f.write_str("invalid compressed data"),
        }
    }
}

impl std::error::Error for WsError {}
