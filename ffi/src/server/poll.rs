//! Polling for events, for hosts without callbacks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kraken_ws_core::{Error, ErrorCode, Result};

use super::host::Host;
use super::with;
use crate::border::{bad, call, kraken_ws_server, kraken_ws_status, out};
use crate::event::{SharedEvent, kraken_ws_event};

/// For hosts without callbacks: takes up to `max` events into `events` and their number into `*count`. Waits for the
/// first event up to `timeout_ms`; 0 does not wait, a negative number has no limit. Each event is freed with
/// `kraken_ws_event_free`. The last event of a server is `KRAKEN_WS_EVENT_KIND_CLOSED`; after it the call returns
/// `CLOSED`. Several threads may poll; the order of their events is then undefined.
///
/// Errors: `CLOSED`, `STATE` (the server has callbacks), `ARGUMENT`. No event in time is no error: `*count` is 0.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_poll(
    server: *mut kraken_ws_server,
    events: *mut *mut kraken_ws_event,
    max: usize,
    timeout_ms: i32,
    count: *mut usize,
) -> kraken_ws_status {
    // SAFETY: handle and results are as the header asks for.
    call(|| unsafe {
        let count = out(count, "count")?;
        count.write(0);
        if max == 0 || max > 1 << 20 {
            return Err(bad("max", &format!("expected 1 to 1048576, got {max}")));
        }
        out(events, "events")?;
        let until = u64::try_from(timeout_ms).ok().map(|ms| Instant::now() + Duration::from_millis(ms));
        let found = with(server, |host| poll(host, max, until))?;
        count.write(found.len());
        for (i, event) in found.into_iter().enumerate() {
            events.add(i).write(Arc::into_raw(event).cast_mut().cast());
        }
        Ok(())
    })
}

fn poll(host: &Arc<Host>, max: usize, until: Option<Instant>) -> Result<Vec<SharedEvent>> {
    check_polling(host, "poll")?;
    let (mut batch, mut found) = (Vec::new(), Vec::new());
    loop {
        let seen = host.inbox.wake.seen();
        found.extend(host.remote_answers(max));
        let taken = host.inbox.take(&mut batch, max - found.len());
        found.extend(batch.drain(..).filter_map(|event| host.admit(event)));
        if !found.is_empty() {
            return Ok(found);
        }
        if taken > 0 {
            continue; // none of them is for the host
        }
        if host.inbox.is_over() {
            return Err(Error::new(
                ErrorCode::Closed,
                "poll: the server has ended, there are no more events",
            ));
        }
        if !host.inbox.wake.wait(seen, until) {
            return Ok(found);
        }
    }
}

/// Refuses servers with callbacks, and Node's.
fn check_polling(host: &Host, what: &str) -> Result<()> {
    host.check_owner(what)?;
    if host.has_dispatcher() {
        return Err(Error::new(ErrorCode::State, format!("{what}: the server was made with callbacks")));
    }
    Ok(())
}

/// For hosts with a loop of their own (epoll, libuv, Qt): a descriptor that is readable while events wait, for
/// `kraken_ws_server_poll` with a time-out of 0. It belongs to the library and lives until the server is freed: don't read
/// from it, don't close it.
///
/// Errors: `STATE` (the server has callbacks), `SYSTEM`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_event_fd(
    server: *mut kraken_ws_server,
    fd: *mut i32,
) -> kraken_ws_status {
    // SAFETY: handle and result are as the header asks for.
    call(|| unsafe {
        let fd = out(fd, "fd")?;
        fd.write(-1);
        with(server, |host| {
            check_polling(host, "event_fd")?;
            fd.write(host.inbox.wake.fd()?);
            Ok(())
        })
    })
}
