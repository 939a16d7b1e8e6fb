//! The bytes of one write. Small commands are copied into one buffer, large payloads are passed as they are.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::resp;

/// A batch is full at this size; later commands go into the next write.
const FULL: usize = 256 * 1024;

/// Payloads of at least this size are not copied. Below it, a copy is cheaper than an entry of a vectored write.
const LARGE: usize = 8 * 1024;

/// Maximum number of slices in one vectored write.
const PIECES: usize = 64;

/// Bytes to be written to one connection.
#[derive(Default)]
pub(crate) struct Batch {
    pieces: VecDeque<Bytes>,
    /// The buffer that small commands are appended to.
    tail: BytesMut,
    length: usize,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        self.length >= FULL
    }

    /// Appends an encoded command; returns its length, as [`Batch::put_publish`] does.
    pub(crate) fn put(&mut self, command: &[u8]) -> u64 {
        self.tail.extend_from_slice(command);
        self.length += command.len();
        command.len() as u64
    }

    /// Appends the command `verb channel payload`.
    pub(crate) fn put_publish(&mut self, verb: &[u8], channel: &[u8], payload: &Bytes) -> u64 {
        let before = self.tail.len();
        self.tail.extend_from_slice(b"*3\r\n");
        for part in [verb, channel] {
            resp::header(&mut self.tail, b'$', part.len());
            self.tail.extend_from_slice(part);
            self.tail.extend_from_slice(b"\r\n");
        }
        resp::header(&mut self.tail, b'$', payload.len());
        let mut length = self.tail.len() - before;
        if payload.len() < LARGE {
            self.tail.extend_from_slice(payload);
        } else {
            self.pieces.push_back(self.tail.split().freeze());
            self.pieces.push_back(payload.clone());
        }
        self.tail.extend_from_slice(b"\r\n");
        length += payload.len() + 2;
        self.length += length;
        length as u64
    }

    /// Writes once; returns the number of bytes that the stream took. Safe to cancel: nothing is written then.
    pub(crate) async fn write(&mut self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<usize> {
        if !self.tail.is_empty() {
            self.pieces.push_back(self.tail.split().freeze());
        }
        let slices: Vec<IoSlice> = self.pieces.iter().take(PIECES).map(|piece| IoSlice::new(piece)).collect();
        let written = stream.write_vectored(&slices).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let mut left = written;
        while left > 0 {
            let Some(first) = self.pieces.front_mut() else { break };
            if first.len() > left {
                first.advance(left);
                break;
            }
            left -= first.len();
            self.pieces.pop_front();
        }
        self.length -= written;
        Ok(written)
    }
}
