//! Addresses of Redis servers: URLs from the options, and the hosts that sentinels and cluster nodes report.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::error::{Error, ErrorKind, Result};

const DEFAULT_PORT: u16 = 6379;

/// The endpoint of a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Tcp { host: Box<str>, port: u16 },
    Unix(Box<str>),
}

/// The credentials of a connection.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Login {
    pub username: Option<Box<str>>,
    pub password: Option<Box<str>>,
}

/// A server: its endpoint, whether it uses TLS, and the credentials for it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub endpoint: Endpoint,
    pub tls: bool,
    pub login: Login,
}

impl Address {
    /// Parses `redis://[user[:password]@]host[:port][/db]`, `rediss://…` and `redis+unix:///path[?user=…&pass=…]`. A
    /// database number is accepted and ignored, because pub/sub spans all databases. `option` is the name for error
    /// messages.
    pub(crate) fn parse(option: &str, url: &str) -> Result<Self> {
        let fail = |what: &str| {
            // Error messages and logs must not show the password.
            let shown = url.rsplit_once('@').map_or(url, |(_, host)| host);
            Error::new(
                ErrorKind::Setting,
                format!(
                    "{option}: expected redis://[user:password@]host[:port], rediss://… or redis+unix:///path, {what}, got \"{shown}\""
                ),
            )
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| fail("with its scheme"))?;
        let tls = match scheme {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            "redis+unix" | "unix" | "valkey+unix" => {
                return Self::parse_unix(rest).ok_or_else(|| fail("with an absolute path"));
            }
            _ => return Err(fail("with one of these schemes")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if !path.trim_start_matches('/').bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(fail("with nothing behind the port but the number of a database"));
        }
        let (login, server) = match authority.rsplit_once('@') {
            None => (Login::default(), authority),
            Some((login, server)) => {
                let (username, password) = login.split_once(':').unwrap_or((login, ""));
                let part = |text: &str| -> Result<Option<Box<str>>> {
                    match text {
                        "" => Ok(None),
                        text => decode(text).map(Some).ok_or_else(|| fail("with % only as %XX")),
                    }
                };
                (Login { username: part(username)?, password: part(password)? }, server)
            }
        };
        let (host, port) = host_and_port(server).ok_or_else(|| fail("with a port from 1 to 65535"))?;
        let host = if host.is_empty() { "127.0.0.1" } else { host };
        Ok(Self { endpoint: Endpoint::Tcp { host: host.into(), port }, tls, login })
    }

    fn parse_unix(rest: &str) -> Option<Self> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut login = Login::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "user" => login.username = Some(decode(value)?),
                "pass" => login.password = Some(decode(value)?),
                _ => {}
            }
        }
        path.starts_with('/').then_some(())?;
        Some(Self { endpoint: Endpoint::Unix(decode(path)?), tls: false, login })
    }

    /// The address of another server with the same TLS setting and credentials.
    pub(crate) fn at(&self, host: &str, port: u16) -> Self {
        Self { endpoint: Endpoint::Tcp { host: host.into(), port }, ..self.clone() }
    }
}

/// Leaves out the password, because logs and reasons show this text.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Endpoint::Tcp { host, port } => write!(f, "{host}:{port}"),
            Endpoint::Unix(path) => f.write_str(path),
        }
    }
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`.
fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']')?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    match port {
        None => Some((host, DEFAULT_PORT)),
        Some(port) => port.parse().ok().filter(|&port| port > 0).map(|port| (host, port)),
    }
}

/// Decodes percent-encoding; `None` if it is malformed or not UTF-8.
fn decode(text: &str) -> Option<Box<str>> {
    let is_escape =
        |after: &str| after.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(|decoded| decoded.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_server_login_and_tls() {
        let parse = |url| Address::parse("redis", url).unwrap();
        for (url, host, port, tls, username, password) in [
            ("redis://localhost", "localhost", 6379, false, None, None),
            ("redis://", "127.0.0.1", 6379, false, None, None),
            ("redis://10.0.0.1:7000/3", "10.0.0.1", 7000, false, None, None),
            ("redis://[::1]:7000", "::1", 7000, false, None, None),
            ("redis://:secret@h", "h", 6379, false, None, Some("secret")),
            ("rediss://ada:p%40ss%3A@h:1", "h", 1, true, Some("ada"), Some("p@ss:")),
            ("redis://ada:a@b:c@h", "h", 6379, false, Some("ada"), Some("a@b:c")),
        ] {
            let address = parse(url);
            assert_eq!(address.endpoint, Endpoint::Tcp { host: host.into(), port }, "{url}");
            assert_eq!(address.tls, tls, "{url}");
            assert_eq!(address.login.username.as_deref(), username, "{url}");
            assert_eq!(address.login.password.as_deref(), password, "{url}");
        }
        let unix = parse("redis+unix:///run/my%20redis.sock?user=ada&pass=s%26t");
        assert_eq!(unix.endpoint, Endpoint::Unix("/run/my redis.sock".into()));
        assert_eq!(
            (unix.login.username.as_deref(), unix.login.password.as_deref()),
            (Some("ada"), Some("s&t"))
        );
    }

    #[test]
    fn what_is_no_url_of_redis_is_refused_without_showing_the_password() {
        for url in [
            "localhost:6379",
            "http://localhost",
            "redis://u:secret@h:port",
            "redis://u:secret@h:0",
            "redis://u:secret@h:70000",
            "redis://h/name",
            "redis://u:secret%zz@h",
            "redis://u:secret%+1@h",
            "redis://u:secret%ff@h",
            "redis://[::1",
            "redis+unix://relative",
        ] {
            let error = Address::parse("redis", url).err().unwrap_or_else(|| panic!("{url} was accepted"));
            assert_eq!(error.kind(), ErrorKind::Setting);
            assert!(error.message().starts_with("redis: expected redis://"), "{error}");
            assert!(!error.message().contains("secret"), "{error}");
        }
    }

    #[test]
    fn addresses_are_shown_without_the_login() {
        assert_eq!(Address::parse("x", "redis://a:b@[::1]:1").unwrap().to_string(), "[::1]:1");
        assert_eq!(Address::parse("x", "redis://a:b@h").unwrap().to_string(), "h:6379");
    }
}
