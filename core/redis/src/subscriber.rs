//! The subscribing connection. Reading pauses while the node lags ([`Lag`](super::lag::Lag)).

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use crate::bus::BusEvent;
use crate::connection::{CLOSED, Connection};
use crate::outgoing::LinkId;
use crate::pulse::{Due, Pulse};
use crate::resp;
use crate::shared::BusShared;
use crate::subscriptions::Received;

/// Size of a read. Messages are slices of this buffer.
const READ: usize = 64 * 1024;

/// The likely reason when a connection ends after the node lagged.
const LAGGED: &str =
    "Redis closed the connection, after this node lagged (client-output-buffer-limit pubsub)";

/// Serves a connection until it breaks; returns the reason, or `None` if the link is no longer needed.
pub(crate) async fn serve(
    shared: &BusShared,
    link: LinkId,
    wake: &Arc<Notify>,
    connection: Connection,
) -> Option<String> {
    let Connection { mut read, mut write, mut buffer, .. } = connection;
    let mut out = BytesMut::new();
    let mut pulse = Pulse::new(shared.settings.timeout);
    let (mut lagging, mut lagged) = (false, false);
    // The link is up once its initial subscriptions are confirmed. Later subscriptions don't change that.
    let mut up = false;
    shared.with(|state| state.subscriptions.begin(link));
    loop {
        let owed = shared.with(|state| {
            if out.is_empty() {
                state.subscriptions.fill(link, &mut out);
            }
            if !up && state.subscriptions.is_settled(link) {
                up = true;
                state.health.up(link);
            }
            state.subscriptions.expects_answers(link)
        });
        if buffer.capacity() - buffer.len() < READ / 4 {
            buffer.reserve(READ);
        }
        tokio::select! {
            read = read.read_buf(&mut buffer), if !lagging => {
                match read {
                    Ok(1..) => {}
                    _ if lagged => return Some(LAGGED.to_owned()),
                    Ok(_) => return Some(CLOSED.to_owned()),
                    Err(e) => return Some(e.to_string()),
                }
                pulse.heard();
                if let Err(reason) = take_messages(shared, link, &mut buffer) {
                    return Some(reason);
                }
                lagging = shared.lag.is_full();
                lagged |= lagging;
            }
            () = shared.lag.freed(), if lagging => {
                lagging = false;
                pulse.heard();
            }
            wrote = write.write(&out), if !out.is_empty() => {
                match wrote {
                    Ok(0) => return Some(CLOSED.to_owned()),
                    Ok(bytes) => out.advance(bytes),
                    Err(e) => return Some(e.to_string()),
                }
                if out.is_empty() {
                    match tokio::time::timeout(shared.settings.timeout, write.flush()).await {
                        Ok(Ok(())) => {}
                        Ok(Err(e)) => return Some(e.to_string()),
                        Err(_) => return Some("Redis takes nothing".to_owned()),
                    }
                }
            }
            () = wake.notified(), if out.is_empty() => {}
            // No timeout while lagging: replies are not read then.
            due = pulse.due(owed), if !lagging => match due {
                Due::Heartbeat => shared.with(|state| state.subscriptions.heartbeat(link, &mut out)),
                Due::GiveUp(reason) => return Some(reason),
            }
        }
    }
}

fn take_messages(shared: &BusShared, link: LinkId, buffer: &mut BytesMut) -> Result<(), String> {
    let limit = shared.settings.queue_bytes.max(READ);
    let taken = shared.with(|state| -> Result<(bool, bool), String> {
        let (mut answered, mut moved) = (false, false);
        while let Some(value) = resp::take(buffer, limit)? {
            match state.subscriptions.received(link, value)? {
                Received::Message { pattern, channel, payload } => {
                    state.received += 1;
                    let held = shared.lag.hold(channel.len() + payload.len());
                    state.health.tell(BusEvent::Message { pattern, channel, payload, held });
                }
                Received::Answer => answered = true,
                Received::Moved => moved = true,
            }
        }
        Ok((answered, moved))
    });
    let (answered, moved) = taken?;
    if answered {
        shared.settled.notify_waiters();
    }
    if moved {
        shared.refresh.notify_one();
    }
    Ok(())
}
