//! The format of `createShardedAdapter` of `@socket.io/redis-adapter` 8: envelopes `{type, data, uid, nsp}` in JSON,
//! or in MessagePack if there is binary data.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use kraken_ws_codec::packet::PacketError;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cluster::message::{Broadcast, FleetMessage, Incoming, NodeAnswer, NodeQuestion};
use crate::cluster::wire::shapes::{Name, Opts, Packet, Socket, is_event, names};
use crate::cluster::wire::text::{self, Object, distinct, of_payload};
use crate::cluster::wire::{Malformed, Names, Written};
use crate::types::change::{Disconnect, Move};

const BROADCAST: u64 = 3;
const JOIN: u64 = 4;
const LEAVE: u64 = 5;
const DISCONNECT: u64 = 6;
const FETCH: u64 = 7;
const FETCHED: u64 = 8;
const SERVER_SIDE: u64 = 9;
const SERVER_SIDE_ANSWER: u64 = 10;
const CLIENTS: u64 = 11;
const ACK: u64 = 12;
/// Extensions of ours; JavaScript nodes ignore unknown types.
const ROOMS: u64 = 20;
const ROOMS_ANSWER: u64 = 21;
const HELLO: u64 = 22;
const GREETING: u64 = 23;

fn envelope(
    of: &Names,
    nsp: &str,
    kind: u64,
    data: String,
    attachments: &[Bytes],
) -> Result<Vec<u8>, PacketError> {
    let envelope = Object::with_capacity(64 + data.len() + nsp.len())
        .number("type", kind)
        .json("data", &data)
        .text("uid", &of.uid)
        .text("nsp", nsp);
    text::payload(envelope.end(), attachments)
}

pub(super) fn message(
    of: &Names,
    nsp: &str,
    message: &FleetMessage,
    moved: impl Fn(&str) -> bool,
) -> Result<Written, PacketError> {
    let no_bytes: &[Bytes] = &[];
    let (kind, data, attachments) = match message {
        FleetMessage::Broadcast(broadcast) => {
            let payload = envelope(of, nsp, BROADCAST, self::broadcast(broadcast), &broadcast.attachments)?;
            // All nodes have to receive it, because the sender counts acks over all of them.
            let channel = match broadcast.ack {
                Some(_) => of.main(nsp),
                None => match &*distinct(&broadcast.target.rooms) {
                    [room] if moved(room) => of.main(nsp),
                    rooms => of.broadcast(nsp, rooms),
                },
            };
            return Ok((channel, payload));
        }
        FleetMessage::Move { way, target, rooms } => (
            match way {
                Move::Join => JOIN,
                Move::Leave => LEAVE,
            },
            Object::new().json("opts", &text::opts(target, Some("{}"))).rooms("rooms", rooms),
            no_bytes,
        ),
        FleetMessage::Disconnect { target, what } => (
            DISCONNECT,
            Object::new().json("opts", &text::opts(target, Some("{}"))).bool("close", what.closes()),
            no_bytes,
        ),
        FleetMessage::ServerSide { data, attachments, id } => {
            let object = Object::with_capacity(64 + data.len()).json("packet", data);
            let object = if let Some(id) = id { object.text("requestId", id) } else { object };
            (SERVER_SIDE, object, &attachments[..])
        }
        FleetMessage::Ask { id, question: NodeQuestion::Sockets(target) } => (
            FETCH,
            Object::new().json("opts", &text::opts(target, Some("{}"))).text("requestId", id),
            no_bytes,
        ),
        FleetMessage::Ask { id, question: NodeQuestion::Rooms } => {
            (ROOMS, Object::new().text("requestId", id), no_bytes)
        }
        FleetMessage::Hello => (HELLO, Object::new(), no_bytes),
        // Only old versions of the classic adapter send this.
        FleetMessage::OneSocket { .. } | FleetMessage::Ask { question: NodeQuestion::Ids(_), .. } => {
            return Err(PacketError::UnknownType);
        }
    };
    Ok((of.main(nsp), envelope(of, nsp, kind, data.end(), attachments)?))
}

fn broadcast(broadcast: &Broadcast) -> String {
    let Broadcast { target, data, flags, ack, .. } = broadcast;
    let packet = Object::with_capacity(32 + data.len()).number("type", 2).json("data", data).end();
    let timeout = ack.as_ref().and_then(|(_, timeout)| *timeout);
    let opts = text::opts(target, Some(&text::flags(*flags, timeout)));
    let object = Object::with_capacity(64 + packet.len() + opts.len()).json("packet", &packet);
    let object = object.json("opts", &opts);
    match ack {
        Some((id, _)) => object.text("requestId", id).end(),
        None => object.end(),
    }
}

