//! HTTP/1.1 with hyper on one stream: limits, timeouts, keep-alive.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use crate::net::activity::{Activity, Watched};
use crate::net::stream::Stream;

/// Limit of the lines in a request head, as in Node.js. `max_header_bytes` limits them too.
const MAX_HEADERS: usize = 2000;

/// Timeouts and size limits of an HTTP connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub headers_timeout: Duration,
    pub keep_alive_timeout: Duration,
    pub max_header_bytes: usize,
}

/// The response of a handler.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Serves one connection until it ends, is upgraded or times out.
pub(crate) async fn serve<H, F>(stream: Stream, limits: Limits, handler: H)
where
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Answer>,
{
    let activity = Activity::new();
    let service = service_fn(|request| {
        let activity = activity.clone();
        activity.begin();
        let answer = handler(request);
        async move {
            let answer = answer.await;
            activity.answered();
            Ok::<_, Infallible>(answer)
        }
    });
    // hyper's own header timeout also runs while a kept-alive connection is idle, so it is not used.
    let mut connection = pin!(
        http1::Builder::new()
            .header_read_timeout(None)
            .max_buf_size(limits.max_header_bytes)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(Watched::new(stream, activity.clone())), service)
            .with_upgrades()
    );
    let mut timer = pin!(tokio::time::sleep(limits.headers_timeout));
    poll_fn(|cx| {
        if let Poll::Ready(result) = connection.as_mut().poll(cx) {
            if let Err(e) = result {
                tracing::debug!(error = %e, "HTTP connection ended");
            }
            return Poll::Ready(());
        }
        while let Some(deadline) = activity.deadline(&limits) {
            // The timer is only moved to an earlier deadline. For a later one it is set again when it fires, so most
            // requests don't touch it.
            if deadline < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(cx));
            if deadline <= Instant::now() {
                return Poll::Ready(()); // dropping the connection closes it
            }
        }
        Poll::Pending
    })
    .await;
}
