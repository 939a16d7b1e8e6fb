//! Node's own HTTP server in front of the core: an upgrade is passed in with its descriptor, a polling request with
//! its head and body.

use std::os::fd::{BorrowedFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::PoisonError;

use bytes::Bytes;
use kraken_ws_core::{AdoptInfo, ErrorCode, RequestInfo};
use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;

use crate::exports::answers::pairs;
use crate::exports::server::NativeServer;
use crate::parts::error::{Result, coded, thrown};
use crate::parts::text::Text;

#[napi]
impl NativeServer {
    /// Takes a connection over from Node. `head` is the request head as raw HTTP, followed by any bytes that were
    /// read after it. The descriptor is duplicated: Node closes its own. `tag` is JavaScript's number for the
    /// request.
    #[napi]
    pub fn adopt(&self, fd: i32, head: BufferSlice<'_>, tag: Option<f64>) -> Result<()> {
        if fd < 0 {
            return Err(coded(ErrorCode::Adopt, "the socket has no descriptor"));
        }
        // SAFETY: Node holds the descriptor open during this call; the duplicate is owned here.
        let duplicate = unsafe { BorrowedFd::borrow_raw(fd) }
            .try_clone_to_owned()
            .map_err(|e| coded(ErrorCode::Adopt, &format!("the descriptor can't be duplicated: {e}")))?;
        self.server.adopt_tagged(duplicate, head.to_vec(), None, tag_of(tag)).map_err(thrown)
    }

    /// Takes over a connection that has no descriptor for plain bytes, such as one whose TLS Node terminates. Returns
    /// the descriptor of one end of a socket pair, into which Node pipes; the core has the other end.
    #[napi]
    pub fn adopt_piped(
        &self,
        head: BufferSlice<'_>,
        address: Text,
        port: u32,
        secure: bool,
        tag: Option<f64>,
    ) -> Result<i32> {
        let (ours, theirs) =
            UnixStream::pair().map_err(|e| coded(ErrorCode::System, &format!("no socket pair: {e}")))?;
        let info = AdoptInfo::new(address.0, port as u16, secure);
        self.server
            .adopt_tagged(OwnedFd::from(ours), head.to_vec(), Some(info), tag_of(tag))
            .map_err(thrown)?;
        Ok(theirs.into_raw_fd())
    }

    /// Passes in a polling request that Node's HTTP server received; its response is an event with `number`.
    #[napi]
    #[allow(clippy::too_many_arguments)] // each is one value of the crossing
    pub fn http(
        &self,
        number: f64,
        method: Text,
        url: Text,
        headers: Vec<String>,
        body: BufferSlice<'_>,
        address: Text,
        port: u32,
        secure: bool,
        tag: Option<f64>,
    ) {
        let mut request = RequestInfo::new(method.0, url.0);
        request.headers =
            pairs(headers).into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        request.address = address.0.into();
        request.port = port as u16;
        request.secure = secure;
        request.tag = tag_of(tag);
        let (replies, wake) = (self.replies.clone(), self.wake.clone());
        let number = number as u64;
        let cancel = self.server.http(
            request,
            Bytes::copy_from_slice(&body),
            Box::new(move |reply| {
                replies.lock().unwrap_or_else(PoisonError::into_inner).push((number, reply));
                wake.wake();
            }),
        );
        self.passed_in.borrow_mut().insert(number, cancel);
    }

    /// The request `number` has been answered or, with `gone`, its client has gone.
    #[napi]
    pub fn http_over(&self, number: f64, gone: bool) {
        if let Some(cancel) = self.passed_in.borrow_mut().remove(&(number as u64))
            && gone
        {
            cancel.cancel();
        }
    }
}

/// JavaScript's number for a request, 0 if it needs none.
fn tag_of(tag: Option<f64>) -> u64 {
    tag.map_or(0, |tag| tag as u64)
}
