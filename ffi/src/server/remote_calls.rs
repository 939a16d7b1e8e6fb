//! Calls to the hosts of other nodes; their answers become events. A call is a future of the core. The thread that takes
//! events polls it, and the future's waker wakes that thread as an event does.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use kraken_ws_core::{FleetReply, Result};

use crate::border::{Wake, lock};

/// Answers of the hosts of other nodes.
pub(crate) type Answers = FleetReply<Vec<(Box<str>, Vec<Bytes>)>>;
type Call = Pin<Box<dyn Future<Output = Result<Answers>> + Send>>;

/// Waker of one call: marks it as due for a poll, and wakes the thread that takes events.
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
    call: Call,
}

/// Calls in progress.
#[derive(Default)]
pub(crate) struct RemoteCalls(Mutex<Vec<Pending>>);

impl RemoteCalls {
    /// Starts a call. If it fails at once, the error is returned here and there is no event.
    pub(crate) fn add(&self, id: u64, call: Call, wake: &Arc<Wake>) -> Result<()> {
        let flag = Arc::new(Flag { raised: AtomicBool::new(false), wake: wake.clone() });
        let mut pending = Pending { id, flag: flag.clone(), call };
        let mut ready = false;
        if let Poll::Ready(answers) = pending.poll() {
            pending.call = Box::pin(std::future::ready(Ok(answers?)));
            ready = true;
        }
        lock(&self.0).push(pending);
        if ready {
            std::task::Wake::wake(flag);
        }
        Ok(())
    }

    /// Takes up to `max` calls with answers. A call that panics counts as answered by no node.
    pub(crate) fn answered(&self, max: usize, panicked: impl Fn(Box<dyn Any + Send>)) -> Vec<(u64, Answers)> {
        let poll = |pending: &mut Pending| {
            catch_unwind(AssertUnwindSafe(|| pending.poll())).unwrap_or_else(|panic| {
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
                && let Poll::Ready(answers) = poll(&mut pending[at])
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
    fn poll(&mut self) -> Poll<Result<Answers>> {
        let waker = Waker::from(self.flag.clone());
        self.call.as_mut().poll(&mut Context::from_waker(&waker))
    }
}
