//! HTTP/1.1 by hyper on one stream: limits, time-outs, keep-alive.

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

/// Lines of a request head: as many as Node reads. `max_header_bytes` bounds them too.
const MAX_HEADERS: usize = 2000;

/// Time and size limits of an HTTP connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub headers_timeout: Duration,
    pub keep_alive_timeout: Duration,
    pub max_header_bytes: usize,
}

/// What a handler answers with.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Serves one connection until it ends, is upgraded or takes too long.
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
    // hyper's own time-out for heads also runs while a connection that is kept alive is idle.
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
            // A later deadline waits for the timer to fire, so that few requests set it.
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
