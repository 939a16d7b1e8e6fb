//! Any bytes as HTTP requests: each connection is answered in HTTP or closed, and the server serves the next one. The
//! first byte says where to cut the bytes.

use std::io::Write;

use super::stage::{STAGE, dial, finish, read_to_end};

pub fn run(input: &[u8]) {
    let [at, bytes @ ..] = input else { return };
    let mut stream = dial();
    let (head, tail) = bytes.split_at(usize::from(*at) % (bytes.len() + 1));
    for piece in [head, tail] {
        let _ = stream.write_all(piece);
    }
    finish(&stream);
    let answer = read_to_end(&mut stream);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&answer));
    STAGE.serves();
}
