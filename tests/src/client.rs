//! A Socket.IO client as bytes on a stream: no reconnection, no buffering, nothing of its own accord but
//! the answer to a heartbeat.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;
use tungstenite::{Error, Message, WebSocket};

use crate::PATIENCE;

/// Where a client finds the engine.
const URL: &str = "ws://localhost/socket.io/?EIO=4&transport=websocket";

/// A client over TCP.
pub type TcpClient = Client<TcpStream>;
/// A client over a Unix socket.
pub type UnixClient = Client<UnixStream>;

/// One Engine.IO connection over WebSocket.
pub struct Client<S> {
    ws: WebSocket<S>,
    /// Public id of the socket in the namespace joined last.
    pub id: String,
}

/// A TCP connection whose reads and writes give up after [`PATIENCE`].
pub fn dial(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&addr, PATIENCE).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("read timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("write timeout");
    stream
}

impl TcpClient {
    /// Connects and joins the main namespace.
    pub fn tcp(addr: SocketAddr) -> Self {
        Self::joined(dial(addr))
    }
}

impl UnixClient {
    /// Connects and joins the main namespace.
    pub fn unix(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("connect");
        stream.set_read_timeout(Some(PATIENCE)).expect("read timeout");
        Self::joined(stream)
    }
}

impl<S: Read + Write> Client<S> {
    /// Opens the engine's session over `stream`; joins nothing yet.
    pub fn open(stream: S) -> Self {
        let Ok((ws, _)) = tungstenite::client(URL, stream) else { panic!("the handshake failed") };
        let mut client = Self { ws, id: String::new() };
        let open = client.frame();
        assert!(open.starts_with(r#"0{"sid":"#), "expected the open packet, got {open}");
        client
    }

    /// Opens a session and joins the main namespace.
    pub fn joined(stream: S) -> Self {
        let mut client = Self::open(stream);
        client.send("0");
        client.expect_connect();
        client
    }

    /// Takes the server's CONNECT and keeps the id that it brings.
    pub fn expect_connect(&mut self) {
        let reply = self.packet();
        let at = reply.find('{').unwrap_or(reply.len());
        assert!(reply.starts_with('0'), "expected CONNECT, got {reply}");
        let payload: Value = serde_json::from_str(&reply[at..]).expect("CONNECT with an object");
        self.id = payload["sid"].as_str().expect("CONNECT with a sid").to_owned();
    }

    /// Sends a Socket.IO packet as it is written on the wire, without the engine's `4`.
    pub fn send(&mut self, packet: &str) {
        self.ws.send(Message::text(format!("4{packet}"))).expect("send");
    }

    /// The next frame of the engine, heartbeats answered and left out.
    fn frame(&mut self) -> String {
        loop {
            match self.ws.read().expect("a frame") {
                Message::Text(text) if text.as_str() == "2" => {
                    self.ws.send(Message::text("3")).expect("pong");
                }
                Message::Text(text) => return text.as_str().to_owned(),
                other => panic!("expected a text frame, got {other:?}"),
            }
        }
    }

    /// The next Socket.IO packet, without the engine's `4`.
    pub fn packet(&mut self) -> String {
        let frame = self.frame();
        frame.strip_prefix('4').unwrap_or_else(|| panic!("expected a message, got {frame}")).to_owned()
    }

    /// The next attachment.
    pub fn binary(&mut self) -> Vec<u8> {
        match self.ws.read().expect("a frame") {
            Message::Binary(bytes) => bytes.to_vec(),
            other => panic!("expected an attachment, got {other:?}"),
        }
    }

    /// The arguments of the next event in the main namespace, its name first.
    pub fn event(&mut self) -> Value {
        let packet = self.packet();
        let json = packet.strip_prefix('2').unwrap_or_else(|| panic!("expected an event, got {packet}"));
        serde_json::from_str(json.trim_start_matches(|c: char| c.is_ascii_digit())).expect("an event")
    }

    /// The id under which the next event wants to be acknowledged.
    pub fn asked(&mut self) -> u64 {
        let packet = self.packet();
        let id = packet.strip_prefix('2').and_then(|rest| rest.split('[').next()?.parse().ok());
        id.unwrap_or_else(|| panic!("expected an event with an ack id, got {packet}"))
    }

    /// Acknowledges with these arguments, a JSON array.
    pub fn ack(&mut self, id: u64, args: &str) {
        self.send(&format!("3{id}{args}"));
    }

    /// Reads to the end of the connection; returns the code of the close frame, if one came: 1005 for one
    /// without a code.
    pub fn ended(&mut self) -> Option<u16> {
        let mut code = None;
        loop {
            match self.ws.read() {
                Ok(Message::Close(frame)) => code = Some(frame.map_or(1005, |f| f.code.into())),
                Ok(_) => {}
                Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(_)) => return code,
                Err(Error::Io(e)) if e.kind() != std::io::ErrorKind::WouldBlock => return code,
                Err(e) => panic!("the connection did not end: {e}"),
            }
        }
    }

    /// The stream below, for tests that write bytes themselves.
    pub fn stream(&mut self) -> &mut S {
        self.ws.get_mut()
    }
}
