//! Decoding of frames. A frame that is complete in the read buffer is unmasked in place and passed on as a borrow.
//! Only a frame that is incomplete at the end of the buffer is copied to the heap.

use crate::deflate::{self, InflateError};
use crate::ws::{BINARY, CLOSE, CONTINUATION, Incoming, Limits, MAX_CONTROL, PING, PONG, TEXT, WsError};

/// 2 bytes, 8 of extended length, 4 of mask.
const MAX_HEAD: usize = 14;

/// The decoder of one connection. It takes 16 bytes while no frame is incomplete.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Option<Box<Pending>>,
    /// Set after a close frame or an error; later input is discarded.
    done: bool,
}

/// The received part of an incomplete frame or message.
#[derive(Debug, Default)]
struct Pending {
    /// The first bytes of a frame with an incomplete header.
    head: [u8; MAX_HEAD],
    head_len: usize,
    /// The frame with an incomplete payload.
    frame: Option<Partial>,
    /// The message of the earlier fragments or of the current frame.
    message: Option<Message>,
    /// The unmasked payload of `message` so far.
    data: Vec<u8>,
    /// The unmasked payload so far of a control frame, which may come between two fragments.
    control: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Message {
    opcode: u8,
    compressed: bool,
    /// Number of bytes of `data` that are known to be UTF-8; used for uncompressed text only.
    checked: usize,
}

impl Message {
    /// Refuses text as soon as no further byte can make it valid, so that no more of it is buffered (RFC 6455 §8.1).
    fn check(&mut self, data: &[u8]) -> Result<(), WsError> {
        if self.opcode != TEXT || self.compressed {
            return Ok(());
        }
        match simdutf8::compat::from_utf8(&data[self.checked..]) {
            Ok(_) => self.checked = data.len(),
            Err(error) if error.error_len().is_some() => return Err(WsError::InvalidUtf8),
            Err(error) => self.checked += error.valid_up_to(),
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Partial {
    head: Head,
    /// Number of payload bytes received.
    got: usize,
}

#[derive(Debug, Clone, Copy)]
struct Head {
    fin: bool,
    rsv1: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Payload length.
    len: usize,
    /// Length of the header itself.
    size: usize,
}

impl Head {
    fn is_control(&self) -> bool {
        self.opcode >= CLOSE
    }

    /// Parses a header at the start of `bytes`; `None` if it is incomplete. The first two bytes are validated as soon
    /// as they are there. `open` is the fragmented message in progress, `so_far` its length.
    fn parse(
        bytes: &[u8],
        open: Option<Message>,
        so_far: usize,
        limits: &Limits,
    ) -> Result<Option<Self>, WsError> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        let fin = first & 0x80 != 0;
        let rsv1 = first & 0x40 != 0;
        let opcode = first & 0x0f;
        let short = usize::from(second & 0x7f);

        if first & 0x30 != 0 {
            return Err(WsError::Protocol("RSV2 and RSV3 must be clear"));
        }
        let rsv1_allowed = limits.deflate && matches!(opcode, TEXT | BINARY);
        if rsv1 && !rsv1_allowed {
            return Err(WsError::Protocol("RSV1 must be clear"));
        }
        match opcode {
            CONTINUATION if open.is_none() => {
                return Err(WsError::Protocol("continuation without a message"));
            }
            TEXT | BINARY if open.is_some() => {
                return Err(WsError::Protocol("expected a continuation frame"));
            }
            CONTINUATION | TEXT | BINARY => {}
            CLOSE | PING | PONG => {
                if !fin {
                    return Err(WsError::Protocol("control frame must not be fragmented"));
                }
                if short > MAX_CONTROL || (opcode == CLOSE && short == 1) {
                    return Err(WsError::Protocol("invalid control frame length"));
                }
            }
            _ => return Err(WsError::Protocol("invalid opcode")),
        }
        if second & 0x80 == 0 {
            return Err(WsError::Protocol("MASK must be set"));
        }

        let (len, rest) = match short {
            126 => match rest.split_first_chunk::<2>() {
                Some((len, rest)) => (u64::from(u16::from_be_bytes(*len)), rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk::<8>() {
                Some((len, rest)) => (u64::from_be_bytes(*len), rest),
                None => return Ok(None),
            },
            short => (short as u64, rest),
        };
        let room = limits.max_message.saturating_sub(so_far) as u64;
        if opcode < CLOSE && len > room {
            return Err(WsError::TooBig);
        }
        Ok(rest.split_first_chunk::<4>().map(|(mask, rest)| Self {
            fin,
            rsv1,
            opcode,
            mask: *mask,
            len: len as usize,
            size: bytes.len() - rest.len(),
        }))
    }
}

impl Decoder {
    /// A decoder for a connection that has just been upgraded.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes `input`, unmasking it in place, and calls `on` for each complete message or control frame.
    ///
    /// Returns how much of `input` was consumed: all of it, or less if `on` returned false, which stops after the
    /// frame just passed on. After a close frame or an error, further input is discarded.
    ///
    /// # Errors
    /// The peer violated a rule; close the connection with [`WsError::close_code`].
    pub fn feed(
        &mut self,
        input: &mut [u8],
        limits: &Limits,
        on: &mut dyn FnMut(Incoming<'_>) -> bool,
    ) -> Result<usize, WsError> {
        let result = self.read(input, limits, on);
        if self.done || result.is_err() {
            self.done = true;
            self.pending = None;
        }
        result
    }

    /// Heap bytes held for an incomplete message.
    pub fn buffered(&self) -> usize {
        self.pending
            .as_ref()
            .map_or(0, |pending| size_of::<Pending>() + pending.data.capacity() + pending.control.capacity())
    }

    fn read(
        &mut self,
        input: &mut [u8],
        limits: &Limits,
        on: &mut dyn FnMut(Incoming<'_>) -> bool,
    ) -> Result<usize, WsError> {
        let mut at = 0;
        while at < input.len() && !self.done {
            let go_on = if self.pending.as_ref().is_some_and(|p| p.frame.is_some()) {
                at += self.take_payload(&mut input[at..])?;
                self.finish_frame(limits, on)?
            } else {
                let Some((head, used)) = self.take_head(&input[at..], limits)? else {
                    return Ok(input.len());
                };
                at += used;
                let whole = head.is_control() || (head.fin && head.opcode != CONTINUATION);
                match input.get_mut(at..at + head.len) {
                    Some(payload) if whole => {
                        at += head.len;
                        unmask(payload, head.mask, 0);
                        self.deliver(head.opcode, head.rsv1, payload, limits, on)?
                    }
                    _ => {
                        self.start_frame(head);
                        at += self.take_payload(&mut input[at..])?;
                        self.finish_frame(limits, on)?
                    }
                }
            };
            if !go_on {
                return Ok(at);
            }
        }
        Ok(if self.done { input.len() } else { at })
    }

    /// The header of the next frame and its length in `input`. `None` if it is incomplete; then all of `input` is
    /// kept.
    fn take_head(&mut self, input: &[u8], limits: &Limits) -> Result<Option<(Head, usize)>, WsError> {
        let Some(pending) = self.pending.as_mut() else {
            let head = Head::parse(input, None, 0, limits)?;
            if head.is_none() {
                self.keep_head(input);
            }
            return Ok(head.map(|head| (head, head.size)));
        };
        let (open, so_far) = (pending.message, pending.data.len());
        if pending.head_len == 0 {
            let head = Head::parse(input, open, so_far, limits)?;
            if head.is_none() {
                self.keep_head(input);
            }
            return Ok(head.map(|head| (head, head.size)));
        }
        let before = pending.head_len;
        let more = input.len().min(MAX_HEAD - before);
        let mut joined = pending.head;
        joined[before..before + more].copy_from_slice(&input[..more]);
        match Head::parse(&joined[..before + more], open, so_far, limits)? {
            Some(head) => {
                pending.head_len = 0;
                self.release_if_idle();
                Ok(Some((head, head.size - before)))
            }
            None => {
                self.keep_head(input);
                Ok(None)
            }
        }
    }

    /// Keeps the bytes of an incomplete header; they are fewer than `MAX_HEAD` in total.
    fn keep_head(&mut self, input: &[u8]) {
        let pending = self.pending.get_or_insert_default();
        let end = pending.head_len + input.len();
        pending.head[pending.head_len..end].copy_from_slice(input);
        pending.head_len = end;
    }

    fn start_frame(&mut self, head: Head) {
        let pending = self.pending.get_or_insert_default();
        if !head.is_control() && pending.message.is_none() {
            pending.message = Some(Message { opcode: head.opcode, compressed: head.rsv1, checked: 0 });
        }
        pending.frame = Some(Partial { head, got: 0 });
    }

    /// Moves the frame's payload from `input` into the pending buffers. The buffers grow with the bytes received, not
    /// with the announced length, because announcing a length costs the peer nothing.
    fn take_payload(&mut self, input: &mut [u8]) -> Result<usize, WsError> {
        let Some(pending) = self.pending.as_mut() else { return Ok(0) };
        let Some(frame) = pending.frame.as_mut() else { return Ok(0) };
        let count = input.len().min(frame.head.len - frame.got);
        let part = &mut input[..count];
        unmask(part, frame.head.mask, frame.got);
        frame.got += count;
        if frame.head.is_control() {
            pending.control.extend_from_slice(part);
        } else {
            pending.data.extend_from_slice(part);
            if let Some(message) = pending.message.as_mut() {
                message.check(&pending.data)?;
            }
        }
        Ok(count)
    }

    /// Passes on the message or control frame that the pending frame completes, if any.
    fn finish_frame(
        &mut self,
        limits: &Limits,
        on: &mut dyn FnMut(Incoming<'_>) -> bool,
    ) -> Result<bool, WsError> {
        let Some(pending) = self.pending.as_mut() else { return Ok(true) };
        let Some(head) = pending.frame.take_if(|f| f.got == f.head.len).map(|f| f.head) else {
            return Ok(true);
        };
        if head.is_control() {
            let control = std::mem::take(&mut pending.control);
            self.release_if_idle();
            return self.deliver(head.opcode, false, &control, limits, on);
        }
        if !head.fin {
            return Ok(true);
        }
        let Some(message) = pending.message.take() else { return Ok(true) };
        let data = std::mem::take(&mut pending.data);
        self.release_if_idle();
        self.deliver(message.opcode, message.compressed, &data, limits, on)
    }

    fn release_if_idle(&mut self) {
        if let Some(p) = &self.pending
            && p.head_len == 0
            && p.frame.is_none()
            && p.message.is_none()
        {
            self.pending = None;
        }
    }

    fn deliver(
        &mut self,
        opcode: u8,
        compressed: bool,
        payload: &[u8],
        limits: &Limits,
        on: &mut dyn FnMut(Incoming<'_>) -> bool,
    ) -> Result<bool, WsError> {
        let inflated;
        let payload = if compressed {
            inflated = deflate::decompress(payload, limits.max_message).map_err(|e| match e {
                InflateError::TooBig => WsError::TooBig,
                InflateError::Corrupt => WsError::Deflate,
            })?;
            &inflated
        } else {
            payload
        };
        Ok(on(match opcode {
            TEXT => Incoming::Text(utf8(payload)?),
            BINARY => Incoming::Binary(payload),
            PING => Incoming::Ping(payload),
            PONG => Incoming::Pong(payload),
            _ => {
                self.done = true;
                parse_close(payload)?
            }
        }))
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, WsError> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| WsError::InvalidUtf8)
}

fn parse_close(payload: &[u8]) -> Result<Incoming<'_>, WsError> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return Ok(Incoming::Close { code: None, reason: "" });
    };
    let code = u16::from_be_bytes(*code);
    // RFC 6455 §7.4 and the IANA registry: 1004, 1005, 1006 and 1015 must not be sent.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(WsError::Protocol("invalid close code"));
    }
    Ok(Incoming::Close { code: Some(code), reason: utf8(reason)? })
}

/// XORs `payload` with the mask; `offset` is its position in the frame's payload.
fn unmask(payload: &mut [u8], mask: [u8; 4], offset: usize) {
    let key: [u8; 8] = std::array::from_fn(|i| mask[(i + offset) % 4]);
    let word = u64::from_ne_bytes(key);
    let (words, tail) = payload.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests;
