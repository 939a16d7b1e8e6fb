//! The format of `createAdapter` of `@socket.io/redis-adapter` 8 and `@socket.io/redis-emitter` 5: broadcasts in
//! MessagePack, everything else in JSON.
//!
//! Our messages differ only in fields that JavaScript ignores: answers carry the `uid` of the answering node, so that
//! nodes without an answer can be named.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use kraken_ws_codec::msgpack::read::Reader;
use kraken_ws_codec::msgpack::{self, write};
use kraken_ws_codec::packet::{PacketError, PacketType};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cluster::message::{Broadcast, FleetMessage, Incoming, NodeAnswer, NodeQuestion, SocketChange};
use crate::cluster::wire::shapes::{Flags, Name, Opts, Packet, Socket, is_event, names};
use crate::cluster::wire::text::{self, Object, distinct, is_number, of_payload};
use crate::cluster::wire::{Malformed, Names, Written};
use crate::types::change::{Disconnect, Move};
use crate::types::flags::EmitFlags;
use crate::types::target::Target;

const IDS: u64 = 0;
const ROOMS: u64 = 1;
const JOIN: u64 = 2;
const LEAVE: u64 = 3;
const DISCONNECT: u64 = 4;
const FETCH: u64 = 5;
const SERVER_SIDE: u64 = 6;
const BROADCAST: u64 = 7;
const CLIENTS: u64 = 8;
const ACK: u64 = 9;
/// An extension of ours; JavaScript nodes ignore unknown types.
const HELLO: u64 = 20;

pub(super) fn message(of: &Names, nsp: &str, message: &FleetMessage) -> Result<Written, PacketError> {
    let request = |kind: u64| {
        // The emitter sends no uid with joins and leaves.
        let object = Object::new();
        let object =
            if of.is_emitter() && kind != SERVER_SIDE { object } else { object.text("uid", &of.uid) };
        object.number("type", kind)
    };
    let payload = match message {
        FleetMessage::Broadcast(broadcast) if broadcast.ack.is_none() => {
            let rooms = distinct(&broadcast.target.rooms);
            return Ok((of.broadcast(nsp, &rooms), self::broadcast(&of.uid, nsp, broadcast)?));
        }
        FleetMessage::Broadcast(broadcast) => broadcast_with_ack(&of.uid, nsp, broadcast)?,
        FleetMessage::Move { way, target, rooms } => {
            let kind = match way {
                Move::Join => JOIN,
                Move::Leave => LEAVE,
            };
            request(kind).json("opts", &text::opts(target, None)).rooms("rooms", rooms).end().into()
        }
        FleetMessage::Disconnect { target, what } => request(DISCONNECT)
            .json("opts", &text::opts(target, None))
            .bool("close", what.closes())
            .end()
            .into(),
        FleetMessage::ServerSide { data, attachments, id } => {
            let object = request(SERVER_SIDE);
            let object = if let Some(id) = id { object.text("requestId", id) } else { object };
            text::payload(object.json("data", data).end(), attachments)?
        }
        FleetMessage::Ask { id, question } => match question {
            NodeQuestion::Ids(rooms) => request(IDS).text("requestId", id).rooms("rooms", rooms).end().into(),
            NodeQuestion::Rooms => request(ROOMS).text("requestId", id).end().into(),
            NodeQuestion::Sockets(target) => {
                request(FETCH).text("requestId", id).json("opts", &text::opts(target, None)).end().into()
            }
        },
        FleetMessage::Hello => request(HELLO).end().into(),
        // Only old versions of the adapter send this.
        FleetMessage::OneSocket { .. } => return Err(PacketError::UnknownType),
    };
    Ok((of.requests(nsp), payload))
}

/// `[uid, packet, opts]`
fn broadcast(uid: &str, nsp: &str, broadcast: &Broadcast) -> Result<Vec<u8>, PacketError> {
    let mut out = Vec::with_capacity(capacity(nsp, broadcast));
    write::array_len(&mut out, 3);
    write::string(&mut out, uid)?;
    packet(&mut out, nsp, broadcast)?;
    opts(&mut out, &broadcast.target, broadcast.flags, None)?;
    Ok(out)
}

