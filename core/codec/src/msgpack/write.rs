//! JSON text to MessagePack, with the choices of notepack.io's encoder: integers in their shortest form, any number
//! with an integral value as an integer, every other number as a 64-bit float. For integers above 64 bits notepack.io
//! loses the upper part; here they become a float.

use bytes::Bytes;
use rmp::encode as rmp;

use crate::msgpack::MAX_DEPTH;
use crate::packet::PacketError;
use crate::packet::json::{Closed, Token, Tokens, Walk, unescape};

/// The information that the second pass needs at the start of a container.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Its number of elements or entries.
    Len(u32),
    /// The object is a placeholder for this attachment.
    Attachment(u32),
}

/// Encodes the value in `json` and appends it.
pub fn json(json: &str, attachments: &[Bytes], out: &mut Vec<u8>) -> Result<(), PacketError> {
    let shapes = measure(json, attachments.len())?;
    let mut shapes = shapes.iter();
    let mut tokens = Tokens::new(json);
    while let Some(token) = tokens.next() {
        match token {
            Token::Null => rmp::write_nil(out).map_err(too_long)?,
            Token::Bool(value) => rmp::write_bool(out, value).map_err(too_long)?,
            Token::Number(text) => number(out, text),
            Token::String(raw) => string(out, &unescape(raw))?,
            Token::ArrayEnd | Token::ObjectEnd => {}
            Token::ArrayStart | Token::ObjectStart => match shapes.next() {
                Some(Shape::Attachment(num)) => {
                    let data = attachments.get(*num as usize);
                    binary(out, data.ok_or(PacketError::IllegalAttachments)?)?;
                    tokens.skip_container(&mut || {
                        shapes.next();
                    });
                }
                Some(Shape::Len(len)) if token == Token::ArrayStart => array_len(out, *len),
                Some(Shape::Len(len)) => map_len(out, *len),
                None => return Err(PacketError::InvalidPayload),
            },
        }
    }
    Ok(())
}

/// The shapes of all containers, in the order of their starts.
fn measure(json: &str, attachments: usize) -> Result<Vec<Shape>, PacketError> {
    let mut shapes: Vec<Shape> = Vec::new();
    // The open containers, as indexes into `shapes`.
    let mut open: Vec<usize> = Vec::new();
    let mut walk = Walk::default();
    for token in Tokens::new(json) {
        let is_end = matches!(token, Token::ArrayEnd | Token::ObjectEnd);
        // The length of a container counts its elements or keys.
        if !is_end
            && (walk.at_key() || !walk.in_object())
            && let Some(Shape::Len(len)) = open.last().and_then(|at| shapes.get_mut(*at))
        {
            *len = len.checked_add(1).ok_or(PacketError::InvalidPayload)?;
        }
        let closed = walk.step(token);
        if matches!(token, Token::ArrayStart | Token::ObjectStart) {
            // One level more is allowed, because the innermost object may be a placeholder.
            if walk.depth() > MAX_DEPTH + 1 {
                return Err(PacketError::InvalidPayload);
            }
            open.push(shapes.len());
            shapes.push(Shape::Len(0));
        }
        if is_end {
            let at = open.pop().ok_or(PacketError::InvalidPayload)?;
            if attachments > 0
                && let Some(Closed::Object(scan)) = closed
                && let Some(num) = scan.finish()
            {
                let num = num.filter(|num| *num < attachments);
                let num = num.and_then(|num| u32::try_from(num).ok());
                shapes[at] = Shape::Attachment(num.ok_or(PacketError::IllegalAttachments)?);
            } else if walk.depth() == MAX_DEPTH {
                return Err(PacketError::InvalidPayload);
            }
        }
    }
    if open.is_empty() { Ok(shapes) } else { Err(PacketError::InvalidPayload) }
}

fn number(out: &mut Vec<u8>, text: &str) {
    if let Ok(value) = text.parse::<u64>() {
        return uint(out, value);
    }
    let as_int = text.parse::<i64>().ok().or_else(|| integral(text.parse().ok()?));
    // Writing to a Vec can't fail.
    let _ = match as_int {
        Some(value) => rmp::write_sint(out, value).map(drop).map_err(drop),
        None => rmp::write_f64(out, text.parse().unwrap_or(f64::NAN)).map_err(drop),
    };
}

/// `1.0` and `1e3` are integers in JavaScript, within the exact range of a double.
fn integral(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

/// Appends an integer.
pub fn uint(out: &mut Vec<u8>, value: u64) {
    let _ = rmp::write_uint(out, value);
}

/// Appends the head of a map.
pub fn map_len(out: &mut Vec<u8>, len: u32) {
    let _ = rmp::write_map_len(out, len);
}

/// Appends the head of an array.
pub fn array_len(out: &mut Vec<u8>, len: u32) {
    let _ = rmp::write_array_len(out, len);
}

/// Appends a string.
pub fn string(out: &mut Vec<u8>, text: &str) -> Result<(), PacketError> {
    u32::try_from(text.len()).map_err(too_long)?;
    rmp::write_str(out, text).map_err(too_long)
}

fn binary(out: &mut Vec<u8>, data: &[u8]) -> Result<(), PacketError> {
    u32::try_from(data.len()).map_err(too_long)?;
    rmp::write_bin(out, data).map_err(too_long)
}

fn too_long<E>(_: E) -> PacketError {
    PacketError::InvalidPayload
}
