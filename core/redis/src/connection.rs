//! One connection to one server: connect, log in, and simple request–reply calls. The loops in `publisher` and
//! `subscriber` take over from there.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

use crate::address::{Address, Endpoint};
use crate::dial::Duplex;
use crate::resp::{self, Value};
use crate::settings::Settings;

/// Limit of a reply. The largest is `CLUSTER SLOTS` of a large cluster.
const LONGEST_ANSWER: usize = 16 << 20;

/// A connection that is logged in.
pub(crate) struct Connection {
    pub read: ReadHalf<Box<dyn Duplex>>,
    pub write: WriteHalf<Box<dyn Duplex>>,
    /// Bytes that were read but not parsed yet.
    pub buffer: BytesMut,
    pub address: Address,
}

impl Connection {
    /// Connects and logs in, within the connection timeout. `name` is the name in `CLIENT LIST`.
    pub(crate) async fn open(settings: &Settings, address: &Address, name: &str) -> Result<Self, String> {
        let opened = async {
            let stream = connect(settings, address).await.map_err(|e| e.to_string())?;
            let (read, write) = tokio::io::split(stream);
            let mut connection = Self { read, write, buffer: BytesMut::new(), address: address.clone() };
            connection.greet(settings.resp3, name).await?;
            Ok::<_, String>(connection)
        };
        match tokio::time::timeout(settings.timeout, opened).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(reason)) => Err(format!("{address}: {reason}")),
            Err(_) => Err(format!("{address}: no connection within {} ms", settings.timeout.as_millis())),
        }
    }

    /// Logs in, checks with `PING` that the server serves, and sets the connection's name, in one round trip.
    async fn greet(&mut self, resp3: bool, name: &str) -> Result<(), String> {
        let login = &self.address.login;
        let username = login.username.as_deref();
        let mut out = BytesMut::new();
        let mut replies = 2;
        match (resp3, login.password.as_deref()) {
            (true, Some(password)) => {
                let username = username.unwrap_or("default");
                resp::command(&mut out, &[b"HELLO", b"3", b"AUTH", username.as_bytes(), password.as_bytes()]);
                replies += 1;
            }
            (true, None) => {
                resp::command(&mut out, &[b"HELLO", b"3"]);
                replies += 1;
            }
            (false, Some(password)) => {
                match username {
                    Some(username) => {
                        resp::command(&mut out, &[b"AUTH", username.as_bytes(), password.as_bytes()])
                    }
                    None => resp::command(&mut out, &[b"AUTH", password.as_bytes()]),
                }
                replies += 1;
            }
            (false, None) => {}
        }
        resp::command(&mut out, &[b"PING"]);
        resp::command(&mut out, &[b"CLIENT", b"SETNAME", name.as_bytes()]);
        // A server at its connection limit sends an error and closes without reading. So a reply may exist even if
        // the write failed.
        let written = self.write.write_all(&out).await;
        let written = if written.is_ok() { self.write.flush().await } else { written };
        for reply in 0..replies {
            let value = match (self.reply().await, &written) {
                (Ok(value), _) => value,
                (Err(_), Err(e)) => return Err(e.to_string()),
                (Err(reason), Ok(())) => return Err(reason),
            };
            // The last reply is that of `CLIENT SETNAME`, which a user's ACL may forbid; the name is only
            // informational.
            if let (Some(error), true) = (value.error(), reply + 1 < replies) {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sends a command and reads its reply. An error reply is returned as a value.
    pub(crate) async fn ask(&mut self, parts: &[&[u8]]) -> Result<Value, String> {
        let mut out = BytesMut::new();
        resp::command(&mut out, parts);
        self.write.write_all(&out).await.map_err(|e| e.to_string())?;
        self.write.flush().await.map_err(|e| e.to_string())?;
        self.reply().await
    }

    async fn reply(&mut self) -> Result<Value, String> {
        loop {
            match resp::take(&mut self.buffer, LONGEST_ANSWER)? {
                Some(Value::Push(_)) => continue,
                Some(value) => return Ok(value),
                None => {}
            }
            if self.read.read_buf(&mut self.buffer).await.map_err(|e| e.to_string())? == 0 {
                return Err(CLOSED.to_owned());
            }
        }
    }
}

/// The reason for a connection that ends without an error.
pub(crate) const CLOSED: &str = "Redis closed the connection";

async fn connect(settings: &Settings, address: &Address) -> io::Result<Box<dyn Duplex>> {
    match &address.endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = settings.dial.tcp(host, *port).await?;
            match &settings.tls {
                _ if !address.tls => Ok(stream),
                Some(tls) => Ok(Box::new(tls.connect(host, stream).await?)),
                None => Err(io::Error::other("TLS is not set up")),
            }
        }
        Endpoint::Unix(path) => settings.dial.unix(path).await,
    }
}
