//! WebSocket frames as a client sees them (RFC 6455 §5.2): enough for servers that behave.

/// One complete frame from the server.
#[derive(Debug, PartialEq)]
pub struct Frame<'a> {
    pub opcode: u8,
    pub payload: &'a [u8],
}

pub const TEXT: u8 = 1;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// Splits the first frame off `bytes`: the frame and the bytes after it, or `None` while it is incomplete.
/// Servers do not mask, and the bench's messages are never fragmented, so both are errors.
pub fn split(bytes: &[u8]) -> Result<Option<(Frame<'_>, &[u8])>, String> {
    let [first, second, ..] = *bytes else {
        return Ok(None);
    };
    if first & 0xf0 != 0x80 || second & 0x80 != 0 {
        return Err(format!("unexpected frame header {first:#04x} {second:#04x}"));
    }
    let (head, length) = match second {
        126 => match bytes.get(2..4) {
            Some(b) => (4, u64::from(u16::from_be_bytes([b[0], b[1]]))),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10).and_then(|b| b.try_into().ok()) {
            Some(b) => (10, u64::from_be_bytes(b)),
            None => return Ok(None),
        },
        short => (2, u64::from(short)),
    };
    let Some(end) = usize::try_from(length).ok().and_then(|length| length.checked_add(head)) else {
        return Err(format!("frame of {length} bytes"));
    };
    let Some(payload) = bytes.get(head..end) else {
        return Ok(None);
    };
    Ok(Some((Frame { opcode: first & 0x0f, payload }, &bytes[end..])))
}

/// Appends one masked frame. The mask is all zeros: allowed by the framing, free to apply, and the
/// server's work to unmask is the same.
pub fn push(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        short @ 0..126 => out.push(0x80 | short as u8),
        medium @ 126..0x1_0000 => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unmasked(payload: &[u8]) -> Vec<u8> {
        let mut masked = Vec::new();
        push(&mut masked, TEXT, payload);
        let mask_at = masked.len() - payload.len() - 4;
        assert_eq!(masked[mask_at..mask_at + 4], [0; 4]);
        masked.drain(mask_at..mask_at + 4);
        assert_ne!(masked[1] & 0x80, 0);
        masked[1] &= 0x7f;
        masked
    }

    #[test]
    fn what_is_pushed_splits_again_at_every_length_form() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536] {
            let payload = vec![b'a'; length];
            let mut bytes = unmasked(&payload);
            bytes.extend_from_slice(b"rest");
            let (frame, rest) = split(&bytes).unwrap().expect("complete");
            assert_eq!(frame, Frame { opcode: TEXT, payload: &payload });
            assert_eq!(rest, b"rest");
        }
    }

    #[test]
    fn every_prefix_of_a_frame_is_incomplete() {
        let bytes = unmasked(&[b'a'; 300]);
        for end in 0..bytes.len() {
            assert_eq!(split(&bytes[..end]).unwrap(), None, "{end}");
        }
    }

    #[test]
    fn masked_or_fragmented_frames_are_refused() {
        assert!(split(&[0x81, 0x80]).is_err());
        assert!(split(&[0x01, 0x00]).is_err());
    }
}
