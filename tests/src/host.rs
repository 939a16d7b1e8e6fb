//! A host: a server with its events, taken one by one by the thread of the test.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Instant;

use bytes::Bytes;
use kraken_ws_core::{
    EmitFlags, Event, Events, FetchedSocket, Namespace, Options, RequestInfo, Server, SocketHandle, Target,
};
use serde_json::Value;

use crate::{PATIENCE, TcpClient};

/// A server and the host's end of its events.
pub struct Host {
    /// What the tests drive.
    pub server: Server,
    /// The namespace `/`.
    pub main: Namespace,
    events: Events,
    taken: VecDeque<Event>,
    runtime: tokio::runtime::Runtime,
}

impl Host {
    /// Starts a server with these options.
    pub fn start(options: &Value) -> Self {
        Self::with(Options::from_json(options).expect("options"))
    }

    /// Starts a server with options that are parsed already.
    pub fn with(options: Options) -> Self {
        let (server, events) = Server::new(options).expect("a server");
        let main = server.namespace("/").expect("the main namespace");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { server, main, events, taken: VecDeque::new(), runtime }
    }

    /// Listens on a free port of the loopback.
    pub fn listen(&self) -> SocketAddr {
        self.server.listen_tcp("127.0.0.1", 0).expect("listen")
    }

    /// A client in the main namespace and the handle of its socket.
    pub fn client(&mut self, addr: SocketAddr) -> (TcpClient, SocketHandle) {
        let client = TcpClient::tcp(addr);
        let socket = self.socket_of(&client.id);
        (client, socket)
    }

    /// Waits for the `Connect` of the socket with that public id.
    pub fn socket_of(&mut self, id: &str) -> SocketHandle {
        self.find(|event| match event {
            Event::Connect { socket, id: found, .. } if &**found == id => Some(*socket),
            _ => None,
        })
    }

    /// The next event.
    pub fn event(&mut self) -> Event {
        if self.taken.is_empty() {
            let mut batch = Vec::new();
            let receive = self.events.recv_many(&mut batch, 256);
            let waited = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, receive).await });
            waited.expect("no event came in time");
            self.taken.extend(batch);
        }
        self.taken.pop_front().expect("a batch is never empty")
    }

    /// The first event that `pick` wants; those before it are thrown away.
    pub fn find<T>(&mut self, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        loop {
            let event = self.event();
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    }

    /// Bytes of events that the host has not taken.
    pub fn pending_bytes(&self) -> usize {
        self.events.pending_bytes()
    }

    /// Publishes an event without attachments.
    pub fn publish(&self, target: Target, data: &str) {
        self.server.publish(&self.main, target, data, vec![], EmitFlags::default()).expect("publish");
    }

    /// Emits an event without attachments.
    pub fn emit(&self, socket: SocketHandle, data: &str) {
        self.server.emit(&self.main, socket, data, vec![], EmitFlags::default()).expect("emit");
    }

    /// Waits until every shard has carried out what was asked of it so far.
    pub fn settle(&self) -> Vec<FetchedSocket> {
        let found = self.server.fetch_sockets(&self.main, Target::all());
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, found).await })
            .expect("shards that answer")
    }

    /// Closes the server; everything that the host had not taken, without `Closed`, which has to be last.
    pub fn close(&mut self) -> Vec<Event> {
        self.server.close();
        let mut rest = Vec::new();
        loop {
            match self.event() {
                Event::Closed => break,
                event => rest.push(event),
            }
        }
        let mut after = Vec::new();
        assert!(self.taken.is_empty() && self.events.recv_batch(&mut after, 1) == 0, "an event after Closed");
        rest
    }
}

/// Holds one shard still, as a long turn would, until it is dropped.
pub struct Gate(#[expect(dead_code, reason = "its drop opens the gate")] mpsc::Sender<()>);

impl Gate {
    /// Holds the shard that is next in turn: the only one, where there is one.
    pub fn hold(server: &Server) -> Self {
        let (open, closed) = mpsc::channel();
        let (entered, enter) = mpsc::channel();
        let request = RequestInfo::new("GET", "/elsewhere");
        let reply = move |_| {
            let _ = entered.send(());
            // Ends when the gate is dropped.
            let _: Result<(), _> = closed.recv_timeout(PATIENCE);
        };
        // Replies run on the thread of the shard.
        let _ = server.http(request, Bytes::new(), Box::new(reply));
        enter.recv_timeout(PATIENCE).expect("the shard came to the gate");
        Self(open)
    }
}

/// Waits for something that has no event: what the kernel shows of this process, or a counter.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "never came: {what}");
        std::thread::yield_now();
    }
}
