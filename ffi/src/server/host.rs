//! `Host`: a server with the state that a C host needs.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kraken_ws_core::{Disconnect, Error, ErrorCode, Events, FetchedSocket, Options, Result, Server, Target};

use super::inbox::Inbox;
use super::log::Log;
use super::namespaces::{Namespaces, handle};
use super::remote_calls::RemoteCalls;
use super::sockets::Sockets;
use crate::border::{
    Handle, Handled, Lasting, block_on, kraken_ws_api, kraken_ws_server, lock, on_own_thread,
};
use crate::event::Owner;
use crate::modules::Modules;

thread_local! {
    /// Address of the [`Host`] whose callbacks this thread runs. It stands in for a thread id, because `thread::current`
    /// allocates on threads that Rust did not start.
    static DISPATCHING: Cell<usize> = const { Cell::new(0) };
}

/// The value behind a `kraken_ws_server`.
pub(crate) type ServerHandle = Handle<Lasting<Arc<Host>>>;

impl Handled for Lasting<Arc<Host>> {
    type Opaque = kraken_ws_server;
    const MAGIC: u64 = 0x6b72_616b_656e_7372;
    const KIND: &'static str = "server";
    const MADE_BY: &'static str = "kraken_ws_server_new";
}

pub(crate) struct Host {
    pub(crate) server: Server,
    pub(crate) namespaces: Namespaces,
    pub(crate) sockets: Sockets,
    pub(crate) modules: Modules,
    pub(crate) inbox: Inbox,
    pub(crate) remote_calls: RemoteCalls,
    pub(crate) log: Log,
    /// Whether connects wait for the host.
    pub(super) decides: bool,
    /// Whether the server is Node's, which takes its events and ends it.
    borrowed: bool,
    handle: OnceLock<&'static ServerHandle>,
    /// The thread that runs the callbacks, if there are any.
    dispatcher: Mutex<Option<JoinHandle<()>>>,
    has_dispatcher: AtomicBool,
    /// Whether the host has freed the server; no callback runs after that.
    pub(crate) quiet: AtomicBool,
    ended: Mutex<bool>,
    end: Condvar,
}

impl Host {
    pub(crate) fn new(options: Options, decides: bool, log: Log) -> Result<Arc<Self>> {
        let (server, events) = match options.cluster {
            Some(_) => on_own_thread(|| Server::new(options))?,
            None => Server::new(options)?,
        };
        Self::around(server, Some(events), decides, log)
    }

    /// Wraps a server; without `events`, one of Node's.
    pub(crate) fn around(
        server: Server,
        events: Option<Events>,
        decides: bool,
        log: Log,
    ) -> Result<Arc<Self>> {
        let borrowed = events.is_none();
        let host = Arc::new(Self {
            namespaces: Namespaces::new(&server)?,
            server,
            sockets: Sockets::default(),
            modules: Modules::default(),
            inbox: Inbox::new(events),
            remote_calls: RemoteCalls::default(),
            log,
            decides,
            borrowed,
            handle: OnceLock::new(),
            dispatcher: Mutex::default(),
            has_dispatcher: AtomicBool::new(false),
            quiet: AtomicBool::new(false),
            ended: Mutex::default(),
            end: Condvar::new(),
        });
        host.namespaces.set_decide(decides);
        Ok(host)
    }

    /// Refuses a call that only the owner of the server may make; `what` names the call.
    pub(crate) fn check_owner(&self, what: &str) -> Result<()> {
        if self.borrowed {
            let why = format!("{what}: the server is the host's that loads the modules; it does that itself");
            return Err(Error::new(ErrorCode::State, why));
        }
        Ok(())
    }

