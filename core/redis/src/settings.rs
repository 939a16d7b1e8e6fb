//! The connection settings of a bus, validated.

use std::sync::Arc;
use std::time::Duration;

use crate::address::{Address, Endpoint, Login};
use crate::config::{Config, Overflow, Servers, Tls};
use crate::dial::Dial;
use crate::error::{Error, ErrorKind, Result};
use crate::tls;

/// The kind of Redis deployment.
#[derive(Clone)]
pub(crate) enum Site {
    Single(Address),
    Sentinel {
        sentinels: Vec<Address>,
        master: Box<str>,
        /// The TLS setting and credentials of all masters; its endpoint is that of a sentinel.
        like: Address,
    },
    /// The seed nodes of a Redis Cluster.
    Cluster(Vec<Address>),
}

/// The validated settings; the fields have the names of those in [`Config`].
pub(crate) struct Settings {
    pub site: Site,
    pub tls: Option<tls::Client>,
    pub resp3: bool,
    pub sharded: bool,
    /// `redisTimeout`
    pub timeout: Duration,
    pub queue_bytes: usize,
    pub overflow: Overflow,
    pub dial: Arc<dyn Dial>,
}

impl Settings {
    pub(crate) fn new(options: &Config, dial: Arc<dyn Dial>) -> Result<Self> {
        let site = site(options)?;
        let uses_tls = match &site {
            Site::Single(address) => address.tls,
            Site::Sentinel { sentinels, like, .. } => {
                like.tls || sentinels.iter().any(|sentinel| sentinel.tls)
            }
            Site::Cluster(seeds) => seeds.iter().any(|seed| seed.tls),
        };
        let tls = match (&options.tls, uses_tls) {
            (Some(_), false) => {
                return Err(option("tls", "a redis URL that begins with rediss://", "redis://"));
            }
            (Some(given), true) => Some(tls::Client::new(given)?),
            (None, true) => Some(tls::Client::new(&Tls::default())?),
            (None, false) => None,
        };
        let resp3 = match options.protocol {
            None | Some(2) => false,
            Some(3) => true,
            Some(other) => return Err(option("protocol", "2 or 3", &other.to_string())),
        };
        if options.timeout.is_zero() {
            return Err(option("redisTimeout", "more than 0 ms", "0"));
        }
        Ok(Self {
            site,
            tls,
            resp3,
            sharded: options.sharded,
            timeout: options.timeout,
            queue_bytes: options.queue_bytes,
            overflow: options.overflow,
            dial,
        })
    }

    /// Whether the server of a channel depends on the channel's slot.
    pub(crate) fn by_slot(&self) -> bool {
        self.sharded && self.is_cluster()
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.site, Site::Cluster(_))
    }
}

fn site(options: &Config) -> Result<Site> {
    let login = |address: &mut Address| {
        let over = |given: &Option<String>, field: &mut Option<Box<str>>| {
            if let Some(text) = given {
                *field = Some(text.as_str().into());
            }
        };
        over(&options.username, &mut address.login.username);
        over(&options.password, &mut address.login.password);
        match &address.login {
            Login { username: Some(_), password: None } => {
                Err(option("password", "a password for the user", "none"))
            }
            _ => Ok(()),
        }
    };
    match &options.servers {
        Servers::Url(url) => {
            let mut address = Address::parse("redis", url)?;
            login(&mut address)?;
            Ok(Site::Single(address))
        }
        Servers::Sentinel { sentinels, master } => {
            let sentinels = addresses("redis.sentinel.sentinels", sentinels)?;
            if master.is_empty() {
                return Err(option("redis.sentinel.master", "the master's name", "\"\""));
            }
            let mut like = sentinels[0].clone();
            like.login = Login::default();
            like.tls = like.tls || options.tls.is_some();
            login(&mut like)?;
            Ok(Site::Sentinel { sentinels, master: master.as_str().into(), like })
        }
        Servers::Cluster(urls) => {
            let mut seeds = addresses("redis.cluster", urls)?;
            for seed in &mut seeds {
                login(seed)?;
            }
            Ok(Site::Cluster(seeds))
        }
    }
}

/// Parses the URLs of servers of the same kind: either all use TLS, or none.
fn addresses(path: &str, urls: &[String]) -> Result<Vec<Address>> {
    let parsed = urls
        .iter()
        .enumerate()
        .map(|(index, url)| Address::parse(&format!("{path}.{index}"), url))
        .collect::<Result<Vec<_>>>()?;
    let Some(first) = parsed.first() else {
        return Err(option(path, "one URL or more", "none"));
    };
    if let Some(other) = parsed.iter().find(|address| address.tls != first.tls) {
        return Err(option(path, "redis:// for all or rediss:// for all", &format!("both, as for {other}")));
    }
    if let Some(unix) = parsed.iter().find(|address| matches!(address.endpoint, Endpoint::Unix(_))) {
        return Err(option(path, "addresses on the network", &unix.to_string()));
    }
    Ok(parsed)
}

fn option(path: &str, expected: &str, got: &str) -> Error {
    Error::new(ErrorKind::Setting, format!("{path}: expected {expected}, got {got}"))
}
