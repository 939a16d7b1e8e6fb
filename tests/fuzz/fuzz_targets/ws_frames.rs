//! Any bytes, cut in two or taken one by one, give the same messages as in one piece and hold no more
//! memory than arrived.
#![no_main]

use kraken_ws_core::engine::ws::{Decoder, Limits, WsError};
use libfuzzer_sys::fuzz_target;

const MAX_MESSAGE: usize = 4096;

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>, limits: &Limits) -> (Vec<String>, Option<WsError>) {
    let mut decoder = Decoder::new();
    let mut seen = Vec::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let result = decoder.feed(&mut piece, limits, &mut |incoming| {
            seen.push(format!("{incoming:?}"));
            true
        });
        assert!(decoder.buffered() <= 2 * MAX_MESSAGE + 1024);
        match result {
            Ok(used) => assert_eq!(used, piece.len()),
            Err(error) => return (seen, Some(error)),
        }
    }
    (seen, None)
}

fuzz_target!(|input: (bool, usize, &[u8])| {
    let (deflate, at, bytes) = input;
    let limits = Limits { max_message: MAX_MESSAGE, deflate };
    let whole = read(std::iter::once(bytes), &limits);
    let (head, tail) = bytes.split_at(at % (bytes.len() + 1));
    assert_eq!(read([head, tail].into_iter(), &limits), whole);
    assert_eq!(read(bytes.chunks(1), &limits), whole);
});
