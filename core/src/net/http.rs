//! HTTP/1.1 by hyper on one stream: limits, time-outs, keep-alive.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::Instant;

use super::stream::Stream;

/// Time and size limits of an HTTP connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub headers_timeout: Duration,
    pub keep_alive_timeout: Duration,
    pub max_header_bytes: usize,
}

/// What a handler answers with.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Counts requests that are being answered, and when the last one ended.
struct Activity {
    in_flight: Cell<usize>,
    served: Cell<bool>,
    idle_since: Cell<Instant>,
}

/// Serves one connection until it ends, is upgraded or idles too long.
pub(crate) async fn serve<H, F>(stream: Stream, limits: Limits, handler: H)
where
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Answer>,
{
    let activity = Rc::new(Activity {
        in_flight: Cell::new(0),
        served: Cell::new(false),
        idle_since: Cell::new(Instant::now()),
    });
    let service = service_fn(|request| {
        let activity = activity.clone();
        activity.in_flight.set(activity.in_flight.get() + 1);
        let answer = handler(request);
        async move {
            let answer = answer.await;
            activity.in_flight.set(activity.in_flight.get() - 1);
            activity.served.set(true);
            activity.idle_since.set(Instant::now());
            Ok::<_, Infallible>(answer)
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.headers_timeout)
            .max_buf_size(limits.max_header_bytes)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    loop {
        let idle = activity.in_flight.get() == 0 && activity.served.get();
        let deadline = if idle {
            activity.idle_since.get() + limits.keep_alive_timeout
        } else {
            Instant::now() + limits.keep_alive_timeout
        };
        tokio::select! {
            biased;
            result = connection.as_mut() => {
                if let Err(e) = result {
                    tracing::debug!(error = %e, "HTTP connection ended");
                }
                return;
            }
            () = tokio::time::sleep_until(deadline) => {
                let idle = activity.in_flight.get() == 0 && activity.served.get();
                if idle && activity.idle_since.get() + limits.keep_alive_timeout <= Instant::now() {
                    return; // dropping the connection closes it
                }
            }
        }
    }
}
