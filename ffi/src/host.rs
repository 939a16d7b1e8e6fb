//! A server with all that a C host has around it: the core's events become events of the host here.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kraken_ws_core::{Error, ErrorCode, Event, Events, Options, Result, Server};

use crate::asks::{Answers, Asks, aside};
use crate::event::{Answer, Content, kraken_ws_event, kraken_ws_event_kind as Kind};
use crate::inbox::{Inbox, lock};
use crate::log::Log;
use crate::module::Modules;
use crate::namespaces::{Namespaces, handle, number};
use crate::server::kraken_ws_server;
use crate::sockets::Sockets;

thread_local! {
    /// Address of the [`Host`] whose callbacks this thread runs. Not a thread id: asking for that of a thread that
    /// Rust did not start would allocate.
    static DISPATCHING: Cell<usize> = const { Cell::new(0) };
}

pub(crate) struct Host {
    pub(crate) server: Server,
    pub(crate) namespaces: Namespaces,
    pub(crate) sockets: Sockets,
    pub(crate) modules: Modules,
    pub(crate) inbox: Inbox,
    /// Questions to other nodes.
    pub(crate) asks: Asks,
    pub(crate) log: Log,
    /// The host decides about each connect.
    decides: bool,
    /// Events and end of the server are another host's: Node's.
    lent: bool,
    handle: OnceLock<&'static kraken_ws_server>,
    /// With callbacks: the thread that calls them.
    dispatcher: Mutex<Option<JoinHandle<()>>>,
    has_dispatcher: AtomicBool,
    /// The host has freed the server: it is not called any more.
    pub(crate) quiet: AtomicBool,
    ended: Mutex<bool>,
    end: Condvar,
}

impl Host {
    pub(crate) fn new(options: Options, decides: bool, log: Log) -> Result<Arc<Self>> {
        let (server, events) = match options.cluster {
            Some(_) => aside(|| Server::new(options))?,
            None => Server::new(options)?,
        };
        Self::around(server, Some(events), decides, log)
    }

