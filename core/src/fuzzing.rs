//! Checks for the fuzz targets of `tests/fuzz`, on parsers that are not public. Not part of the API.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use kraken_ws_codec::packet;
use serde_json::value::RawValue;

use crate::cluster::fuzzing::{
    Answer, Incoming, Kind, Message, Mode, Names, Subscriptions, Value, Wire, take,
};

/// Longest Redis reply that is read, in place of `cluster.queueBytes`.
const LIMIT: usize = 4096;

/// Parses bytes from Redis in one piece, cut in two, and byte by byte: the replies must be the same, and the buffer
/// must stay within the limit. The first byte of `input` selects the position of the cut.
pub fn resp(input: &[u8]) {
    let Some((at, bytes)) = input.split_first() else { return };
    let whole = replies([bytes].into_iter());
    let (head, tail) = bytes.split_at(usize::from(*at) % (bytes.len() + 1));
    assert_eq!(replies([head, tail].into_iter()), whole);
    assert_eq!(replies(bytes.chunks(1)), whole);
}

fn replies<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Value>, bool) {
    let mut buffer = BytesMut::new();
    let mut seen = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match take(&mut buffer, LIMIT) {
                Ok(Some(value)) => seen.push(value),
                Ok(None) => break,
                Err(_) => return (seen, true),
            }
            assert!(buffer.capacity() <= 4 * LIMIT + piece.len(), "{}", buffer.capacity());
        }
    }
    (seen, false)
}

/// Reads a payload on a channel of either wire format: an accepted message must be valid for a shard and a host, and
/// must survive being written again. The first byte of `input` selects the channel.
pub fn cluster_wire(input: &[u8]) {
    let Some((channel, payload)) = input.split_first() else { return };
    let (mode, kind) = match channel % 4 {
        0 => (Mode::Classic, None),
        1 => (Mode::Classic, Some(Kind::Request)),
        2 => (Mode::Classic, Some(Kind::Answer)),
        _ => (Mode::Sharded, Some(Kind::Sharded)),
    };
    let wire = |mode| Wire::new(Arc::new(Names::new(mode, "socket.io", Subscriptions::Dynamic)), false, None);
    let Some(incoming) = read(&wire(mode), kind, payload) else { return };
    match &incoming {
        Incoming::Message { message: Message::Broadcast(broadcast), .. } => {
            may_be_given(&broadcast.data, &broadcast.attachments);
        }
        Incoming::Message { message: Message::ServerSide { data, attachments, .. }, .. }
        | Incoming::Answer { answer: Answer::ServerSide { data, attachments }, .. }
        | Incoming::Answer { answer: Answer::Ack { data, attachments }, .. } => {
            may_be_given(data, attachments)
        }
        _ => {}
    }
    for mode in [Mode::Classic, Mode::Sharded] {
        let written = match &incoming {
            Incoming::Message { message, .. } => wire(mode).message("/", message, |_| false),
            Incoming::Answer { id, answer, .. } => wire(mode).answer("/", None, id, answer),
        };
        // Every message that was read has a weight.
        if let (Ok((channel, payload)), Incoming::Message { message, .. }) = (&written, &incoming) {
            assert!(message.weight() > 0 && !channel.is_empty() && !payload.is_empty());
        }
        let (Ok((_, payload)), Incoming::Message { message: Message::Broadcast(broadcast), .. }) =
            (written, &incoming)
        else {
            continue;
        };
        // In classic mode a broadcast with acks is a request.
        let kind = match mode {
            Mode::Sharded => Some(Kind::Sharded),
            Mode::Classic => broadcast.ack.is_some().then_some(Kind::Request),
        };
        assert!(read(&wire(mode), kind, &payload).is_some(), "a broadcast that was written is read");
    }
}

/// Reads a payload as a node does; `kind` is `None` on the channel of broadcasts.
fn read(wire: &Wire, kind: Option<Kind>, payload: &[u8]) -> Option<Incoming> {
    let Some(kind) = kind else {
        let (uid, broadcast) = wire.read_broadcast("/", b"socket.io#/#", payload).ok()??;
        return Some(Incoming::Message { uid: Some(uid), message: Message::Broadcast(broadcast) });
    };
    wire.read(&"/".into(), b"socket.io#/#", payload, kind).ok()?.map(|(_, incoming)| incoming)
}

/// Asserts that `data` is JSON and that each placeholder in it has an attachment.
fn may_be_given(data: &str, attachments: &[Bytes]) {
    assert!(serde_json::from_str::<&RawValue>(data).is_ok(), "{data}");
    assert!(packet::validate_placeholders(data, attachments.len()), "{data} {}", attachments.len());
}
