//! A server that targets talk to over sockets, and its host, which does what hosts do.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use kraken_ws_core::{Disconnect, EmitFlags, Event, Options, Reach, Server, SocketHandle, Target};

/// How long anything may take that has to come. Only a failure waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Heartbeats of a few milliseconds, so that timers run among the bytes; limits that a few kilobytes reach.
const OPTIONS: &str = r#"{
    "shards": 2, "pingInterval": 20, "pingTimeout": 10, "connectTimeout": 20, "maxHttpBufferSize": 4096,
    "maxOutboxBytes": 16384, "maxPendingEvents": 8, "perMessageDeflate": { "threshold": 0 }, "allowEIO3": true,
    "httpCompression": true, "connectionStateRecovery": { "maxDisconnectionDuration": 50 }
}"#;

/// One server for all inputs of a process.
pub struct Stage {
    pub addr: SocketAddr,
    server: Server,
    /// Sockets that the host was told of, the newest last.
    sockets: Mutex<Vec<SocketHandle>>,
}

pub static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    // A panic of a shard is a find like any other.
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        say(info);
        std::process::abort();
    }));
    let options = Options::from_json(&serde_json::from_str(OPTIONS).unwrap()).unwrap();
    let (server, mut events) = Server::new(options).unwrap();
    let main = server.namespace("/").unwrap();
    let asked = server.deciding_namespace("/asked").unwrap();
    let addr = server.listen_tcp("127.0.0.1", 0).unwrap();
    let answering = server.clone();
    std::thread::spawn(move || {
        let mut batch = Vec::new();
        loop {
            if events.recv_batch(&mut batch, 64) == 0 {
                std::thread::sleep(Duration::from_micros(200));
            }
            for event in batch.drain(..) {
                match event {
                    Event::Connect { socket, pending, .. } => {
                        // Every other one that it is asked about is let in.
                        match pending && socket.0 % 2 == 1 {
                            true => answering.reject(socket, r#"{"message":"no","data":{"why":[1]}}"#),
                            false => answering.accept(socket),
                        }
                        answering.join(socket, &["room"]);
                        let mut sockets = STAGE.sockets.lock().unwrap();
                        sockets.push(socket);
                        let old = sockets.len().saturating_sub(16);
                        sockets.drain(..old);
                    }
                    Event::Event { socket, ack: Some(id), data, attachments, .. } => {
                        let _ = answering.ack(&main, socket, id, &data, attachments);
                    }
                    _ => {}
                }
            }
        }
    });
    drop(asked);
    Stage { addr, server, sockets: Mutex::default() }
});

/// A TCP connection that waits only for what has to come.
pub fn dial() -> TcpStream {
    let stream = TcpStream::connect(STAGE.addr).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// All that comes until the server ends the connection.
pub fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Ok(_) => all,
        Err(e) if e.kind() == ErrorKind::ConnectionReset => all,
        Err(e) => panic!("the server neither answered nor closed: {e}"),
    }
}

/// Reads what is there, without waiting.
pub fn read_some(stream: &mut TcpStream) {
    stream.set_nonblocking(true).unwrap();
    while matches!(stream.read(&mut [0; 4096]), Ok(n) if n > 0) {}
    stream.set_nonblocking(false).unwrap();
}

impl Stage {
    /// The host does one of the things it can do.
    pub fn act(&self, what: u8, text: &str) {
        let main = self.server.namespace("/").unwrap();
        let newest = self.sockets.lock().unwrap().last().copied();
        let target = if what & 0x80 == 0 { Target::all() } else { Target::room("room") };
        let flags = EmitFlags::new().volatile(what & 0x40 != 0);
        let data = serde_json::json!(["event", text]).to_string();
        let closing = if what & 0x20 != 0 { Disconnect::Connection } else { Disconnect::Socket };
        match (what & 0x0f, newest) {
            (0..4, _) => drop(self.server.publish(&main, target, &data, vec![], flags)),
            (4, Some(socket)) => {
                let timeout = Some(Duration::from_millis(3));
                let _ = self.server.emit_with_ack(&main, socket, &data, vec![], flags, timeout);
            }
            (5, Some(socket)) => self.server.disconnect(socket, closing),
            (6, Some(socket)) => self.server.leave(socket, &["room"]),
            (7, _) => self.server.disconnect_sockets(&main, target, closing, Reach::Fleet),
            (8, _) => self.server.sockets_join(&main, target, &["other"], Reach::Fleet),
            (9, _) => std::thread::sleep(Duration::from_millis(u64::from(what >> 4))),
            _ => {}
        }
    }

    /// A client that does as it should is served.
    pub fn serves(&self) {
        let mut stream = dial();
        let request =
            "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let answer = read_to_end(&mut stream);
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    }

    /// Nothing of connections that are gone is left.
    pub fn is_empty(&self) {
        let begin = Instant::now();
        loop {
            let stats = self.server.stats();
            if stats.connections == 0 && stats.sockets == 0 {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "connections are left: {stats:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Nothing more comes from the client.
pub fn finish(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
}
