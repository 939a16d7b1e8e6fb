//! Compares the packet codec with socketioxide's parser: both give the same packets; the costs are printed. These
//! numbers are the reason for a codec of our own (ARCHITECTURE.md, "Decisions").

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use kraken_ws_codec::packet::{self, PacketType};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use socketioxide_core::packet::{Packet, PacketData};
use socketioxide_core::parser::{Parse, ParseError, ParserState};
use socketioxide_core::{Str, Value};
use socketioxide_parser_common::CommonParser;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

fn theirs(text: &str, attachments: usize) -> Packet {
    let state = ParserState::default();
    let mut read = CommonParser.decode_str(&state, Str::copy_from_slice(text));
    for _ in 0..attachments {
        assert!(matches!(read, Err(ParseError::NeedsMoreBinaryData)), "{text}");
        read = CommonParser.decode_bin(&state, Bytes::from_static(b"bin"));
    }
    read.unwrap_or_else(|e| panic!("socketioxide refuses {text}: {e:?}"))
}

/// Data, id and number of attachments of an event or ack.
fn parts(packet: &Packet) -> (String, Option<u64>, usize) {
    let (value, id) = match &packet.inner {
        PacketData::Event(value, id) | PacketData::BinaryEvent(value, id) => (value, *id),
        PacketData::EventAck(value, id) | PacketData::BinaryAck(value, id) => (value, Some(*id)),
        other => panic!("no event: {other:?}"),
    };
    let Value::Str(data, attachments) = value else { panic!("binary") };
    (data.to_string(), id.map(|id| id as u64), attachments.as_ref().map_or(0, |list| list.len()))
}

/// An event or ack as text, followed by its number of attachments.
fn written(ack: bool, attachments: usize, nsp: &str, id: Option<u64>, data: &str) -> String {
    let kind = match (ack, attachments) {
        (false, 0) => PacketType::Event,
        (true, 0) => PacketType::Ack,
        (false, _) => PacketType::BinaryEvent,
        (true, _) => PacketType::BinaryAck,
    };
    let mut out = Vec::new();
    packet::write_event_prefix(&mut out, kind, attachments, nsp, id);
    String::from_utf8(out).unwrap() + data
}

fn data(attachments: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<(String, i32, bool)>(), 0..4).prop_map(move |items| {
        let mut list = vec![serde_json::json!("event")];
        list.extend(items.into_iter().map(|item| serde_json::json!(item)));
        let places = (0..attachments).map(|num| serde_json::json!({ "_placeholder": true, "num": num }));
        list.extend(places);
        serde_json::Value::from(list).to_string()
    })
}

proptest! {
    #[test]
    fn both_read_the_same_from_what_we_write(
        (attachments, data) in (0..4usize).prop_flat_map(|n| (Just(n), data(n))),
        ack in any::<bool>(),
        nsp in prop_oneof![Just("/".to_owned()), "/[a-z]{1,8}"],
        id in prop::option::of(0..=i64::MAX as u64),
    ) {
        let id = if ack { Some(id.unwrap_or(7)) } else { id };
        let text = written(ack, attachments, &nsp, id, &data);
        let (ours, packet) = (packet::parse(&text).unwrap(), theirs(&text, attachments));
        prop_assert_eq!(ours.nsp, packet.ns.as_str());
        prop_assert_eq!((ours.data.to_owned(), ours.id, ours.attachments), parts(&packet));
        // Encoding the packet again gives the same bytes as our encoder.
        let Value::Str(again, _) = CommonParser.encode(packet) else { panic!("binary") };
        prop_assert_eq!(again.as_str(), text);
    }
}

#[test]
fn reading_and_writing_an_event_allocates_less_than_socketioxide() {
    const ROUNDS: u32 = 20_000;
    let text =
        written(false, 0, "/chat", Some(12), r#"["sendMessage",{"channelId":"42","text":"hello there"}]"#);
    let measure = |what: &str, act: &dyn Fn()| {
        let (region, start) = (Region::new(ALLOCATOR), Instant::now());
        (0..ROUNDS).for_each(|_| act());
        let (each, allocations) =
            (start.elapsed() / ROUNDS, region.change().allocations as f64 / f64::from(ROUNDS));
        println!("{what}: {allocations} allocations, {each:?}");
        allocations
    };
    let read = measure("core reads", &|| {
        let _ = black_box(packet::parse(black_box(&text)));
    });
    let state = ParserState::default();
    let read_theirs = measure("socketioxide reads, serde_json checks", &|| {
        let packet = CommonParser.decode_str(&state, Str::copy_from_slice(black_box(&text))).unwrap();
        // The core refuses a payload that is not JSON; socketioxide leaves that to the handler.
        let PacketData::Event(Value::Str(data, _), _) = &packet.inner else { panic!("no event") };
        let _: IgnoredAny = serde_json::from_str(data).unwrap();
        drop(black_box(packet));
    });
    let data = packet::parse(&text).unwrap().data;
    let write = measure("core writes", &|| {
        // A frame needs its text once: the prefix is written before the data of the host.
        let mut out = Vec::with_capacity(32 + data.len());
        packet::write_event_prefix(&mut out, PacketType::Event, 0, black_box("/chat"), Some(12));
        out.extend_from_slice(data.as_bytes());
        drop(black_box(out));
    });
    let write_theirs = measure("socketioxide writes", &|| {
        let value = Value::Str(Str::copy_from_slice(black_box(data)), None);
        let packet = Packet { inner: PacketData::Event(value, Some(12)), ns: Str::copy_from_slice("/chat") };
        drop(black_box(CommonParser.encode(packet)));
    });
    // The test runner's own thread may allocate now and then.
    assert_eq!((read.round(), write.round()), (0.0, 1.0));
    assert!(read < read_theirs && write < write_theirs);
}
