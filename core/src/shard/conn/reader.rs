//! Tasks of a WebSocket: one reads it, one continues writing after its kernel buffer was full.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use kraken_ws_codec::ws::{Decoder, Limits};

use crate::engine::transport::{ReaderCtl, ReaderState};
use crate::net::stream::ReadHalf;
use crate::shard::{SHARD, Shard};
use crate::shared::panics::Panic;
use crate::types::ids::ConnKey;

/// How long a closed connection is still read, so that a reset does not lose the close frame.
const LINGER: Duration = Duration::from_secs(2);
/// Most bytes that are read and discarded in that time.
const LINGER_BYTES: usize = 64 << 20;

/// State of a WebSocket's reader task between reads.
pub(in crate::shard) struct Reader {
    pub shard: Rc<Shard>,
    pub key: ConnKey,
    /// 0 for the session's own transport, else the number of the probe.
    pub probe: u32,
    pub read: ReadHalf,
    pub ctl: Rc<ReaderCtl>,
    pub deflate: bool,
    /// Bytes that are read but not handled: those that came with the upgrade, or behind the message that paused the
    /// connection.
    pub rest: Vec<u8>,
}

enum End {
    /// End of stream or an error.
    Peer,
    Drain,
    Stop,
    Panic(Panic),
}

/// Reads until the connection ends.
pub(in crate::shard) async fn read_loop(mut reader: Reader) {
    let mut decoder = Decoder::new();
    let limits =
        Limits { max_message: reader.shard.core.options.max_http_buffer_size, deflate: reader.deflate };
    let mut read = |cx: &mut Context<'_>| {
        loop {
            reader.ctl.remember(cx.waker());
            match reader.ctl.state() {
                ReaderState::Stop => return Poll::Ready(End::Stop),
                ReaderState::Drain => return Poll::Ready(End::Drain),
                ReaderState::Paused => return Poll::Pending,
                ReaderState::Run => {}
            }
            if !reader.rest.is_empty() {
                let mut bytes = std::mem::take(&mut reader.rest);
                input(&mut reader, &mut decoder, &limits, &mut bytes);
                continue;
            }
            let shard = reader.shard.clone();
            let ask = shard.state.borrow().may_hold_back();
            if ask && shard.with(|state| state.holds_back(reader.key, reader.probe)) {
                continue;
            }
            let mut buffer = shard.read_buffer.borrow_mut();
            match reader.read.poll_read(cx, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_) | Ok(0)) => return Poll::Ready(End::Peer),
                Poll::Ready(Ok(n)) => input(&mut reader, &mut decoder, &limits, &mut buffer[..n]),
            }
        }
    };
    let end = poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| read(cx))).unwrap_or_else(|panic| Poll::Ready(End::Panic(panic)))
    })
    .await;
    match end {
        End::Peer => reader.shard.with(|state| state.transport_ended(reader.key, reader.probe)),
        // Boxed, so that the future of the common case stays small.
        End::Drain => Box::pin(discard(reader)).await,
        End::Stop => {}
        End::Panic(panic) => {
            reader.shard.panics().note(SHARD, panic);
            reader.shard.with(|state| state.reader_broke(reader.key, reader.probe));
            if reader.ctl.state() == ReaderState::Drain {
                Box::pin(discard(reader)).await;
            }
        }
    }
}

/// Hands bytes to the session; keeps those behind a message that paused the connection.
fn input(reader: &mut Reader, decoder: &mut Decoder, limits: &Limits, bytes: &mut [u8]) {
    let (key, probe) = (reader.key, reader.probe);
    let ctl = reader.ctl.clone();
    let result = reader.shard.with(|state| {
        state.stats().bytes_in.add(bytes.len());
        let result = decoder.feed(bytes, limits, &mut |incoming| {
            state.on_frame(key, probe, incoming);
            ctl.state() == ReaderState::Run
        });
        match result {
            Ok(read) => Some(read),
            Err(error) => {
                state.on_frame_error(key, probe, error);
                None
            }
        }
    });
    let alive = matches!(ctl.state(), ReaderState::Run | ReaderState::Paused);
    if let Some(read) = result.filter(|read| alive && *read < bytes.len()) {
        reader.rest = bytes[read..].to_vec();
    }
}

/// Reads and discards until the peer closes: closing a socket with unread bytes resets the connection, and the peer
/// would lose the close frame.
async fn discard(mut reader: Reader) {
    let _hold = reader.shard.hold();
    let mut left = LINGER_BYTES;
    let all = poll_fn(|cx| {
        loop {
            if reader.ctl.state() == ReaderState::Stop {
                return Poll::Ready(());
            }
            reader.ctl.remember(cx.waker());
            let mut buffer = reader.shard.read_buffer.borrow_mut();
            match reader.read.poll_read(cx, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_) | Ok(0)) => return Poll::Ready(()),
                Poll::Ready(Ok(n)) => {
                    left = left.saturating_sub(n);
                    if left == 0 {
                        return Poll::Ready(());
                    }
                }
            }
        }
    });
    let _ = tokio::time::timeout(LINGER, all).await;
}

/// Continues to write whenever the kernel has room, until the outbox is empty.
pub(in crate::shard) async fn drain(shard: Rc<Shard>, key: ConnKey) {
    poll_fn(|cx| shard.with(|state| state.poll_drain(key, cx))).await;
}
