//! Any bytes, cut in two or taken one by one, give the same messages as in one piece and hold no more
//! memory than arrived. The first byte says whether compression was negotiated, the second where to cut.

use kraken_ws_codec::ws::{Decoder, Limits, WsError};

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

pub fn run(input: &[u8]) {
    let [deflate, at, bytes @ ..] = input else { return };
    let limits = Limits { max_message: MAX_MESSAGE, deflate: deflate & 1 == 1 };
    let whole = read(std::iter::once(bytes), &limits);
    let (head, tail) = bytes.split_at(usize::from(*at) % (bytes.len() + 1));
    assert_eq!(read([head, tail].into_iter(), &limits), whole);
    assert_eq!(read(bytes.chunks(1), &limits), whole);
}
