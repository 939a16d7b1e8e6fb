//! A client that says exactly what a case wants to have said, and the host that answers it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use kraken_ws_core::{EmitFlags, Event, Options, RawMessage};
use kraken_ws_tests::{ECHO_OPTIONS, Host, dial};

pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

const MASK: [u8; 4] = [0xa7, 0x01, 0x5c, 0xf0];
const SHRINK: EmitFlags = EmitFlags::new();

/// Runs `client` against a host on the production engine that sends every message back as it came.
pub fn with_echo_host(client: impl FnOnce(SocketAddr) + Send) {
    let mut options = Options::from_json(&serde_json::from_str(ECHO_OPTIONS).unwrap()).unwrap();
    options.raw = true;
    let mut host = Host::with(options);
    let addr = host.listen();
    let server = host.server.clone();
    std::thread::scope(|scope| {
        let echo = scope.spawn(move || {
            // The server may be closing already: then nobody waits for the echo.
            loop {
                match host.event() {
                    Event::Message { conn, message: RawMessage::Text(text) } => {
                        let _ = host.server.raw_send_text(conn, &text, SHRINK, false);
                    }
                    Event::Message { conn, message: RawMessage::Binary(bytes) } => {
                        let _ = host.server.raw_send_binary(conn, &bytes, SHRINK, false);
                    }
                    Event::Closed => return,
                    _ => {}
                }
            }
        });
        // A case that fails must end its host too.
        struct Closing(kraken_ws_core::Server);
        impl Drop for Closing {
            fn drop(&mut self) {
                self.0.close();
            }
        }
        {
            let _closing = Closing(server);
            client(addr);
        }
        echo.join().unwrap();
    });
}

/// What the server sent.
#[derive(Debug, PartialEq)]
pub enum Got {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
    /// The end of the TCP stream.
    End,
}

