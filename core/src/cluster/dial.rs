//! Sockets to Redis, and what the bus says in words of the core.

use kraken_ws_redis::{Config, Dial, Dialed, Duplex, ErrorKind, Overflow as Drop, Servers, Tls};
use tokio::net::TcpStream;

use crate::net::no_signal::NoSignal;
use crate::options::cluster::{ClusterOptions, Mode, Overflow, Redis};
use crate::types::error::{Error, ErrorCode, needs};

/// Opens sockets whose writes raise no signal.
pub(crate) struct Dialer;

impl Dial for Dialer {
    fn tcp<'a>(&'a self, host: &'a str, port: u16) -> Dialed<'a> {
        Box::pin(async move {
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(NoSignal(stream)) as Box<dyn Duplex>)
        })
    }

    fn unix<'a>(&'a self, path: &'a str) -> Dialed<'a> {
        Box::pin(async move {
            #[cfg(unix)]
            return Ok(Box::new(NoSignal(tokio::net::UnixStream::connect(path).await?)) as Box<dyn Duplex>);
            #[cfg(not(unix))]
            Err(std::io::Error::other(format!("{path}: this system has no Unix sockets")))
        })
    }
}

/// The part of the option `cluster` that says where Redis is.
pub(crate) fn config(options: &ClusterOptions) -> Config {
    Config {
        servers: match &options.redis {
            Redis::Url(url) => Servers::Url(url.clone()),
            Redis::Sentinel { sentinels, master } => {
                Servers::Sentinel { sentinels: sentinels.clone(), master: master.clone() }
            }
            Redis::Cluster(urls) => Servers::Cluster(urls.clone()),
        },
        username: options.username.clone(),
        password: options.password.clone(),
        tls: options.tls.as_ref().map(|tls| Tls {
            ca: tls.ca.clone(),
            cert: tls.cert.clone(),
            key: tls.key.clone(),
        }),
        protocol: options.protocol,
        sharded: options.mode == Mode::Sharded,
        timeout: options.redis_timeout,
        queue_bytes: options.queue_bytes,
        overflow: match options.overflow {
            Overflow::DropOldest => Drop::DropOldest,
            Overflow::DropNewest => Drop::DropNewest,
        },
    }
}

impl From<kraken_ws_redis::Error> for Error {
    /// Settings are members of the option `cluster`.
    fn from(error: kraken_ws_redis::Error) -> Self {
        let message = error.message();
        match error.kind() {
            ErrorKind::Setting => Error::new(ErrorCode::Option, format!("cluster.{message}")),
            ErrorKind::Tls => Error::new(ErrorCode::Tls, format!("cluster.{message}")),
            ErrorKind::NoTls => needs("cluster.redis", "tls"),
            ErrorKind::Redis => Error::new(ErrorCode::Redis, message),
            ErrorKind::Timeout => Error::new(ErrorCode::Timeout, message),
        }
    }
}