    /// Around a server; without `events` it is another host's.
    pub(crate) fn around(
        server: Server,
        events: Option<Events>,
        decides: bool,
        log: Log,
    ) -> Result<Arc<Self>> {
        let lent = events.is_none();
        let host = Arc::new(Self {
            namespaces: Namespaces::new(&server)?,
            server,
            sockets: Sockets::default(),
            modules: Modules::default(),
            inbox: Inbox::new(events),
            asks: Asks::default(),
            log,
            decides,
            lent,
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

    /// Refuses what only the server's own host may do.
    pub(crate) fn own(&self, what: &str) -> Result<()> {
        if self.lent {
            let why = format!("{what}: the server is the host's that loads the modules; it does that itself");
            return Err(Error::new(ErrorCode::State, why));
        }
        Ok(())
    }

    pub(crate) fn set_handle(&self, handle: &'static kraken_ws_server) {
        let _ = self.handle.set(handle);
    }

    pub(crate) fn handle(&self) -> *mut kraken_ws_server {
        self.handle.get().map_or(std::ptr::null_mut(), |handle| std::ptr::from_ref(*handle).cast_mut())
    }

    pub(crate) fn set_dispatcher(&self, thread: JoinHandle<()>) {
        *lock(&self.dispatcher) = Some(thread);
        self.has_dispatcher.store(true, Ordering::Release);
    }

    pub(crate) fn has_dispatcher(&self) -> bool {
        self.has_dispatcher.load(Ordering::Acquire)
    }

    /// Marks this thread as the one that runs the callbacks.
    pub(crate) fn enter_dispatcher(&self) {
        DISPATCHING.set(self.server_address());
    }

    fn server_address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Is this the thread that runs the callbacks?
    pub(crate) fn on_dispatcher(&self) -> bool {
        DISPATCHING.get() == self.server_address()
    }

    pub(crate) fn open(&self) -> Result<()> {
        if self.server.is_closing() {
            return Err(Error::new(ErrorCode::Closed, "the server is closed"));
        }
        Ok(())
    }

    /// Whether connects wait for a word: of the host, or of a module.
    pub(crate) fn decide(&self) -> bool {
        self.decides || self.modules.decide()
    }

    /// Runs `act`; `None`: it panicked, which costs what it was about and nothing else.
    pub(crate) fn caught<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(act)).map_err(|panic| self.server.panicked("host", panic)).ok()
    }

    /// What the host gets to see of an event of the core; `None`: nothing.
    pub(crate) fn admit(self: &Arc<Self>, event: Event) -> Option<Arc<kraken_ws_event>> {
        let last = matches!(event, Event::Closed);
        let seen = self.caught(|| self.look_at(event)).flatten();
        // Whatever happens, that one is waited for.
        seen.or_else(|| last.then(|| Arc::new(kraken_ws_event::new(self, Kind::Closed))))
    }

    fn look_at(self: &Arc<Self>, event: Event) -> Option<Arc<kraken_ws_event>> {
        let mut out = kraken_ws_event::new(self, Kind::None);
        let answer;
        match event {
            Event::Connect { socket, nsp, id, request, auth, pending, .. } => {
                let Some(index) = self.namespaces.index(&nsp) else {
                    // It has just been forgotten.
                    self.server.disconnect(socket, false);
                    return None;
                };
                out.kind = Kind::Connect;
                out.socket = number(socket, index);
                out.id = id.as_ref().into();
                out.namespace = nsp;
                (out.request, out.auth) = (Some(request), auth);
                self.sockets.insert(out.socket, out.id.clone(), out.namespace.clone());
                answer = if pending { Answer::Connect } else { Answer::None };
            }
            Event::Packet { socket, data, attachments, ack } => {
                out.kind = Kind::Event;
                self.find(&mut out, socket);
                out.content = Content::new(data, attachments, true);
                answer = ack.map_or(Answer::None, Answer::Ack);
            }
            Event::Ack { socket, id, data, attachments } => {
                (out.kind, out.ack_id) = (Kind::Ack, id);
                self.find(&mut out, socket);
                out.content = Content::new(data, attachments, false);
                answer = Answer::None;
            }
            Event::AckTimeout { socket, id, gone } => {
                (out.kind, out.ack_id, out.timed_out, out.reason) = (Kind::Ack, id, true, gone);
                self.find(&mut out, socket);
                answer = Answer::None;
            }
            Event::BroadcastAck { id, timed_out, expected, missing, responses, .. } => {
                (out.kind, out.ack_id) = (Kind::BroadcastAck, id);
                (out.timed_out, out.expected, out.missing) = (timed_out, expected, missing);
                out.content = Content::of_answers(responses);
                answer = Answer::None;
            }
            Event::Disconnect { socket, reason, .. } => {
                (out.kind, out.reason) = (Kind::Disconnect, Some(reason));
                self.find(&mut out, socket);
                answer = Answer::None;
            }
            Event::Http { request, body, reply } => {
                (out.kind, out.request) = (Kind::Http, Some(request));
                out.content.attachments = vec![body];
                answer = Answer::Http(reply);
            }
            Event::AllowRequest { request, reply, .. } => {
                (out.kind, out.request) = (Kind::AllowRequest, Some(request));
                answer = Answer::Allow(reply);
            }
            Event::Headers { request, reply } => {
                (out.kind, out.request) = (Kind::Headers, Some(request));
                answer = Answer::Headers(reply);
            }
            Event::Engine { request, reply } => {
                (out.kind, out.request) = (Kind::Engine, Some(request));
                answer = Answer::Engine(reply);
            }
            Event::Room { change, nsp, room, socket } => {
                (out.kind, out.namespace, out.room) = (Kind::Room, nsp, Some((change, room)));
                if let Some((number, id, _)) = socket.and_then(|socket| self.sockets.find(socket)) {
                    (out.socket, out.id) = (number, id);
                }
                answer = Answer::None;
            }
            Event::ServerSide { nsp, data, attachments, reply } => {
                (out.kind, out.namespace) = (Kind::ServerSide, nsp);
                out.content = Content::new(data, attachments, true);
                answer = reply.map_or(Answer::None, Answer::ServerSide);
            }
            Event::SessionEnd { socket, nsp, id, .. } => {
                if let Some(index) = self.namespaces.index(&nsp) {
                    out.socket = number(socket, index);
                }
                (out.kind, out.namespace, out.id) = (Kind::SessionEnd, nsp, id.into());
                answer = Answer::None;
            }
            Event::Cluster { change } => {
                (out.kind, out.cluster) = (Kind::Cluster, Some(change));
                answer = Answer::None;
            }
            Event::Closed => {
                out.kind = Kind::Closed;
                answer = Answer::None;
            }
            Event::ConnectionError { request, refusal, .. } => {
                self.log.refused(&request, refusal);
                return None;
            }
            // The others are asked for by hooks that a C host can't set.
            _ => return None,
        }
        out.answer = Mutex::new(answer);
        if matches!(out.kind, Kind::Disconnect | Kind::Event) && self.sockets.is_silent(out.socket) {
            return None;
        }
        let out = self.modules.filter(Arc::new(out))?;
        if out.kind == Kind::Connect && !self.decides && out.is_pending() {
            let _ = out.accept();
        }
        Some(out)
    }

    /// Answers of other nodes that have come, as events; up to `max`.
    pub(crate) fn answers(self: &Arc<Self>, max: usize) -> Vec<Arc<kraken_ws_event>> {
        let event = |(id, fleet): (u64, Answers)| {
            let mut out = kraken_ws_event::new(self, Kind::ServerSideAck);
            (out.ack_id, out.timed_out) = (id, fleet.missing > 0);
            (out.expected, out.missing) = (fleet.expected, fleet.missing);
            out.missing_nodes = fleet.missing_nodes;
            out.content = Content::of_answers(fleet.answers);
            Arc::new(out)
        };
        let panicked = |panic| self.server.panicked("host", panic);
        self.asks.answered(max, panicked).into_iter().map(event).collect()
    }

    /// The core names a socket by its handle only; the rest is known since its connect.
    fn find(&self, out: &mut kraken_ws_event, socket: kraken_ws_core::SocketHandle) {
        if let Some((socket, id, namespace)) = self.sockets.find(socket) {
            (out.socket, out.id, out.namespace) = (socket, id, namespace);
        } else {
            out.socket = number(socket, 0);
        }
    }

    /// With callbacks: the thread has called the last one.
    pub(crate) fn set_ended(&self) {
        *lock(&self.ended) = true;
        self.end.notify_all();
    }

    /// Closes the server and waits for its end: until then true. On the thread of the callbacks there is nothing
    /// to wait for: what remains happens after the callback.
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

    /// The host frees the server. Returns when no callback runs any more, unless this is one.
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

    /// Disconnects a socket whose number may be of any server.
    pub(crate) fn disconnect(&self, socket: u64, close: bool) {
        self.server.disconnect(handle(socket), close);
    }
}
