//! JSON text of the host. It is checked: text that is not JSON would break every client that receives it.

use serde::Deserialize;
use serde::de::IgnoredAny;

use kraken_ws_codec::packet::RESERVED_EVENTS;
use kraken_ws_codec::packet::json::quote;
use kraken_ws_core::{EmitFlags, Error, ErrorCode, Result};

/// Flag: drops the message for clients whose connection can't take it at once.
pub const KRAKEN_WS_FLAG_VOLATILE: u32 = 1;
/// Flag: sends the message uncompressed.
pub const KRAKEN_WS_FLAG_NO_COMPRESS: u32 = 2;
/// Flag: sends the message to clients of this process only.
pub const KRAKEN_WS_FLAG_LOCAL: u32 = 4;
/// Flag: the payload is a JSON array of all arguments instead of the one argument.
pub const KRAKEN_WS_FLAG_SPREAD: u32 = 8;

/// Converts flags of C; unknown bits are refused.
pub(crate) fn emit_flags(bits: u32) -> Result<EmitFlags> {
    let known =
        KRAKEN_WS_FLAG_VOLATILE | KRAKEN_WS_FLAG_NO_COMPRESS | KRAKEN_WS_FLAG_LOCAL | KRAKEN_WS_FLAG_SPREAD;
    if bits & !known != 0 {
        return Err(Error::new(
            ErrorCode::Unsupported,
            format!("flags: {:#x} are not known to this version", bits & !known),
        ));
    }
    Ok(EmitFlags::new()
        .volatile(bits & KRAKEN_WS_FLAG_VOLATILE != 0)
        .compress(bits & KRAKEN_WS_FLAG_NO_COMPRESS == 0)
        .local(bits & KRAKEN_WS_FLAG_LOCAL != 0))
}

/// Parses JSON text.
pub(crate) fn parse_json<'a, T: Deserialize<'a>>(json: &'a str, what: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| Error::new(ErrorCode::Payload, format!("{what}: no JSON: {e}")))
}

/// Refuses text that is not JSON.
pub(crate) fn check_json(json: &str, what: &str) -> Result<()> {
    parse_json::<IgnoredAny>(json, what).map(drop)
}

/// The JSON text `["event",payload]`.
pub(crate) fn message(event: &str, payload: &str, flags: u32) -> Result<String> {
    if RESERVED_EVENTS.contains(&event) {
        return Err(Error::new(ErrorCode::Name, format!("event: {event:?} is a reserved name")));
    }
    let mut out = String::with_capacity(event.len() + payload.len() + 8);
    out.push('[');
    quote(event, &mut out);
    if let Some(arguments) = items(payload, flags)? {
        out.push(',');
        out.push_str(arguments);
    }
    out.push(']');
    Ok(out)
}

/// The JSON text `[payload]`.
pub(crate) fn arguments(payload: &str, flags: u32) -> Result<String> {
    emit_flags(flags)?;
    let mut out = String::with_capacity(payload.len() + 2);
    out.push('[');
    out.push_str(items(payload, flags)?.unwrap_or_default());
    out.push(']');
    Ok(out)
}

/// JSON text of a payload's arguments, without brackets; `None` without arguments.
fn items(payload: &str, flags: u32) -> Result<Option<&str>> {
    let mut payload = payload.trim_matches([' ', '\t', '\r', '\n']);
    if payload.is_empty() {
        return Ok(None);
    }
    check_json(payload, "payload")?;
    if flags & KRAKEN_WS_FLAG_SPREAD != 0 {
        payload = payload.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or_else(|| {
            Error::new(
                ErrorCode::Payload,
                "payload: KRAKEN_WS_FLAG_SPREAD expects a JSON array of the arguments",
            )
        })?;
        if payload.trim().is_empty() {
            return Ok(None);
        }
    }
    Ok(Some(payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_one_argument_or_with_spread_all_of_them() {
        assert_eq!(message("a", "1", 0).unwrap(), r#"["a",1]"#);
        assert_eq!(message("a", " ", 0).unwrap(), r#"["a"]"#);
        assert_eq!(message("a", "[1,2]", 0).unwrap(), r#"["a",[1,2]]"#);
        assert_eq!(message("a", "[1,2]", KRAKEN_WS_FLAG_SPREAD).unwrap(), r#"["a",1,2]"#);
        assert_eq!(message("a\"\n", "[ ]", KRAKEN_WS_FLAG_SPREAD).unwrap(), r#"["a\"\n"]"#);
        assert_eq!(arguments("", 0).unwrap(), "[]");
        assert_eq!(arguments("{}", 0).unwrap(), "[{}]");
    }

    #[test]
    fn what_is_no_json_or_no_name_is_refused() {
        for payload in ["{", "1,2", "nul", "[1]]", "'a'", "\u{feff}1"] {
            assert_eq!(message("a", payload, 0).unwrap_err().code(), ErrorCode::Payload, "{payload}");
        }
        assert_eq!(message("a", "1", KRAKEN_WS_FLAG_SPREAD).unwrap_err().code(), ErrorCode::Payload);
        assert_eq!(message("disconnect", "1", 0).unwrap_err().code(), ErrorCode::Name);
        assert_eq!(emit_flags(16).unwrap_err().code(), ErrorCode::Unsupported);
    }
}