    /// Makes the handle of the server, once.
    pub(crate) fn make_handle(self: &Arc<Self>) -> &'static ServerHandle {
        self.handle.get_or_init(|| Handle::lasting(self.clone()))
    }

    pub(crate) fn set_dispatcher(&self, thread: JoinHandle<()>) {
        *lock(&self.dispatcher) = Some(thread);
        self.has_dispatcher.store(true, Ordering::Release);
    }

    pub(crate) fn has_dispatcher(&self) -> bool {
        self.has_dispatcher.load(Ordering::Acquire)
    }

    /// Marks the current thread as the dispatcher, which runs the callbacks.
    pub(crate) fn enter_dispatcher(&self) {
        DISPATCHING.set(self.server_address());
    }

    fn server_address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Whether the current thread is the dispatcher.
    pub(crate) fn on_dispatcher(&self) -> bool {
        DISPATCHING.get() == self.server_address()
    }

    pub(crate) fn open(&self) -> Result<()> {
        if self.server.is_closing() {
            return Err(Error::new(ErrorCode::Closed, "the server is closed"));
        }
        Ok(())
    }

    /// Whether connects wait for the host or for a module.
    pub(crate) fn decide(&self) -> bool {
        self.decides || self.modules.decide()
    }

    /// Runs `act`; `None` if it panicked. The panic is counted and logged, and the thread goes on.
    pub(crate) fn caught<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(act)).map_err(|panic| self.server.panicked("host", panic)).ok()
    }

    /// Loads a module, passes it `table`, and returns its name.
    ///
    /// # Safety
    /// As [`Modules::load`].
    pub(crate) unsafe fn load_module(
        &self,
        table: *const kraken_ws_api,
        path: &str,
        argc: c_int,
        argv: *const *const c_char,
    ) -> Result<Arc<str>> {
        // SAFETY: the caller's promise is the same.
        unsafe { self.modules.load(self.server(), table, path, argc, argv, || self.update_decide()) }
    }

    pub(crate) fn unload_module(&self, name: &str) -> Result<()> {
        self.modules.unload(name, || self.update_decide())
    }

    fn update_decide(&self) {
        self.namespaces.set_decide(self.decide());
    }

    /// Notes that the dispatcher has run the last callback.
    pub(crate) fn set_ended(&self) {
        *lock(&self.ended) = true;
        self.end.notify_all();
    }

    /// Closes the server and waits until `deadline` for its end; returns whether it has ended. The dispatcher does not
    /// wait: it can end only after the callback that called this.
    pub(crate) fn close(&self, deadline: Option<Instant>) -> bool {
        self.server.close();
        if self.on_dispatcher() {
            return true;
        }
        let done = if self.has_dispatcher() { self.wait_ended(deadline) } else { self.wait_closed(deadline) };
        if done {
            self.server.join_threads();
        }
        done
    }

    fn wait_ended(&self, deadline: Option<Instant>) -> bool {
        let mut ended = lock(&self.ended);
        while !*ended {
            let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return false;
            }
            ended = match left {
                None => self.end.wait(ended).unwrap_or_else(PoisonError::into_inner),
                Some(left) => self.end.wait_timeout(ended, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        true
    }

    fn wait_closed(&self, deadline: Option<Instant>) -> bool {
        loop {
            let seen = self.inbox.wake.seen();
            if self.inbox.set_aside() {
                return true;
            }
            if !self.inbox.wake.wait(seen, deadline) {
                return false;
            }
        }
    }

    /// Ends the server because the host frees it. Waits for the callback in progress, unless that callback called this.
    pub(crate) fn finish(&self) {
        self.quiet.store(true, Ordering::Release);
        self.close(None);
        if !self.on_dispatcher() {
            let thread = lock(&self.dispatcher).take();
            if let Some(thread) = thread {
                let _ = thread.join();
            }
        }
        self.modules.end();
    }

    /// Fetches sockets of this process, with the number of their namespace. Waits for the threads of the server, which never
    /// wait for the host.
    pub(crate) fn fetch_sockets(&self, nsp: &str, target: Target) -> Result<(Vec<FetchedSocket>, usize)> {
        let (index, namespace) = self.namespaces.get(nsp)?;
        Ok((block_on(self.server.fetch_sockets(&namespace, target)), index))
    }

    /// Disconnects a socket. A number that no socket has is ignored.
    pub(crate) fn disconnect(&self, socket: u64, what: Disconnect) {
        self.server.disconnect(handle(socket), what);
    }
}

impl Owner for Host {
    fn server(&self) -> *mut kraken_ws_server {
        self.handle.get().map_or(std::ptr::null_mut(), |handle| handle.pointer())
    }

    fn user(&self, socket: u64) -> *mut c_void {
        self.sockets.user(socket)
    }

    fn accept(&self, socket: u64) {
        self.server.accept(handle(socket));
    }

    fn reject(&self, socket: u64, error: &str) {
        self.sockets.silence(socket);
        self.server.reject(handle(socket), error);
    }

    fn turn_away(&self, socket: u64) {
        // A silent socket was refused before.
        if !self.sockets.is_silent(socket) {
            self.sockets.silence(socket);
            self.disconnect(socket, Disconnect::Socket);
        }
    }

    fn ack(&self, socket: u64, id: u64, data: &str, attachments: Vec<Bytes>) -> Result<()> {
        self.namespaces
            .of(socket, |namespace| self.server.ack(namespace, handle(socket), id, data, attachments))
    }

    fn forget(&self, socket: u64) {
        self.sockets.remove(socket);
    }
}
