//! `NativeEmitter`: publishes to a fleet from a process without clients.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use kraken_ws_core::{Disconnect, Emitter};
use napi::bindgen_prelude::{AsyncTask, BufferSlice};
use napi::{Env, Status, Task};
use napi_derive::napi;

use crate::exports::cluster::cluster_options;
use crate::exports::commands::{attachments, flags, target};
use crate::parts::error::{Result, thrown};
use crate::parts::text::Text;

/// Publisher to all nodes of a fleet.
#[napi]
pub struct NativeEmitter {
    emitter: Arc<Emitter>,
}

fn refs(names: &[Text]) -> Vec<&str> {
    names.iter().map(|name| &**name).collect()
}

#[napi]
impl NativeEmitter {
    /// `options` is the JSON of the option `cluster`.
    #[napi(constructor)]
    pub fn new(options: Text) -> Result<Self> {
        let emitter = Emitter::new(cluster_options(&options)?).map_err(thrown)?;
        Ok(Self { emitter: Arc::new(emitter) })
    }

    /// Sends an event to the clients of a room expression.
    #[napi]
    pub fn publish(
        &self,
        nsp: Text,
        rooms: Vec<Text>,
        except: Vec<Text>,
        data: Text,
        bits: u32,
        buffers: Option<Vec<BufferSlice<'_>>>,
    ) -> Result<()> {
        let (target, attachments) = (target(rooms, except), attachments(buffers));
        self.emitter.publish(&nsp, target, &data, attachments, flags(bits)).map_err(thrown)
    }

    /// Adds the sockets of a room expression to rooms.
    #[napi]
    pub fn sockets_join(&self, nsp: Text, rooms: Vec<Text>, except: Vec<Text>, join: Vec<Text>) {
        self.emitter.sockets_join(&nsp, target(rooms, except), &refs(&join));
    }

    /// Removes the sockets of a room expression from rooms.
    #[napi]
    pub fn sockets_leave(&self, nsp: Text, rooms: Vec<Text>, except: Vec<Text>, leave: Vec<Text>) {
        self.emitter.sockets_leave(&nsp, target(rooms, except), &refs(&leave));
    }

    /// Disconnects the sockets of a room expression; with `close` their whole connections.
    #[napi]
    pub fn disconnect_sockets(&self, nsp: Text, rooms: Vec<Text>, except: Vec<Text>, close: bool) {
        self.emitter.disconnect_sockets(&nsp, target(rooms, except), Disconnect::from_close(close));
    }

    /// Sends an event to all nodes.
    #[napi]
    pub fn server_side_emit(
        &self,
        nsp: Text,
        data: Text,
        buffers: Option<Vec<BufferSlice<'_>>>,
    ) -> Result<()> {
        self.emitter.server_side_emit(&nsp, &data, attachments(buffers)).map_err(thrown)
    }

    /// Resolves with `null` when Redis has confirmed everything sent so far, or with an error message. With `end` the
    /// emitter is then closed.
    #[napi(ts_return_type = "Promise<string | null>")]
    pub fn flush(&self, timeout: f64, end: bool) -> AsyncTask<Flush> {
        let timeout = Duration::from_millis(timeout.max(1.0) as u64);
        AsyncTask::new(Flush { emitter: self.emitter.clone(), timeout, end })
    }
}

/// Task of [`NativeEmitter::flush`]: it waits on a thread of Node's pool.
pub struct Flush {
    emitter: Arc<Emitter>,
    timeout: Duration,
    end: bool,
}

impl Task for Flush {
    type Output = Option<String>;
    type JsValue = Option<String>;

    fn compute(&mut self) -> napi::Result<Self::Output, Status> {
        let done = wait(self.emitter.flush(self.timeout));
        if self.end {
            self.emitter.close();
        }
        Ok(done.err().map(|error| error.message().to_owned()))
    }

    fn resolve(&mut self, _env: Env, output: Self::Output) -> napi::Result<Self::JsValue, Status> {
        Ok(output)
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}
