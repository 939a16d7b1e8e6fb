//! The one thread-safe function of a server. It carries no data: a call says that there are events, and the
//! JavaScript thread then takes them in batches. At most one call is outstanding.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};

use crate::parts::error::{Result, node};

type Callback = ThreadsafeFunction<(), (), (), Status, false, true, 0>;

/// Shared by the core's threads (which wake) and the JavaScript thread (which ends it).
pub(crate) struct Wake {
    /// A call is outstanding; further wake-ups would add nothing.
    called: AtomicBool,
    /// `None` once the server is closed: releasing it lets the process exit.
    callback: Mutex<Option<Callback>>,
}

impl Wake {
    /// `callback` is called without arguments on the JavaScript thread. It starts without keeping the
    /// process alive.
    pub(crate) fn new(callback: Function<'_, (), ()>) -> Result<Arc<Self>> {
        let callback = callback.build_threadsafe_function::<()>().weak::<true>().build().map_err(node)?;
        Ok(Arc::new(Self { called: AtomicBool::new(false), callback: Mutex::new(Some(callback)) }))
    }

    /// Wakes JavaScript, from any thread.
    pub(crate) fn wake(&self) {
        if self.called.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(callback) = &*self.callback.lock().unwrap_or_else(PoisonError::into_inner) {
            callback.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// Called before the queues are drained: an event that comes later needs a new wake-up.
    pub(crate) fn answered(&self) {
        self.called.store(false, Ordering::Release);
    }

    /// Sets whether this server keeps the process alive by itself, as a listening handle does.
    pub(crate) fn keep_process(&self, env: Env, keep: bool) {
        if let Some(callback) = &*self.callback.lock().unwrap_or_else(PoisonError::into_inner) {
            // SAFETY: called on the JavaScript thread that made the function, which is not released yet.
            unsafe {
                if keep {
                    sys::napi_ref_threadsafe_function(env.raw(), callback.raw());
                } else {
                    sys::napi_unref_threadsafe_function(env.raw(), callback.raw());
                }
            }
        }
    }

    /// Releases the function: there are no further calls. On the JavaScript thread `env` is known and the function
    /// stops keeping the process alive at once; the release alone has that effect only at the next turn of the event
    /// loop.
    pub(crate) fn end(&self, env: Option<Env>) {
        if let Some(env) = env {
            self.keep_process(env, false);
        }
        self.callback.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
