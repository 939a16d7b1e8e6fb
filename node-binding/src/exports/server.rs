//! `NativeServer`: one core server as a JavaScript object. This file has its life cycle, namespaces and figures; its
//! other methods are in `commands.rs`, `command_batch.rs`, `attach.rs`, `answers.rs`, `cluster.rs`, `modules.rs`,
//! `raw.rs`, `watch.rs` and `objectless_sockets.rs`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use kraken_ws_core::{
    COMMAND_BYTES, Cancel, ErrorCode, Event, Events, Hooks, HttpReply, Namespace, Options, Reason, Server,
    Stage, pass,
};
use napi::bindgen_prelude::{BufferSlice, Float64ArraySlice, Function};
use napi::{Env, JsString};
use napi_derive::napi;

use crate::exports::answers::Questions;
use crate::exports::batch::{BATCH, Batcher, LANES};
use crate::exports::cluster::Asked;
use crate::exports::modules::{Modules, NativeModule};
use crate::exports::objectless_sockets::{ObjectlessSockets, ObjectlessStage};
use crate::parts::error::{Result, coded, node, thrown};
use crate::parts::text::Text;
use crate::parts::wake::Wake;

/// Responses for Node's HTTP server, by request number.
pub(super) type Replies = Arc<Mutex<Vec<(u64, HttpReply)>>>;

/// One server. Lives on one JavaScript thread; the core's threads only touch `wake` and `replies`.
#[napi]
pub struct NativeServer {
    pub(crate) server: Server,
    events: RefCell<Events>,
    pub(crate) batcher: RefCell<Batcher>,
    /// Sockets that have no object in JavaScript.
    pub(crate) unseen: RefCell<ObjectlessSockets>,
    /// C modules, which see events before JavaScript.
    pub(crate) modules: RefCell<Modules>,
    /// Scratch for `Events::recv_batch`.
    taken: RefCell<Vec<kraken_ws_core::Event>>,
    /// The index is the number that JavaScript has for a namespace.
    pub(crate) namespaces: RefCell<Vec<Option<Namespace>>>,
    pub(crate) questions: RefCell<Questions>,
    /// Questions of JavaScript to other nodes.
    pub(crate) asked: RefCell<Asked>,
    pub(crate) replies: Replies,
    /// Requests of Node's HTTP server that the core has not answered yet.
    pub(crate) passed_in: RefCell<HashMap<u64, Cancel>>,
    pub(crate) wake: Arc<Wake>,
    /// The option `commandQueueBytes`.
    command_queue_bytes: f64,
    closed: Cell<bool>,
}

/// Figures of a server: values in the order of the core's tables, which `generated/figures.ts` names.
#[napi(object)]
pub struct NativeStats {
    pub figures: Vec<f64>,
    pub modules: Vec<NativeModule>,
    pub cluster: Option<Vec<f64>>,
}

/// Converts figures to JavaScript numbers, which are exact up to 2^53.
pub(super) fn numbers(values: Vec<u64>) -> Vec<f64> {
    values.into_iter().map(|value| value as f64).collect()
}

fn options(json: &str) -> Result<Options> {
    let value = serde_json::from_str(json).map_err(|e| coded(ErrorCode::Option, &format!("options: {e}")))?;
    Options::from_json(&value).map_err(thrown)
}

/// Throws what `new NativeServer` would throw for these options, without creating a server. Returns a description of
/// each unknown option.
#[napi]
pub(super) fn check_options(json: Text) -> Result<Vec<String>> {
    options(&json).map(|options| options.unknown)
}

/// Disconnect reasons by number.
#[napi]
pub(super) fn reasons() -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for reason in Reason::ALL {
        let at = *reason as usize;
        out.resize(out.len().max(at + 1), String::new());
        out[at] = reason.as_str().to_owned();
    }
    out
}

/// Length that the lane array for `NativeServer.drain` must have.
#[napi]
pub(super) fn lane_count() -> u32 {
    ((BATCH + 1) * LANES) as u32
}

/// Bytes that a queued message counts beside its payload.
#[napi]
pub(super) fn command_bytes() -> u32 {
    COMMAND_BYTES as u32
}

