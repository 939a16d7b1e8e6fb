//! Many Socket.IO clients on one thread and one epoll.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::frame;
use crate::histogram::Histogram;
use crate::packet::{self, Packet};
use crate::process::monotonic_ns;

/// One read takes at most this much; more than a socket's usual receive buffer, so that one call drains it.
const READ_BYTES: usize = 1 << 20;

pub struct Swarm {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    scratch: Vec<u8>,
    pub counts: Counts,
    pub latency: Histogram,
    /// While set, every acknowledgement is answered with a new `echo`, this many in all.
    echoes_left: u64,
}

/// What has happened so far, over all clients.
#[derive(Default)]
pub struct Counts {
    pub ready: usize,
    pub closed: usize,
    pub messages: u64,
}

struct Client {
    stream: TcpStream,
    state: State,
    /// The start of a frame or response whose end has not come yet.
    partial: Vec<u8>,
    /// Bytes that the socket did not take at once.
    unsent: Vec<u8>,
    began_ns: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Connecting,
    Upgrading,
    Open,
    Ready,
    Closed,
}

impl Swarm {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(4096),
            clients: Vec::new(),
            scratch: vec![0; READ_BYTES],
            counts: Counts::default(),
            latency: Histogram::new(),
            echoes_left: 0,
        })
    }

    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Opens `count` more connections, at most `at_once` of them under way, until each has its Socket.IO CONNECT.
    /// The time each took goes to `latency`.
    pub fn connect(
        &mut self,
        address: SocketAddr,
        count: usize,
        at_once: usize,
        limit: Duration,
    ) -> Result<(), String> {
        let until = Instant::now() + limit;
        let goal = self.counts.ready + count;
        let mut to_start = count;
        while self.counts.ready < goal {
            let under_way = goal - to_start - self.counts.ready;
            for _ in under_way..at_once.min(under_way + to_start) {
                self.start_one(address).map_err(|error| format!("connect: {error}"))?;
                to_start -= 1;
            }
            self.turn(Duration::from_millis(100))?;
            if self.counts.closed > 0 {
                return Err(format!("the server closed {} connections", self.counts.closed));
            }
            if Instant::now() > until {
                return Err(format!("{} of {goal} connections after {limit:?}", self.counts.ready));
            }
        }
        Ok(())
    }

    fn start_one(&mut self, address: SocketAddr) -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let token = Token(self.clients.len());
        self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        self.clients.push(Client {
            stream,
            state: State::Connecting,
            partial: Vec::new(),
            unsent: Vec::new(),
            began_ns: monotonic_ns(),
        });
        Ok(())
    }

    /// Closes every connection from this side.
    pub fn disconnect(&mut self) {
        self.clients.clear();
        self.counts = Counts::default();
    }

    /// Runs until `goal` messages in all have come, nothing has come for `quiet`, or `limit` is over;
    /// returns when the last message came.
    pub fn await_messages(&mut self, goal: u64, quiet: Duration, limit: Duration) -> Result<Instant, String> {
        let began = Instant::now();
        let mut last = began;
        while self.counts.messages < goal {
            let before = self.counts.messages;
            self.turn(Duration::from_millis(50))?;
            let now = Instant::now();
            if self.counts.messages > before {
                last = now;
            }
            if now - last > quiet || now - began > limit {
                break;
            }
        }
        Ok(last)
    }

    /// Sends `echo` events, `in_flight` at a time from each client, `total` in all, and waits for their
    /// acknowledgements, which are counted as messages.
    pub fn echo(&mut self, in_flight: u32, total: u64, limit: Duration) -> Result<Instant, String> {
        let goal = self.counts.messages + total;
        self.echoes_left = total;
        for at in 0..self.clients.len() {
            for id in 0..in_flight {
                if self.echoes_left > 0 {
                    self.echoes_left -= 1;
                    push_echo(&mut self.clients[at].unsent, id);
                }
            }
            self.clients[at].flush().map_err(|error| format!("echo: {error}"))?;
        }
        self.await_messages(goal, Duration::from_secs(3), limit)
    }

    fn turn(&mut self, wait: Duration) -> Result<(), String> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            result => result.map_err(|error| format!("poll: {error}"))?,
        }
        for event in &self.events {
            // A connection of an earlier wave may still have an event in this batch.
            let Some(client) = self.clients.get_mut(event.token().0) else {
                continue;
            };
            let work = Work {
                scratch: &mut self.scratch,
                counts: &mut self.counts,
                latency: &mut self.latency,
                echoes_left: &mut self.echoes_left,
            };
            client.step(event.is_readable(), event.is_writable(), work)?;
        }
        Ok(())
    }
}

