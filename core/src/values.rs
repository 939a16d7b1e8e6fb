//! Conversion of Rust values to payloads and back (feature `values`): what serde serializes as bytes becomes an
//! attachment.
//!
//! A tuple, or an array of fixed size, is a list of arguments; any other value is one argument. `[(); 0]` is the
//! empty list.
//!
//! ```
//! use bytes::Bytes;
//! use kraken_ws_core::values;
//!
//! let (data, attachments) = values::event("file", &("a.png", Bytes::from_static(b"\x89PNG")))?;
//! assert_eq!(data, r#"["file","a.png",{"_placeholder":true,"num":0}]"#);
//! assert_eq!(attachments, [&b"\x89PNG"[..]]);
//!
//! // On the other side, what `Event::Event` brings:
//! let (name, file): (String, Bytes) = values::of_event(data, attachments)?;
//! assert_eq!((&*name, &file[..]), ("a.png", &b"\x89PNG"[..]));
//! # Ok::<_, kraken_ws_core::Error>(())
//! ```

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use socketioxide_core::Value;
use socketioxide_core::parser::{Parse, ParserError};
use socketioxide_parser_common::CommonParser;

use crate::types::error::{Error, ErrorCode, Result};

/// Data and attachments of the event `name`, as [`Server::publish`](crate::Server::publish) takes them.
///
/// # Errors
/// [`ErrorCode::Payload`]: JSON can't hold the arguments.
pub fn event<T: Serialize + ?Sized>(name: &str, args: &T) -> Result<(String, Vec<Bytes>)> {
    written(CommonParser.encode_value(args, Some(name)))
}

/// Data and attachments of an ack, as [`Server::ack`](crate::Server::ack) takes them.
///
/// # Errors
/// As [`event`].
pub fn ack<T: Serialize + ?Sized>(args: &T) -> Result<(String, Vec<Bytes>)> {
    written(CommonParser.encode_value(args, None))
}

/// The arguments of an event, from [`Event::Event`](crate::Event::Event).
///
/// # Errors
/// [`ErrorCode::Payload`]: the arguments are not of type `T`.
pub fn of_event<T: DeserializeOwned>(data: impl Into<String>, attachments: Vec<Bytes>) -> Result<T> {
    read(data.into(), attachments, true)
}

/// The arguments of an ack, from [`Event::Ack`](crate::Event::Ack).
///
/// # Errors
/// As [`of_event`].
pub fn of_ack<T: DeserializeOwned>(data: impl Into<String>, attachments: Vec<Bytes>) -> Result<T> {
    read(data.into(), attachments, false)
}

fn written(value: Result<Value, ParserError>) -> Result<(String, Vec<Bytes>)> {
    match value.map_err(failed)? {
        Value::Str(data, attachments) => Ok((data.into(), attachments.unwrap_or_default().into())),
        Value::Bytes(_) => Err(Error::new(ErrorCode::Internal, "payload: text was expected")),
    }
}

fn read<T: DeserializeOwned>(data: String, attachments: Vec<Bytes>, is_event: bool) -> Result<T> {
    let mut value = Value::Str(data.into(), Some(attachments.into()));
    CommonParser.decode_value(&mut value, is_event).map_err(failed)
}

fn failed(error: ParserError) -> Error {
    Error::new(ErrorCode::Payload, format!("payload: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_with_their_bytes() {
        let sent = (1u32, vec![(Bytes::from_static(b"one"), "1"), (Bytes::from_static(b"two"), "2")]);
        let (data, attachments) = ack(&sent).unwrap();
        assert_eq!(attachments, [&b"one"[..], b"two"]);
        assert!(crate::shared::encode::check(&data, &attachments).is_ok());
        let read: (u32, Vec<(Bytes, String)>) = of_ack(data, attachments).unwrap();
        assert_eq!((read.0, &*read.1[1].0, &*read.1[1].1), (1, &b"two"[..], "2"));
        assert_eq!(event("none", &[(); 0]).unwrap().0, r#"["none"]"#);
        assert_eq!(event("one", &()).unwrap().0, r#"["one",null]"#);
    }

    #[test]
    fn other_arguments_are_an_error() {
        let refused = of_event::<(u32,)>(r#"["event","text"]"#, Vec::new()).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Payload);
        let refused =
            of_event::<(Bytes,)>(r#"["event",{"_placeholder":true,"num":0}]"#, Vec::new()).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Payload);
    }
}