pub(super) fn answer(of: &Names, nsp: &str, id: &str, answer: &NodeAnswer) -> Result<Vec<u8>, PacketError> {
    let object = Object::new().text("requestId", id);
    let no_bytes: &[Bytes] = &[];
    let (kind, object, attachments) = match answer {
        NodeAnswer::Sockets(sockets) => (FETCHED, object.json("sockets", &text::sockets(sockets)), no_bytes),
        NodeAnswer::Rooms(rooms) => (ROOMS_ANSWER, object.texts("rooms", rooms), no_bytes),
        NodeAnswer::ServerSide { data, attachments } => {
            (SERVER_SIDE_ANSWER, object.json("packet", data), &attachments[..])
        }
        NodeAnswer::Clients(count) => (CLIENTS, object.number("clientCount", *count as u64), no_bytes),
        NodeAnswer::Ack { data, attachments } => (ACK, object.json("packet", data), &attachments[..]),
        NodeAnswer::Done => (GREETING, object, no_bytes),
        NodeAnswer::Ids(_) => return Err(PacketError::UnknownType),
    };
    envelope(of, nsp, kind, object.end(), attachments)
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: u64,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    uid: Option<Box<str>>,
    #[serde(borrow)]
    nsp: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "requestId")]
    id: Option<Box<str>>,
    opts: Option<Opts>,
    rooms: Option<Vec<Name>>,
    close: Option<bool>,
    #[serde(borrow)]
    packet: Option<&'a RawValue>,
    #[serde(borrow)]
    sockets: Option<Vec<Socket<'a>>>,
    #[serde(rename = "clientCount")]
    clients: Option<f64>,
}

/// The message and its namespace. `None` if it is our own or does not concern this node.
pub(super) fn read(own: &str, payload: &[u8]) -> Result<Option<(Arc<str>, Incoming)>, Malformed> {
    const BAD: Malformed = Malformed("envelope");
    let (text, attachments) = of_payload(payload).ok_or(BAD)?;
    let Envelope { kind, data, uid, nsp } = serde_json::from_str(&text).map_err(|_| BAD)?;
    if uid.as_deref() == Some(own) {
        return Ok(None);
    }
    let nsp: Arc<str> = nsp.ok_or(BAD)?.into();
    if kind == HELLO {
        return Ok(Some((nsp, Incoming::Message { uid, message: FleetMessage::Hello })));
    }
    if !matches!(kind, BROADCAST..=ACK | ROOMS | ROOMS_ANSWER | GREETING) {
        return Ok(None);
    }
    let data: Data<'_> = serde_json::from_str(data.ok_or(BAD)?.get()).map_err(|_| BAD)?;
    let Data { id, opts, rooms, close, packet, sockets, clients } = data;
    let value = || packet.map_or("null", RawValue::get).into();
    let answer = match kind {
        FETCHED => {
            let list = sockets.ok_or(BAD)?;
            NodeAnswer::Sockets(list.into_iter().map(|socket| socket.remote(&attachments)).collect())
        }
        GREETING => NodeAnswer::Done,
        ROOMS_ANSWER => NodeAnswer::Rooms(names(rooms)),
        SERVER_SIDE_ANSWER => NodeAnswer::ServerSide { data: value(), attachments },
        CLIENTS => NodeAnswer::Clients(clients.filter(|n| *n >= 0.0).ok_or(BAD)? as usize),
        ACK => NodeAnswer::Ack { data: value(), attachments },
        kind => {
            let message = read_message(kind, id, opts, rooms, close, packet, attachments).ok_or(BAD)?;
            return Ok(Some((nsp, Incoming::Message { uid, message })));
        }
    };
    Ok(Some((nsp, Incoming::Answer { uid, id: id.ok_or(BAD)?, answer })))
}

fn read_message(
    kind: u64,
    id: Option<Box<str>>,
    opts: Option<Opts>,
    rooms: Option<Vec<Name>>,
    close: Option<bool>,
    packet: Option<&RawValue>,
    attachments: Vec<Bytes>,
) -> Option<FleetMessage> {
    Some(match kind {
        BROADCAST => {
            let packet: Packet<'_> = serde_json::from_str(packet?.get()).ok()?;
            let (target, flags, timeout) = opts?.parts();
            let data = Box::from(Some(packet.data.get()).filter(|data| is_event(data))?);
            let ack = id.map(|id| (id, timeout));
            FleetMessage::Broadcast(Broadcast { target, data, attachments, flags, ack })
        }
        JOIN | LEAVE => {
            let way = if kind == JOIN { Move::Join } else { Move::Leave };
            FleetMessage::Move { way, target: opts?.target(), rooms: names(rooms) }
        }
        DISCONNECT => {
            let what = Disconnect::from_close(close.unwrap_or(false));
            FleetMessage::Disconnect { target: opts?.target(), what }
        }
        FETCH => FleetMessage::Ask { id: id?, question: NodeQuestion::Sockets(opts?.target()) },
        SERVER_SIDE => {
            let data = packet.filter(|data| data.get().starts_with('['))?.get().into();
            FleetMessage::ServerSide { data, attachments, id }
        }
        ROOMS => FleetMessage::Ask { id: id?, question: NodeQuestion::Rooms },
        _ => return None,
    })
}