#[napi]
impl NativeServer {
    /// `json` holds the core's options; `on_wake` is called when there are events to drain. With `raw` JavaScript
    /// speaks Socket.IO itself, see `raw.rs`.
    #[napi(constructor)]
    pub fn new(json: Text, on_wake: Function<'_, (), ()>, raw: Option<bool>) -> Result<Self> {
        let mut options = options(&json)?;
        options.raw = raw.unwrap_or(false);
        let mut batcher = Batcher::default();
        batcher.raw = options.raw;
        let command_queue_bytes = options.command_queue_bytes as f64;
        let (server, events) = Server::new(options).map_err(thrown)?;
        let wake = Wake::new(on_wake)?;
        let waker = wake.clone();
        events.on_wake(Box::new(move || waker.wake()));
        Ok(Self {
            server,
            events: RefCell::new(events),
            batcher: RefCell::new(batcher),
            unseen: RefCell::default(),
            modules: RefCell::default(),
            taken: RefCell::default(),
            namespaces: RefCell::default(),
            questions: RefCell::default(),
            asked: RefCell::new(Asked::new(wake.clone())),
            replies: Replies::default(),
            passed_in: RefCell::default(),
            wake,
            command_queue_bytes,
            closed: Cell::new(false),
        })
    }

    /// Binds a TCP listener; returns `[address, port]`. With `shared` other processes may bind the same port.
    #[napi]
    pub fn listen_tcp(&self, host: Text, port: u32, shared: bool) -> Result<(String, u32)> {
        let port = u16::try_from(port).map_err(|_| {
            coded(ErrorCode::Option, &format!("port: expected a whole number from 0 to 65535, got {port}"))
        })?;
        let address = match shared {
            true => self.server.listen_tcp_shared(&host, port),
            false => self.server.listen_tcp(&host, port),
        };
        let address = address.map_err(thrown)?;
        Ok((address.ip().to_string(), u32::from(address.port())))
    }

    /// Binds a Unix socket.
    #[napi]
    pub fn listen_unix(&self, path: Text) -> Result<()> {
        self.server.listen_unix(Path::new(&*path)).map_err(thrown)
    }

    /// Stops accepting connections; existing ones stay.
    #[napi]
    pub fn stop_listening(&self) {
        self.server.stop_listening();
    }

    /// Replaces certificate and key of the TLS listeners; existing connections stay.
    #[napi]
    pub fn reload_tls(&self, cert: BufferSlice<'_>, key: BufferSlice<'_>) -> Result<()> {
        self.server.reload_tls(&cert, &key).map_err(thrown)
    }

    /// Creates or finds a namespace whose sockets wait for `accept`; returns its number.
    #[napi]
    pub fn namespace(&self, name: Text) -> Result<u32> {
        let namespace = self.server.deciding_namespace(&name).map_err(thrown)?;
        self.modules.borrow().add_namespace(&namespace);
        let mut namespaces = self.namespaces.borrow_mut();
        let free = namespaces.iter().position(Option::is_none).unwrap_or(namespaces.len());
        if free == namespaces.len() {
            namespaces.push(None);
        }
        namespaces[free] = Some(namespace);
        Ok(free as u32)
    }

    /// Removes a namespace; its number may be assigned again.
    #[napi]
    pub fn remove_namespace(&self, number: u32) {
        if let Some(slot) = self.namespaces.borrow_mut().get_mut(number as usize)
            && let Some(namespace) = slot.take()
        {
            self.unseen.borrow_mut().forget(namespace.name());
            self.modules.borrow().remove_namespace(namespace.name());
            self.server.remove_namespace(namespace.name());
        }
    }

    pub(crate) fn with_namespace<T>(
        &self,
        number: u32,
        run: impl FnOnce(&Namespace) -> kraken_ws_core::Result<T>,
    ) -> Result<T> {
        match self.namespaces.borrow().get(number as usize) {
            Some(Some(namespace)) => run(namespace).map_err(thrown),
            _ => Err(coded(ErrorCode::Name, "the namespace does not exist any more")),
        }
    }

