//! The publishing connection. Commands that are queued during a write go into the next one: batches are full under
//! load, and nothing is delayed otherwise.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use crate::batch::Batch;
use crate::connection::{CLOSED, Connection};
use crate::outgoing::LinkId;
use crate::pulse::{Due, Pulse};
use crate::resp;
use crate::shared::BusShared;

/// Replies are short: numbers, and sometimes a list.
const READ: usize = 16 * 1024;
const LONGEST_ANSWER: usize = 16 << 20;

/// Serves a connection until it breaks; returns the reason, or `None` if the link is no longer needed.
pub(crate) async fn serve(
    shared: &BusShared,
    link: LinkId,
    wake: &Arc<Notify>,
    connection: Connection,
    heartbeat: &[&[u8]],
) -> Option<String> {
    let Connection { mut read, mut write, mut buffer, .. } = connection;
    let mut batch = Batch::default();
    let mut pulse = Pulse::new(shared.settings.timeout);
    shared.with(|state| {
        state.outgoing.speaks(link);
        state.health.up(link);
    });
    loop {
        let (owed, retired) = shared.with(|state| {
            if batch.is_empty() {
                state.outgoing.fill(link, &mut batch);
            }
            (state.outgoing.expects_answers(link), state.outgoing.is_retired(link))
        });
        if retired {
            return None;
        }
        if buffer.capacity() - buffer.len() < READ / 4 {
            buffer.reserve(READ);
        }
        tokio::select! {
            read = read.read_buf(&mut buffer) => {
                match read {
                    Ok(0) => return Some(CLOSED.to_owned()),
                    Ok(_) => {}
                    Err(e) => return Some(e.to_string()),
                }
                pulse.heard();
                if let Err(reason) = take_answers(shared, link, &mut buffer) {
                    return Some(reason);
                }
            }
            wrote = batch.write(&mut write), if !batch.is_empty() => {
                match wrote {
                    Ok(bytes) => shared.with(|state| state.outgoing.wrote(link, bytes)),
                    Err(e) => return Some(last_words(shared, link, &mut read, &mut buffer).await.unwrap_or(e.to_string())),
                }
                if batch.is_empty() {
                    match tokio::time::timeout(shared.settings.timeout, write.flush()).await {
                        Ok(Ok(())) => {}
                        Ok(Err(e)) => return Some(e.to_string()),
                        Err(_) => return Some("Redis takes nothing".to_owned()),
                    }
                }
            }
            () = wake.notified(), if batch.is_empty() => {}
            due = pulse.due(owed) => match due {
                Due::Heartbeat => shared.with(|state| state.outgoing.heartbeat(link, heartbeat, &mut batch)),
                Due::GiveUp(reason) => return Some(reason),
            }
        }
    }
}

fn take_answers(shared: &BusShared, link: LinkId, buffer: &mut bytes::BytesMut) -> Result<(), String> {
    let taken = shared.with(|state| -> Result<bool, String> {
        let mut moved = false;
        while let Some(value) = resp::take(buffer, LONGEST_ANSWER)? {
            if !matches!(value, resp::Value::Push(_)) {
                moved |= state.outgoing.answered(link, value)?;
            }
        }
        if let Some(refusal) = state.outgoing.new_refusal() {
            tracing::warn!(refusal, "Redis refused a publish");
        }
        Ok(moved)
    });
    shared.settled.notify_waiters();
    if taken? {
        shared.refresh.notify_one();
    }
    Ok(())
}

/// Reads the replies that are left on a connection after a failed write: confirmations, and perhaps an error with the
/// reason.
async fn last_words(
    shared: &BusShared,
    link: LinkId,
    read: &mut (impl tokio::io::AsyncRead + Unpin),
    buffer: &mut bytes::BytesMut,
) -> Option<String> {
    let listen = async {
        while let Ok(1..) = read.read_buf(buffer).await {
            if let Err(reason) = take_answers(shared, link, buffer) {
                return Some(reason);
            }
        }
        None
    };
    tokio::time::timeout(std::time::Duration::from_millis(100), listen).await.ok().flatten()
}
