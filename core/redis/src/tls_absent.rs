//! TLS to Redis in a build without the feature `tls`: every use is an error.

use std::io;

use crate::config::Tls;
use crate::error::{Error, ErrorKind, Result};

/// TLS to Redis.
#[derive(Clone)]
pub(crate) enum Client {}

impl Client {
    pub(crate) fn new(_: &Tls) -> Result<Self> {
        Err(Error::new(ErrorKind::NoTls, "tls: this build is without the feature \"tls\""))
    }

    pub(crate) async fn connect<S>(&self, _host: &str, _below: S) -> io::Result<S> {
        match *self {}
    }
}