fn broadcast_with_ack(uid: &str, nsp: &str, broadcast: &Broadcast) -> Result<Vec<u8>, PacketError> {
    let (id, timeout) = broadcast.ack.as_ref().ok_or(PacketError::InvalidId)?;
    let mut out = Vec::with_capacity(64 + capacity(nsp, broadcast));
    write::map_len(&mut out, 5);
    write::string(&mut out, "uid")?;
    write::string(&mut out, uid)?;
    write::string(&mut out, "requestId")?;
    write::string(&mut out, id)?;
    write::string(&mut out, "type")?;
    write::uint(&mut out, BROADCAST);
    write::string(&mut out, "packet")?;
    packet(&mut out, nsp, broadcast)?;
    write::string(&mut out, "opts")?;
    opts(&mut out, &broadcast.target, broadcast.flags, *timeout)?;
    Ok(out)
}

fn capacity(nsp: &str, broadcast: &Broadcast) -> usize {
    let binary: usize = broadcast.attachments.iter().map(Bytes::len).sum();
    let Target { rooms, except } = &broadcast.target;
    let names: usize = rooms.iter().chain(except).map(|name| name.len() + 5).sum();
    96 + nsp.len() + broadcast.data.len() + binary + names
}

fn packet(out: &mut Vec<u8>, nsp: &str, broadcast: &Broadcast) -> Result<(), PacketError> {
    write::map_len(out, 3);
    write::string(out, "type")?;
    write::uint(out, PacketType::Event as u64);
    write::string(out, "data")?;
    msgpack::json_to_msgpack(&broadcast.data, &broadcast.attachments, out)?;
    write::string(out, "nsp")?;
    write::string(out, nsp)
}

fn opts(
    out: &mut Vec<u8>,
    target: &Target,
    flags: EmitFlags,
    timeout: Option<Duration>,
) -> Result<(), PacketError> {
    write::map_len(out, 3);
    for (name, list) in [("rooms", &target.rooms), ("except", &target.except)] {
        let list = distinct(list);
        write::string(out, name)?;
        let numbers = list.iter().filter(|room| is_number(room));
        let len = list.len() + numbers.clone().count();
        write::array_len(out, u32::try_from(len).map_err(|_| PacketError::InvalidPayload)?);
        list.iter().try_for_each(|room| write::string(out, room))?;
        numbers.clone().try_for_each(|room| msgpack::json_to_msgpack(room, &[], out))?;
    }
    write::string(out, "flags")?;
    msgpack::json_to_msgpack(&text::flags(flags, timeout), &[], out)
}

pub(super) fn answer(of: &Names, id: &str, answer: &NodeAnswer) -> Result<Vec<u8>, PacketError> {
    let plain = || Object::new().text("requestId", id).text("uid", &of.uid);
    let typed = |kind: u64| Object::new().number("type", kind).text("requestId", id).text("uid", &of.uid);
    Ok(match answer {
        NodeAnswer::Ids(ids) => plain().texts("sockets", ids).end().into(),
        NodeAnswer::Rooms(rooms) => plain().texts("rooms", rooms).end().into(),
        NodeAnswer::Sockets(sockets) => plain().json("sockets", &text::sockets(sockets)).end().into(),
        NodeAnswer::Done => plain().end().into(),
        NodeAnswer::ServerSide { data, attachments } => {
            text::payload(typed(SERVER_SIDE).json("data", data).end(), attachments)?
        }
        NodeAnswer::Clients(count) => typed(CLIENTS).number("clientCount", *count as u64).end().into(),
        NodeAnswer::Ack { data, attachments } => {
            // An ack is always MessagePack.
            let json = typed(ACK).json("packet", data).end();
            let mut out = Vec::with_capacity(json.len());
            msgpack::json_to_msgpack(&json, attachments, &mut out)?;
            out
        }
    })
}

/// `None` if the message is our own, or belongs to another namespace.
pub(super) fn read_broadcast(
    own: &str,
    nsp: &str,
    payload: &[u8],
) -> Result<Option<(Box<str>, Broadcast)>, Malformed> {
    read_array(own, nsp, payload).map_err(|_| Malformed("broadcast"))
}

