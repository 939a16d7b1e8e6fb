//! The shapes of messages in JSON. Unknown members are ignored, as the adapters do.

use std::time::Duration;

use bytes::Bytes;
use kraken_ws_codec::packet::json::replace_placeholders;
use kraken_ws_codec::packet::{PacketType, has_shape};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::value::RawValue;

use crate::cluster::wire::text::{ILL_FORMED, distinct};
use crate::shared::fleet_reply::RemoteSocket;
use crate::types::flags::EmitFlags;
use crate::types::target::Target;

/// Upper bound for the ack timeout that another node may request.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The name of a room. In JavaScript it may be a number, or a text that is not well-formed UTF-16.
pub(super) struct Name(pub Box<str>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(from)?.get();
        if !json.starts_with('"') {
            let number: f64 = serde_json::from_str(json).map_err(|_| D::Error::custom("a name"))?;
            return Ok(Name(number.to_string().into()));
        }
        Ok(Name(match serde_json::from_str::<String>(json) {
            Ok(text) => text.into(),
            // The text contains a lone surrogate.
            Err(_) => format!("{ILL_FORMED}{json}").into(),
        }))
    }
}

/// A room that appears both as a number and as its text is one room here.
pub(super) fn names(list: Option<Vec<Name>>) -> Vec<Box<str>> {
    let list: Vec<Box<str>> = list.into_iter().flatten().map(|name| name.0).collect();
    distinct(&list).into_owned()
}

/// The target of a broadcast, in the shape of the adapters' `opts`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Opts {
    rooms: Option<Vec<Name>>,
    except: Option<Vec<Name>>,
    flags: Option<Flags>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Flags {
    pub volatile: Option<bool>,
    pub compress: Option<bool>,
    /// Milliseconds.
    pub timeout: Option<f64>,
}

impl Opts {
    /// The target, the flags, and the ack timeout.
    pub(super) fn parts(self) -> (Target, EmitFlags, Option<Duration>) {
        let target = Target { rooms: names(self.rooms), except: names(self.except) };
        let flags = self.flags.unwrap_or_default();
        (target, flags.emit(), flags.timeout())
    }

    pub(super) fn target(self) -> Target {
        self.parts().0
    }
}

impl Flags {
    pub(super) fn emit(&self) -> EmitFlags {
        EmitFlags {
            volatile: self.volatile.unwrap_or(false),
            compress: self.compress.unwrap_or(true),
            local: true,
        }
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        let millis = self.timeout.filter(|ms| *ms > 0.0)?;
        Some(Duration::from_millis(millis as u64).min(LONGEST_WAIT))
    }
}

/// A packet with an event.
#[derive(Deserialize)]
pub(super) struct Packet<'a> {
    #[serde(borrow)]
    pub data: &'a RawValue,
}

/// Whether clients can parse this event. They close the connection on one that they can't.
pub(super) fn is_event(data: &str) -> bool {
    has_shape(PacketType::Event, data)
}

/// A socket of another node.
#[derive(Deserialize)]
pub(super) struct Socket<'a> {
    id: Name,
    #[serde(borrow)]
    handshake: Option<&'a RawValue>,
    #[serde(default)]
    rooms: Option<Vec<Name>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl Socket<'_> {
    pub(super) fn remote(self, attachments: &[Bytes]) -> RemoteSocket {
        let json = |raw: Option<&RawValue>| match raw {
            None => "{}".into(),
            Some(raw) if attachments.is_empty() => raw.get().into(),
            Some(raw) => with_buffers(raw.get(), attachments).into(),
        };
        RemoteSocket {
            id: self.id.0,
            handshake: json(self.handshake),
            rooms: names(self.rooms),
            data: json(self.data),
        }
    }
}

/// Replaces placeholders by the JSON that Node's `JSON.stringify` gives for a Buffer.
fn with_buffers(json: &str, attachments: &[Bytes]) -> String {
    replace_placeholders(json, |num, out| match attachments.get(num) {
        Some(bytes) => *out += &serde_json::json!({ "type": "Buffer", "data": &bytes[..] }).to_string(),
        None => *out += &format!(r#"{{"_placeholder":true,"num":{num}}}"#),
    })
}