/// The swarm's parts that a client's step touches.
struct Work<'a> {
    scratch: &'a mut Vec<u8>,
    counts: &'a mut Counts,
    latency: &'a mut Histogram,
    echoes_left: &'a mut u64,
}

impl Client {
    fn step(&mut self, readable: bool, writable: bool, mut work: Work<'_>) -> Result<(), String> {
        if writable && self.state == State::Connecting {
            if let Ok(Some(error)) = self.stream.take_error() {
                return Err(format!("connect: {error}"));
            }
            self.state = State::Upgrading;
            self.unsent.extend_from_slice(
                b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n\
                  Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            );
        }
        if readable {
            self.read(&mut work)?;
        }
        if !self.unsent.is_empty() && self.flush().is_err() {
            self.close(work.counts);
        }
        Ok(())
    }

    fn read(&mut self, work: &mut Work<'_>) -> Result<(), String> {
        while self.state != State::Closed {
            let kept = self.partial.len();
            work.scratch[..kept].copy_from_slice(&self.partial);
            let room = work.scratch.len() - kept;
            match self.stream.read(&mut work.scratch[kept..]) {
                Ok(0) => self.close(work.counts),
                Ok(count) => {
                    self.partial.clear();
                    // Out of `work` for the length of the parse, which needs the rest of it.
                    let scratch = std::mem::take(work.scratch);
                    let taken = self.take(&scratch[..kept + count], work);
                    if let Ok(taken) = taken {
                        self.partial.extend_from_slice(&scratch[taken..kept + count]);
                    }
                    *work.scratch = scratch;
                    taken?;
                    // A short read has emptied the socket; what comes later is a new epoll edge.
                    if count < room {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.close(work.counts),
            }
        }
        Ok(())
    }

    /// Handles all complete frames in `bytes` and returns how many bytes they were.
    fn take(&mut self, bytes: &[u8], work: &mut Work<'_>) -> Result<usize, String> {
        let now_ns = monotonic_ns();
        let mut rest = bytes;
        if self.state == State::Upgrading {
            let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") else {
                return Ok(0);
            };
            if !rest.starts_with(b"HTTP/1.1 101") {
                return Err(format!("upgrade refused: {}", String::from_utf8_lossy(rest)));
            }
            self.state = State::Open;
            rest = &rest[end + 4..];
        }
        while let Some((frame, after)) = frame::split(rest)? {
            rest = after;
            match frame.opcode {
                frame::TEXT => self.on_packet(packet::parse(frame.payload)?, now_ns, work),
                frame::PING => frame::push(&mut self.unsent, frame::PONG, frame.payload),
                frame::CLOSE => self.close(work.counts),
                other => return Err(format!("unexpected opcode {other}")),
            }
        }
        Ok(bytes.len() - rest.len())
    }

    fn on_packet(&mut self, packet: Packet, now_ns: u64, work: &mut Work<'_>) {
        match packet {
            Packet::Event { sent_ns } => {
                work.counts.messages += 1;
                work.latency.record(now_ns.saturating_sub(sent_ns));
            }
            Packet::Ack { id, sent_ns } => {
                work.counts.messages += 1;
                work.latency.record(now_ns.saturating_sub(sent_ns));
                if *work.echoes_left > 0 {
                    *work.echoes_left -= 1;
                    push_echo(&mut self.unsent, id);
                }
            }
            Packet::Open => frame::push(&mut self.unsent, frame::TEXT, b"40"),
            Packet::Ping => frame::push(&mut self.unsent, frame::TEXT, b"3"),
            Packet::Connected => {
                self.state = State::Ready;
                work.counts.ready += 1;
                work.latency.record(now_ns.saturating_sub(self.began_ns));
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn close(&mut self, counts: &mut Counts) {
        if self.state != State::Closed {
            self.state = State::Closed;
            counts.closed += 1;
        }
    }
}

/// One `echo` event, stamped when it is queued; it is sent at the end of the same turn.
fn push_echo(out: &mut Vec<u8>, id: u32) {
    let text = format!("42{id}[\"echo\",{{\"t\":{}}}]", monotonic_ns());
    frame::push(out, frame::TEXT, text.as_bytes());
}