fn read_array(own: &str, nsp: &str, payload: &[u8]) -> Result<Option<(Box<str>, Broadcast)>, PacketError> {
    let mut reader = Reader::new(payload);
    let len = reader.array_len()?;
    if len < 2 {
        return Err(PacketError::InvalidPayload);
    }
    let uid = reader.string()?.ok_or(PacketError::InvalidId)?;
    if uid == own {
        return Ok(None);
    }
    let (mut data, mut of) = (None, Cow::Borrowed("/"));
    for _ in 0..reader.map_len()? {
        match &*reader.key()? {
            "data" => data = Some(reader.raw()?),
            "nsp" => of = reader.string()?.unwrap_or(of),
            "type" => match reader.uint()?.and_then(PacketType::from_number) {
                // Old emitters use a separate type for binary events.
                Some(PacketType::Event | PacketType::BinaryEvent) => {}
                _ => return Err(PacketError::UnknownType),
            },
            _ => reader.skip()?,
        }
    }
    if of != nsp {
        return Ok(None);
    }
    let (target, flags) = if len > 2 { read_opts(&mut reader)? } else { (Target::all(), Flags::default()) };
    for _ in 3..len {
        reader.skip()?;
    }
    reader.finish()?;
    let (data, attachments) = msgpack::msgpack_to_json(data.ok_or(PacketError::InvalidPayload)?)?;
    if !is_event(&data) {
        return Err(PacketError::InvalidPayload);
    }
    let broadcast = Broadcast { target, data: data.into(), attachments, flags: flags.emit(), ack: None };
    Ok(Some((uid.into(), broadcast)))
}

fn read_opts(reader: &mut Reader<'_>) -> Result<(Target, Flags), PacketError> {
    let (mut target, mut flags) = (Target::all(), Flags::default());
    for _ in 0..reader.map_len()? {
        match &*reader.key()? {
            "rooms" => target.rooms = read_names(reader)?,
            "except" => target.except = read_names(reader)?,
            "flags" => {
                let raw = reader.raw()?;
                let (json, _) = msgpack::msgpack_to_json(raw)?;
                let read: Option<Flags> =
                    serde_json::from_str(&json).map_err(|_| PacketError::InvalidPayload)?;
                flags = read.unwrap_or_default();
            }
            _ => reader.skip()?,
        }
    }
    Ok((target, flags))
}

fn read_names(reader: &mut Reader<'_>) -> Result<Vec<Box<str>>, PacketError> {
    let (json, _) = msgpack::msgpack_to_json(reader.raw()?)?;
    let list: Option<Vec<Name>> = serde_json::from_str(&json).map_err(|_| PacketError::InvalidPayload)?;
    Ok(names(list))
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(rename = "type")]
    kind: u64,
    uid: Option<Box<str>>,
    #[serde(rename = "requestId")]
    id: Option<Box<str>>,
    opts: Option<Opts>,
    rooms: Option<Vec<Name>>,
    /// Sent by old versions of the adapter.
    sid: Option<Name>,
    /// Sent by old versions of the adapter.
    room: Option<Name>,
    close: Option<bool>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    packet: Option<Packet<'a>>,
}

