//! The engine's state machine: polling and WebSocket connections, upgrades, packets in and out of order, raw bytes,
//! clients that go and hosts that act, all in the order that the input says. Whatever it says, the next client is
//! served, and of those that are gone nothing is left.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::stage::{STAGE, dial, read_some};

/// Packets that mean something to one state or another.
const PACKETS: &[&str] = &[
    "40",
    "40{\"token\":1}",
    "40/asked,",
    "40/nowhere,",
    "40/asked,{\"pid\":\"aaaaaaaaaaaaaaaaaaaa\",\"offset\":\"b\"}",
    "41",
    "41/asked,",
    "42[\"event\",1]",
    "421[\"event\",{}]",
    "42/asked,[\"event\"]",
    "430[]",
    "431[1]",
    "451-[\"event\",{\"_placeholder\":true,\"num\":0}]",
    "451-7[\"event\",{\"_placeholder\":true,\"num\":0}]",
    "461-0[{\"_placeholder\":true,\"num\":0}]",
    "bAQID",
    "0{}",
    "1",
    "2",
    "2probe",
    "3",
    "3probe",
    "5",
    "6",
    "4",
    "",
];

/// Connections and sessions of one input at most.
const MANY: usize = 8;

#[derive(Default)]
struct Clients {
    sessions: Vec<String>,
    streams: Vec<TcpStream>,
}

/// Takes from the front of the input.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self) -> &'a [u8] {
        let count = self.byte().map_or(0, usize::from).min(self.0.len());
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    /// A packet of the list, or one that the input has.
    fn packet(&mut self) -> Vec<u8> {
        match self.byte().map(usize::from) {
            Some(at) if at < PACKETS.len() => PACKETS[at].into(),
            _ => self.bytes().to_vec(),
        }
    }
}

pub fn run(input: &[u8]) {
    let mut clients = Clients::default();
    let mut input = Input(input);
    for _ in 0..64 {
        let Some(step) = input.byte() else { break };
        clients.step(step & 0x0f, usize::from(step >> 4), &mut input);
    }
    drop(clients);
    STAGE.serves();
    // A session by polling ends with its heartbeat, so this waits.
    static INPUTS: AtomicUsize = AtomicUsize::new(1);
    if INPUTS.fetch_add(1, Ordering::Relaxed).is_multiple_of(16) {
        STAGE.is_empty();
    }
}

impl Clients {
    fn step(&mut self, step: u8, which: usize, input: &mut Input<'_>) {
        match step {
            0 | 1 if self.sessions.len() < MANY => self.open_session(step == 1),
            2 => self.request(which, "GET", &[], ""),
            3 => {
                let packets: Vec<_> = (0..which % 3 + 1).map(|_| input.packet()).collect();
                self.request(which, "POST", &packets.join(&0x1e), "Content-Type: text/plain\r\n");
            }
            4 => self.websocket("", false),
            5 => {
                let sid = self.session(which);
                self.websocket(&sid, which & 1 == 1);
            }
            6..=8 => {
                let packet = input.packet();
                self.write(which, &frame(0x81, &packet));
            }
            9 => {
                let data = input.bytes();
                self.write(which, &frame(0x82, data));
            }
            10 => {
                let (first, payload) = (input.byte().unwrap_or(0x89), input.bytes());
                self.write(which, &frame(first, payload));
            }
            11 => self.write(which, input.bytes()),
            12 if !self.streams.is_empty() => {
                let at = which % self.streams.len();
                self.streams.swap_remove(at);
            }
            13 => self.streams.iter_mut().for_each(read_some),
            _ => STAGE.act(input.byte().unwrap_or(0), &"x".repeat(which * 200)),
        }
    }

    fn session(&self, which: usize) -> String {
        match self.sessions.len() {
            0 => "none".to_owned(),
            count => self.sessions[which % count].clone(),
        }
    }

    /// Opens a polling session and waits for its id.
    fn open_session(&mut self, v3: bool) {
        let mut stream = dial();
        let eio = if v3 { 3 } else { 4 };
        let head = format!("GET /socket.io/?EIO={eio}&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("the server reads");
        let mut answer = Vec::new();
        let sid = loop {
            let mut buffer = [0; 1024];
            let count = stream.read(&mut buffer).expect("the server answers");
            assert!(count > 0, "the server closed: {}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&buffer[..count]);
            let text = String::from_utf8_lossy(&answer);
            if let Some((_, rest)) = text.split_once("\"sid\":\"")
                && let Some((sid, _)) = rest.split_once('"')
            {
                break sid.to_owned();
            }
        };
        self.sessions.push(sid);
        self.keep(stream);
    }

    fn keep(&mut self, stream: TcpStream) {
        if self.streams.len() == MANY {
            self.streams.remove(0);
        }
        self.streams.push(stream);
    }

    /// A request on a connection of its own, whose answer is not awaited.
    fn request(&mut self, which: usize, method: &str, body: &[u8], headers: &str) {
        let sid = self.session(which);
        let head = format!(
            "{method} /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: a\r\n{headers}\
             Accept-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = dial();
        let _ = stream.write_all(&[head.as_bytes(), body].concat());
        self.keep(stream);
    }

    /// Asks for a WebSocket; frames follow without a look at the answer.
    fn websocket(&mut self, sid: &str, deflate: bool) {
        let sid = if sid.is_empty() { String::new() } else { format!("&sid={sid}") };
        let offer = if deflate { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
        let head = format!(
            "GET /socket.io/?EIO=4&transport=websocket{sid} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {offer}\r\n"
        );
        let mut stream = dial();
        let _ = stream.write_all(head.as_bytes());
        self.keep(stream);
    }

    fn write(&mut self, which: usize, bytes: &[u8]) {
        let count = self.streams.len();
        if count > 0 {
            // A full connection is left alone: nobody reads its answers but this thread.
            let stream = &mut self.streams[which % count];
            read_some(stream);
            let _ = stream.write_all(bytes);
        }
    }
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        len @ 0..=125 => out.push(0x80 | len as u8),
        len => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
    }
    // A mask of zeros leaves the payload as it is.
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
    out
}
