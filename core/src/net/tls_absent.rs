//! TLS in a build without the feature `tls`: every use is an error.

use std::convert::Infallible;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::types::error::{Result, needs};

pub(crate) enum TlsState {}

impl TlsState {
    pub(crate) fn new(_cert: &[u8], _key: &[u8]) -> Result<Self> {
        Err(needs("tls", "tls"))
    }

    pub(crate) fn reload(&self, _cert: &[u8], _key: &[u8]) -> Result<()> {
        match *self {}
    }

    pub(crate) async fn accept<S>(&self, _below: S) -> io::Result<TlsStream<S>> {
        match *self {}
    }
}

#[derive(Debug)]
pub(crate) struct TlsStream<S>(Infallible, PhantomData<S>);

impl<S> TlsStream<S> {
    pub(crate) fn get_ref(&self) -> (&S, ()) {
        match self.0 {}
    }

    pub(crate) fn get_mut(&mut self) -> (&mut S, ()) {
        match self.0 {}
    }
}

impl<S> AsyncRead for TlsStream<S> {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

impl<S> AsyncWrite for TlsStream<S> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}