/// `None` if the request is our own, or has an unknown type.
pub(super) fn read_request(own: &str, payload: &[u8]) -> Result<Option<Incoming>, Malformed> {
    const BAD: Malformed = Malformed("request");
    let (text, attachments) = of_payload(payload).ok_or(BAD)?;
    let request: Request<'_> = serde_json::from_str(&text).map_err(|_| BAD)?;
    let Request { kind, uid, id, opts, rooms, sid, room, close, data, packet } = request;
    if uid.as_deref() == Some(own) {
        return Ok(None);
    }
    let ask = |question| Some(FleetMessage::Ask { id: id.clone()?, question });
    let one = |change| Some(FleetMessage::OneSocket { id: id.clone(), sid: sid.as_ref()?.0.clone(), change });
    let room = room.map(|room| room.0);
    let message = match (kind, opts) {
        (IDS, _) => ask(NodeQuestion::Ids(names(rooms))),
        (ROOMS, _) => ask(NodeQuestion::Rooms),
        (JOIN | LEAVE, opts) => {
            let way = if kind == JOIN { Move::Join } else { Move::Leave };
            match opts {
                Some(opts) => Some(FleetMessage::Move { way, target: opts.target(), rooms: names(rooms) }),
                None => room.and_then(|room| one(SocketChange::Move(way, room))),
            }
        }
        (DISCONNECT, opts) => {
            let what = Disconnect::from_close(close.unwrap_or(false));
            match opts {
                Some(opts) => Some(FleetMessage::Disconnect { target: opts.target(), what }),
                None => one(SocketChange::Disconnect(what)),
            }
        }
        (FETCH, opts) => ask(NodeQuestion::Sockets(opts.unwrap_or_default().target())),
        (SERVER_SIDE, _) => data
            .filter(|data| data.get().starts_with('['))
            .map(|data| FleetMessage::ServerSide { data: data.get().into(), attachments, id: id.clone() }),
        (BROADCAST, opts) => match (packet, &id) {
            (Some(packet), Some(id)) if is_event(packet.data.get()) => {
                let (target, flags, timeout) = opts.unwrap_or_default().parts();
                Some(FleetMessage::Broadcast(Broadcast {
                    target,
                    data: packet.data.get().into(),
                    attachments,
                    flags,
                    ack: Some((id.clone(), timeout)),
                }))
            }
            _ => None,
        },
        (HELLO, _) => Some(FleetMessage::Hello),
        _ => return Ok(None),
    };
    Ok(Some(Incoming::Message { uid, message: message.ok_or(BAD)? }))
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(rename = "type")]
    kind: Option<u64>,
    uid: Option<Box<str>>,
    #[serde(rename = "requestId")]
    id: Option<Box<str>>,
    /// Either ids or sockets, depending on the request.
    #[serde(borrow)]
    sockets: Option<&'a RawValue>,
    rooms: Option<Vec<Name>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    packet: Option<&'a RawValue>,
    #[serde(rename = "clientCount")]
    clients: Option<f64>,
}

/// `None` if the answer is our own, or has an unknown type.
pub(super) fn read_answer(own: &str, payload: &[u8]) -> Result<Option<Incoming>, Malformed> {
    const BAD: Malformed = Malformed("response");
    let (text, attachments) = of_payload(payload).ok_or(BAD)?;
    let response: Response<'_> = serde_json::from_str(&text).map_err(|_| BAD)?;
    let Response { kind, uid, id, sockets, rooms, data, packet, clients } = response;
    if uid.as_deref() == Some(own) {
        return Ok(None);
    }
    let value = |raw: Option<&RawValue>| raw.map_or("null", RawValue::get).into();
    let answer = match kind {
        Some(SERVER_SIDE) => NodeAnswer::ServerSide { data: value(data), attachments },
        Some(CLIENTS) => NodeAnswer::Clients(clients.filter(|n| *n >= 0.0).ok_or(BAD)? as usize),
        Some(ACK) => NodeAnswer::Ack { data: value(packet), attachments },
        Some(_) => return Ok(None),
        None => match (sockets, rooms) {
            (Some(sockets), _) => read_sockets(sockets.get(), &attachments).ok_or(BAD)?,
            (None, Some(rooms)) => NodeAnswer::Rooms(names(Some(rooms))),
            (None, None) => NodeAnswer::Done,
        },
    };
    Ok(Some(Incoming::Answer { uid, id: id.ok_or(BAD)?, answer }))
}

/// Parses a list of sockets, or of socket ids.
fn read_sockets(json: &str, attachments: &[Bytes]) -> Option<NodeAnswer> {
    if json[1..].trim_start().starts_with('"') {
        return Some(NodeAnswer::Ids(names(Some(serde_json::from_str(json).ok()?))));
    }
    let list: Vec<Socket<'_>> = serde_json::from_str(json).ok()?;
    Some(NodeAnswer::Sockets(list.into_iter().map(|socket| socket.remote(attachments)).collect()))
}
