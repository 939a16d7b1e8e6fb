//! TLS to Redis in a build without the feature `tls`: every use is an error.

use std::io;

use crate::net::tls::TlsStream;
use crate::options::cluster::RedisTls;
use crate::types::error::{Result, needs};

/// TLS to Redis.
#[derive(Clone)]
pub(crate) enum Client {}

impl Client {
    pub(crate) fn new(_: &RedisTls) -> Result<Self> {
        Err(needs("cluster.redis", "tls"))
    }

    pub(crate) async fn connect<S>(&self, _host: &str, _below: S) -> io::Result<TlsStream<S>> {
        match *self {}
    }
}
