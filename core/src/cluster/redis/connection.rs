//! One connection to one server: opened, logged in, and asked one thing at a time. The loops of `publisher` and
//! `subscriber` take it over from there.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;

use crate::cluster::redis::address::{Address, Place};
use crate::cluster::redis::resp::{self, Value};
use crate::cluster::redis::settings::Settings;
use crate::net::no_signal::NoSignal;

/// Answers to questions: the largest is a big cluster's `CLUSTER SLOTS`.
const LONGEST_ANSWER: usize = 16 << 20;

/// A stream of any kind.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// An open connection that is logged in.
pub(crate) struct Connection {
    pub read: ReadHalf<Box<dyn Duplex>>,
    pub write: WriteHalf<Box<dyn Duplex>>,
    /// What was read and not looked at yet.
    pub buffer: BytesMut,
    pub address: Address,
}

impl Connection {
    /// Connects and logs in, within the time that one attempt may take. `name` is what `CLIENT LIST` shows.
    pub async fn open(settings: &Settings, address: &Address, name: &str) -> Result<Self, String> {
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

    /// Logs in, sees that the server serves, and tells it our name, in one round trip.
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
        // A server that is full says so and closes without reading, so a failed write may have an answer all the same.
        let written = self.write.write_all(&out).await;
        let written = if written.is_ok() { self.write.flush().await } else { written };
        for reply in 0..replies {
            let value = match (self.reply().await, &written) {
                (Ok(value), _) => value,
                (Err(_), Err(e)) => return Err(e.to_string()),
                (Err(reason), Ok(())) => return Err(reason),
            };
            // The last is for show only; a user may lack the right to it.
            if let (Some(error), true) = (value.error(), reply + 1 < replies) {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Asks; an error is an answer.
    pub async fn ask(&mut self, parts: &[&[u8]]) -> Result<Value, String> {
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

/// What is said of a connection that ends without a word.
pub(crate) const CLOSED: &str = "Redis closed the connection";

async fn connect(settings: &Settings, address: &Address) -> io::Result<Box<dyn Duplex>> {
    match &address.place {
        Place::Tcp { host, port } => {
            let stream = TcpStream::connect((&**host, *port)).await?;
            stream.set_nodelay(true)?;
            let stream = NoSignal(stream);
            if !address.tls {
                return Ok(Box::new(stream));
            }
            let Some(tls) = &settings.tls else {
                return Err(io::Error::other("TLS is not set up"));
            };
            Ok(Box::new(tls.connect(host, stream).await?))
        }
        #[cfg(unix)]
        Place::Unix(path) => {
            let stream = tokio::net::UnixStream::connect(&**path).await?;
            Ok(Box::new(NoSignal(stream)))
        }
        #[cfg(not(unix))]
        Place::Unix(_) => Err(io::Error::other("this system has no Unix sockets")),
    }
}