    /// Fills `lanes` with the next batch and returns its payloads as one JSON array.
    #[napi]
    pub fn drain<'env>(&self, env: &'env Env, mut lanes: Float64ArraySlice<'_>) -> Result<JsString<'env>> {
        if lanes.len() < (BATCH + 1) * LANES {
            return Err(coded(ErrorCode::Payload, "the lane array is too short"));
        }
        // SAFETY: JavaScript runs on this thread only, so nothing else reads or writes the array meanwhile.
        let lanes = unsafe { lanes.as_mut() };
        let mut batcher = self.batcher.borrow_mut();
        let mut questions = self.questions.borrow_mut();
        let modules = self.modules.borrow();
        let objectless = ObjectlessStage { sockets: &self.unseen, server: &self.server };
        let stages: [&dyn Stage; 2] = [&*modules, &objectless];
        self.wake.answered();
        batcher.begin();
        if let Some(rest) = batcher.rest.take() {
            batcher.event(lanes, &mut questions, rest);
        }
        let mut replies =
            std::mem::take(&mut *self.replies.lock().unwrap_or_else(PoisonError::into_inner)).into_iter();
        while !batcher.is_full()
            && let Some((number, reply)) = replies.next()
        {
            batcher.reply(lanes, number, reply);
        }
        let late: Vec<_> = replies.collect();
        let mut more = !late.is_empty();
        more |= self.asked.borrow_mut().take(|number, answer| {
            batcher.fleet(lanes, number, answer);
            !batcher.is_full()
        });
        if !late.is_empty() {
            self.replies.lock().unwrap_or_else(PoisonError::into_inner).splice(0..0, late);
        }
        if batcher.pending.is_empty() {
            let mut taken = self.taken.borrow_mut();
            self.events.borrow_mut().recv_batch(&mut taken, BATCH);
            more |= taken.len() == BATCH;
            batcher.pending.extend(taken.drain(..));
        }
        while !batcher.is_full()
            && let Some(event) = batcher.pending.pop_front()
        {
            // JavaScript waits for this event to end the server, so it is delivered even after a panic.
            let last = matches!(event, Event::Closed);
            let mark = batcher.mark();
            let caught = catch_unwind(AssertUnwindSafe(|| {
                if let Some(event) = pass(&stages, event) {
                    batcher.event(lanes, &mut questions, event);
                }
            }));
            if let Err(panic) = caught {
                self.server.panicked("JavaScript", panic);
                batcher.back_to(mark);
                if last {
                    batcher.event(lanes, &mut questions, Event::Closed);
                }
            }
        }
        more |= !batcher.pending.is_empty() || batcher.rest.is_some();
        batcher.end(lanes, more, self.command_room());
        js_text(env, &batcher.text)
    }

    /// Bytes of messages that the core's command queues can still take.
    #[napi]
    pub fn command_room(&self) -> f64 {
        self.command_queue_bytes - self.server.stats().command_queue_bytes as f64
    }

    /// Attachments of the batch that `drain` returned last.
    #[napi]
    pub fn take_buffers<'env>(&self, env: &'env Env) -> Result<Vec<BufferSlice<'env>>> {
        let buffers = std::mem::take(&mut self.batcher.borrow_mut().buffers);
        buffers.iter().map(|bytes| BufferSlice::copy_from(env, &bytes[..]).map_err(node)).collect()
    }

    /// The handshake of a socket as JSON text. It is returned once, and JavaScript must take it at the latest when
    /// the socket ends: the addon keeps it until it is taken.
    #[napi]
    pub fn handshake(&self, socket: f64) -> Option<String> {
        self.batcher.borrow_mut().handshake(socket as u64)
    }

    /// Payloads of the batch that `drain` returned last, one by one.
    #[napi]
    pub fn payloads(&self) -> Vec<String> {
        self.batcher.borrow().payloads()
    }

    /// Sets the hooks that follow listeners of JavaScript (bits of `Hook` in `generated/wire.ts`). Hooks that only
    /// options set stay as they are.
    #[napi]
    pub fn set_hooks(&self, hooks: u32) {
        let follow = Hooks::OF_LISTENERS;
        self.server.set_hooks((self.server.hooks() - follow) | (Hooks::from_bits_truncate(hooks) & follow));
    }

    /// Sets whether this server keeps the process alive.
    #[napi]
    pub fn keep_process(&self, env: Env, keep: bool) {
        self.wake.keep_process(env, keep);
    }

    /// Whether an HTTP connection or WebSocket of the core is open at this moment.
    #[napi]
    pub fn hears_clients(&self) -> bool {
        self.server.hears_clients()
    }

    /// Current figures.
    #[napi]
    pub fn stats(&self) -> NativeStats {
        NativeStats {
            figures: numbers(self.server.stats().values()),
            modules: self.modules.borrow().figures(),
            cluster: self.server.cluster_stats().map(|stats| numbers(stats.values())),
        }
    }

    /// Stops listening, disconnects all sockets and ends the threads. The last event reports that this is done.
    #[napi]
    pub fn close(&self) {
        if !self.closed.replace(true) {
            self.server.close();
        }
    }

    /// Releases, after the last event, what could keep the process alive.
    #[napi]
    pub fn end(&self, env: Env) {
        drop(self.modules.take());
        self.wake.end(Some(env));
    }
}

impl Drop for NativeServer {
    /// A worker or a process that ends without `close` leaves no threads behind.
    fn drop(&mut self) {
        self.wake.end(None);
        self.close();
    }
}

/// ASCII text is one byte per character in V8 too, so it is copied instead of decoded.
fn js_text<'env>(env: &'env Env, text: &str) -> Result<JsString<'env>> {
    if text.is_ascii() {
        env.create_string_latin1(text.as_bytes()).map_err(node)
    } else {
        env.create_string(text).map_err(node)
    }
}