/// A frame of a client; `rsv` are the three reserved bits as a number.
pub fn frame(opcode: u8, fin: bool, rsv: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![u8::from(fin) << 7 | rsv << 4 | opcode];
    match payload.len() {
        len @ 0..=125 => out.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

/// The first or only frame of a text message: the engine's packet type and what the case says.
pub fn text(fin: bool, payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(TEXT, fin, 0, &[b"4", payload.as_ref()].concat())
}

/// A further frame of a message.
pub fn more(fin: bool, payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(CONTINUATION, fin, 0, payload.as_ref())
}

/// A whole frame without reserved bits.
pub fn whole(opcode: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(opcode, true, 0, payload.as_ref())
}

/// A message in frames of `size` bytes of payload.
pub fn fragmented(opcode: u8, rsv: u8, payload: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + payload.len() / size * 14);
    let count = payload.len().div_ceil(size).max(1);
    for i in 0..count {
        let part = &payload[i * size..payload.len().min((i + 1) * size)];
        let (opcode, rsv) = if i == 0 { (opcode, rsv) } else { (CONTINUATION, 0) };
        out.extend(frame(opcode, i + 1 == count, rsv, part));
    }
    out
}

/// A close frame.
pub fn close(code: u16, reason: impl AsRef<[u8]>) -> Vec<u8> {
    whole(CLOSE, [&code.to_be_bytes()[..], reason.as_ref()].concat())
}

/// One WebSocket with an Engine.IO session that has been opened.
pub struct Peer {
    stream: TcpStream,
    read: Vec<u8>,
    at: usize,
    /// The server's `Sec-WebSocket-Extensions`.
    pub extensions: Option<String>,
}

impl Peer {
    pub fn open(addr: SocketAddr, offer: Option<&str>) -> Self {
        let stream = dial(addr);
        stream.set_nodelay(true).unwrap();
        let mut peer = Self { stream, read: Vec::new(), at: 0, extensions: None };
        let offer = offer.map(|offer| format!("Sec-WebSocket-Extensions: {offer}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {addr}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {offer}\r\n"
        );
        peer.send(request.as_bytes());
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend_from_slice(peer.take(1).expect("the end of the head"));
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("sec-websocket-extensions").then(|| value.trim().to_owned())
        };
        peer.extensions = head.lines().find_map(header);
        match peer.next_frame() {
            Got::Text(open) => assert!(open.starts_with(b"0{"), "{open:?}"),
            other => panic!("expected the open packet, got {other:?}"),
        }
        peer
    }

    /// Sends in one piece. The server may have closed already; what it said then tells the outcome.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends in pieces of `size` bytes, a segment each as far as the kernel lets it.
    pub fn send_chopped(&mut self, bytes: &[u8], size: usize) {
        for piece in bytes.chunks(size) {
            if self.stream.write_all(piece).is_err() {
                return;
            }
        }
    }

    fn take(&mut self, count: usize) -> Option<&[u8]> {
        while self.read.len() - self.at < count {
            self.read.drain(..std::mem::take(&mut self.at));
            let mut buffer = vec![0; 64 * 1024];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(n) => self.read.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(e) => panic!("nothing came: {e}"),
            }
        }
        self.at += count;
        Some(&self.read[self.at - count..self.at])
    }

    fn next_frame(&mut self) -> Got {
        let Some(&[first, second]) = self.take(2).and_then(|two| two.first_chunk()) else { return Got::End };
        assert!(first & 0x80 != 0, "a server's frame is whole");
        assert!(
            first & 0x30 == 0 && second & 0x80 == 0,
            "RSV2, RSV3 and MASK are clear: {first:x} {second:x}"
        );
        let len = match second {
            126 => u16::from_be_bytes(*self.take(2).unwrap().first_chunk().unwrap()) as usize,
            127 => u64::from_be_bytes(*self.take(8).unwrap().first_chunk().unwrap()) as usize,
            len => usize::from(len),
        };
        let mut payload = self.take(len).expect("all of the frame").to_vec();
        if first & 0x40 != 0 {
            assert!(self.extensions.is_some() && first & 8 == 0, "RSV1 only where it was negotiated");
            payload = inflate(&payload);
        }
        match first & 0xf {
            TEXT => Got::Text(payload),
            BINARY => Got::Binary(payload),
            PONG => Got::Pong(payload),
            CLOSE => Got::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
            other => panic!("opcode {other}"),
        }
    }

    /// The next thing that the server says; a text message without the engine's packet type.
    pub fn next(&mut self) -> Got {
        match self.next_frame() {
            Got::Text(mut text) => {
                assert_eq!(text.first(), Some(&b'4'), "{}", String::from_utf8_lossy(&text));
                text.remove(0);
                Got::Text(text)
            }
            other => other,
        }
    }

    pub fn expects_text(&mut self, text: impl AsRef<[u8]>) {
        self.expects(Got::Text(text.as_ref().to_vec()));
    }

    pub fn expects_pong(&mut self, payload: impl AsRef<[u8]>) {
        self.expects(Got::Pong(payload.as_ref().to_vec()));
    }

    fn expects(&mut self, expected: Got) {
        let got = self.next();
        // Megabytes are no help in a failure.
        assert!(got == expected, "expected {}, got {}", short(&expected), short(&got));
    }

    /// The client closes with 1000 and hears the same, and then the server ends the connection.
    pub fn leaves(&mut self) {
        self.send(&close(1000, ""));
        self.ends_with(&[1000]);
    }

    /// The server closes the connection, with one of these codes or none of them if the case allows an empty
    /// frame (0), and says nothing before that.
    pub fn ends_with(&mut self, codes: &[u16]) {
        match self.next() {
            Got::Close(code) => assert!(codes.contains(&code.unwrap_or(0)), "{code:?} is none of {codes:?}"),
            other => panic!("expected a close frame, got {}", short(&other)),
        }
        assert_eq!(self.next_frame(), Got::End, "the server ends the connection");
    }

    /// As [`Peer::ends_with`], but the echo of `text` may have come before: the host that echoes is another
    /// thread, and a connection that failed sends nothing more.
    pub fn fails_maybe_after(&mut self, text: &str, code: u16) {
        let first = self.next();
        if first == Got::Text(text.as_bytes().to_vec()) {
            return self.ends_with(&[code]);
        }
        assert_eq!(first, Got::Close(Some(code)));
        assert_eq!(self.next_frame(), Got::End, "the server ends the connection");
    }
}

fn short(got: &Got) -> String {
    format!("{got:?}").chars().take(200).collect()
}

/// RFC 7692 §7.2.1, with a window of its own for each message.
pub fn deflate(payload: &[u8]) -> Vec<u8> {
    let mut deflate = Compress::new(Compression::new(6), false);
    let mut out = Vec::with_capacity(payload.len() + 1024);
    deflate.compress_vec(payload, &mut out, FlushCompress::Sync).unwrap();
    assert_eq!(deflate.total_in() as usize, payload.len());
    assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
    out.truncate(out.len() - 4);
    out
}

fn inflate(payload: &[u8]) -> Vec<u8> {
    let mut inflate = Decompress::new(false);
    let mut out = Vec::with_capacity(1 << 20);
    let input = [payload, &[0, 0, 0xff, 0xff]].concat();
    inflate.decompress_vec(&input, &mut out, FlushDecompress::Sync).unwrap();
    assert_eq!(inflate.total_in() as usize, input.len());
    out
}
