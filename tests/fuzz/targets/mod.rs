//! What is done with any bytes, under the name of what reads them. `tests/fuzz/fuzz_targets` gives each of these to
//! libFuzzer, `tests/tests/fuzz_seeds.rs` runs all for a moment.

mod engine;
mod http_query;
mod http_request;
mod msgpack;
mod packet;
mod polling_payload;
mod stage;
mod ws_frames;

use kraken_ws_core::fuzzing;

/// A target: a panic in it is a find.
pub type Target = fn(&[u8]);

/// All targets.
pub const ALL: &[(&str, Target)] = &[
    ("cluster_wire", fuzzing::cluster_wire),
    ("engine", engine::run),
    ("http_query", http_query::run),
    ("http_request", http_request::run),
    ("msgpack", msgpack::run),
    ("packet", packet::run),
    ("polling_payload", polling_payload::run),
    ("resp", fuzzing::resp),
    ("ws_frames", ws_frames::run),
];

/// Runs one of them.
pub fn run(name: &str, input: &[u8]) {
    let found = ALL.iter().find(|(known, _)| *known == name);
    found.expect("a target of that name").1(input);
}
