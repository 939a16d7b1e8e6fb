//! Questions to other nodes: futures of the core, for threads that have no runtime.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use kraken_ws_core::{Error, ErrorCode, FleetReply, Result};

use crate::inbox::{Wake, lock};

/// Wakes the thread that waits, by means that need nothing of the thread itself.
impl std::task::Wake for Wake {
    fn wake(self: Arc<Self>) {
        Wake::wake(&self);
    }
}

/// Waits on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let wake = Arc::new(Wake::default());
    let waker = Waker::from(wake.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        let seen = wake.seen();
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => {
                wake.wait(seen, None);
            }
        }
    }
}

/// Runs what waits by Rust's own means, such as a channel, on a thread of Rust's: one of the host would keep a handle for
/// that until it ends, and the main thread for ever.
pub(crate) fn aside<T: Send + 'static>(act: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let system = |e| Error::new(ErrorCode::System, format!("a thread could not start: {e}"));
    let thread = std::thread::Builder::new().name("kraken-join".into()).spawn(act).map_err(system)?;
    thread.join().unwrap_or_else(|_| Err(Error::new(ErrorCode::Internal, "a bug in kraken_ws was caught")))
}

/// What the hosts of other nodes answered.
pub(crate) type Answers = FleetReply<Vec<(Box<str>, Vec<Bytes>)>>;
type Ask = Pin<Box<dyn Future<Output = Result<Answers>> + Send>>;

/// Marks one question as worth a look, and wakes whoever takes events.
struct Flag {
    raised: AtomicBool,
    wake: Arc<Wake>,
}

impl std::task::Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.raised.store(true, Ordering::Release);
        Wake::wake(&self.wake);
    }
}

struct Pending {
    id: u64,
    flag: Arc<Flag>,
    ask: Ask,
}

/// Questions whose answers become events: looked after by whoever takes events.
#[derive(Default)]
pub(crate) struct Asks(Mutex<Vec<Pending>>);

impl Asks {
    /// Asks; what is refused at once is an error here.
    pub(crate) fn add(&self, id: u64, ask: Ask, wake: &Arc<Wake>) -> Result<()> {
        let flag = Arc::new(Flag { raised: AtomicBool::new(false), wake: wake.clone() });
        let mut pending = Pending { id, flag: flag.clone(), ask };
        let mut ready = false;
        if let Poll::Ready(answers) = pending.look() {
            pending.ask = Box::pin(std::future::ready(Ok(answers?)));
            ready = true;
        }
        lock(&self.0).push(pending);
        if ready {
            std::task::Wake::wake(flag);
        }
        Ok(())
    }

    /// Takes up to `max` that are answered. Of one that panics no node has answered.
    pub(crate) fn answered(&self, max: usize, panicked: impl Fn(Box<dyn Any + Send>)) -> Vec<(u64, Answers)> {
        let look = |pending: &mut Pending| {
            catch_unwind(AssertUnwindSafe(|| pending.look())).unwrap_or_else(|panic| {
                panicked(panic);
                let mut none = Answers::default();
                (none.expected, none.missing) = (1, 1);
                Poll::Ready(Ok(none))
            })
        };
        let mut pending = lock(&self.0);
        let (mut answered, mut at) = (Vec::new(), 0);
        while at < pending.len() && answered.len() < max {
            if pending[at].flag.raised.swap(false, Ordering::AcqRel)
                && let Poll::Ready(answers) = look(&mut pending[at])
            {
                let Pending { id, .. } = pending.remove(at);
                answered.push((id, answers.unwrap_or_default()));
            } else {
                at += 1;
            }
        }
        answered
    }
}

impl Pending {
    fn look(&mut self) -> Poll<Result<Answers>> {
        let waker = Waker::from(self.flag.clone());
        self.ask.as_mut().poll(&mut Context::from_waker(&waker))
    }
}
