//! The server as a host drives it.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::recovery::Recovery;
use super::{
    AnswerRoom, BroadcastAcks, Event, Events, HostQueue, Namespace, Namespaces, Outboxes, RequestInfo,
    SocketHandle,
};
use crate::cluster::Place;
use crate::engine::frame::Frame;
use crate::engine::sid::Id;
use crate::error::{Error, ErrorCode, Result};
use crate::net::listener;
use crate::net::tls::TlsState;
use crate::options::{Hooks, Options, SharedHooks};
use crate::rooms::{Directory, Target};
use crate::shard::queue;
use crate::shard::{self, Command, Core, EmitTo, Outgoing, Publish, ShardSender};
use crate::socketio::encode::{self, Packet};

/// What a message that waits for a shard takes beside its payload, at most: without it, small ones would need
/// several times `commandQueueBytes`. Counted in `tests/tests/command_queue_memory.rs`.
pub const COMMAND_BYTES: usize = 512;

/// How a packet is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmitFlags {
    /// Drop it for clients that can't be written to at that moment.
    pub volatile: bool,
    /// Compress it where compression was negotiated.
    pub compress: bool,
    /// Keep it on this node.
    pub local: bool,
}

impl EmitFlags {
    /// To all nodes, compressed where that was negotiated, and kept for clients that are slow.
    pub const fn new() -> Self {
        Self { volatile: false, compress: true, local: false }
    }

    /// With [`EmitFlags::volatile`](#structfield.volatile) as given.
    #[must_use]
    pub const fn volatile(mut self, on: bool) -> Self {
        self.volatile = on;
        self
    }

    /// With [`EmitFlags::compress`](#structfield.compress) as given.
    #[must_use]
    pub const fn compress(mut self, on: bool) -> Self {
        self.compress = on;
        self
    }

    /// With [`EmitFlags::local`](#structfield.local) as given.
    #[must_use]
    pub const fn local(mut self, on: bool) -> Self {
        self.local = on;
        self
    }
}

impl Default for EmitFlags {
    fn default() -> Self {
        Self::new()
    }
}

/// A socket found by [`Server::fetch_sockets`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FetchedSocket {
    /// Its handle.
    pub socket: SocketHandle,
    /// Public id.
    pub id: Box<str>,
    /// The request that opened its connection.
    pub request: Arc<RequestInfo>,
    /// JSON of the CONNECT payload, may be empty.
    pub auth: Box<str>,
    /// Its rooms, the one named by its own id included.
    pub rooms: Vec<Box<str>>,
    /// JSON that the host attached with [`Server::set_data`], may be empty.
    pub data: Box<str>,
}

/// A running server. Cloning gives another handle to the same one; every method may be called from any
/// thread. Packets that one thread issues for a socket leave in the order of the calls.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    /// Until somebody waits for them.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        close(&self.core);
    }
}

/// A server that may be gone.
#[derive(Clone)]
pub(crate) struct WeakServer(Weak<Inner>);

impl WeakServer {
    pub(crate) fn upgrade(&self) -> Option<Server> {
        self.0.upgrade().map(Server)
    }
}

impl Server {
    /// Starts the shards. [`Events`] is the host's end of the event queue.
    ///
    /// # Errors
    /// [`ErrorCode::Tls`] for a certificate or key that can't be used, [`ErrorCode::System`] if threads
    /// can't be started.
    pub fn new(options: Options) -> Result<(Server, Events)> {
        let system =
            |e: std::io::Error| Error::new(ErrorCode::System, format!("a thread could not start: {e}"));
        let count = match options.shards {
            0 => std::thread::available_parallelism().map_or(1, |n| n.get()).min(64),
            n => n,
        };
        for what in &options.unknown {
            tracing::warn!("an option is ignored: {what}");
        }
        options.check_features()?;
        let tls = options.tls.as_ref().map(|t| TlsState::new(&t.cert, &t.key)).transpose()?;
        let (shards, receivers): (Vec<_>, Vec<_>) = queue::channels(count)
            .enumerate()
            .map(|(index, (sender, receiver))| (ShardSender::new(index, sender), receiver))
            .unzip();
        // One more than shards: the cluster's thread has events too.
        let host = HostQueue::new(count + 1, options.host_queue_bytes);
        let mut options = options;
        let cluster = options.cluster.take();
        let hooks = SharedHooks::default();
        hooks.set(options.hooks);
        let core = Arc::new(Core {
            namespaces: Namespaces::default(),
            directory: Directory::default(),
            hooks,
            ack_ids: AtomicU64::new(0),
            aliases: shard::Aliases::default(),
            host: host.clone(),
            outboxes: Outboxes::new(options.total_outbox_bytes),
            answers: AnswerRoom::new(options.max_answer_bytes),
            shards,
            tls,
            started: Instant::now(),
            closing: AtomicBool::new(false),
            next_shard: AtomicUsize::new(0),
            running: AtomicUsize::new(count),
            recovery: Recovery::new(&options),
            tag: Id::tag(),
            fleet: Place::default(),
            under_way: Arc::default(),
            options,
        });
        let weak = Arc::downgrade(&core);
        host.on_resume(Box::new(move |shard| {
            if let Some(core) = weak.upgrade() {
                core.shards[shard].send(Command::Resume);
            }
        }));
        if let Some(recovery) = &core.recovery {
            recovery.lock().tell(core.hooks.get().sessions);
        }
        core.namespaces.create("/", false);
        // Dropped on failure, it ends the threads that have started.
        let server = Server(Arc::new(Inner { core, threads: Mutex::default() }));
        for (index, receiver) in receivers.into_iter().enumerate() {
            let thread = server.0.core.clone();
            let (tell, started) = shard::started();
            let thread = std::thread::Builder::new()
                .name(format!("kraken-shard-{index}"))
                .spawn(move || {
                    let _last = LastOut(thread.clone());
                    shard::run(thread, index, receiver, &tell);
                })
                .map_err(system)?;
            server.0.threads.lock().unwrap_or_else(|e| e.into_inner()).push(thread);
            started.wait().map_err(system)?;
        }
        if let Some(cluster) = cluster {
            server.join_cluster(cluster)?;
        }
        Ok((server, Events(host)))
    }

    pub(crate) fn downgrade(&self) -> WeakServer {
        WeakServer(Arc::downgrade(&self.0))
    }

    /// Runs a thread that the end of the server waits for.
    pub(crate) fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
        let core = self.0.core.clone();
        let one_more = |running| (running > 0).then_some(running + 1);
        if core.running.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_err() {
            return Err(Error::closed());
        }
        let last = LastOut(core);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _last = last;
            run();
        });
        let thread =
            thread.map_err(|e| Error::new(ErrorCode::System, format!("a thread could not start: {e}")))?;
        self.0.threads.lock().unwrap_or_else(|e| e.into_inner()).push(thread);
        Ok(())
    }

    pub(crate) fn core(&self) -> &Core {
        &self.0.core
    }

    #[cfg(test)]
    pub(crate) fn shared_core(&self) -> Arc<Core> {
        self.0.core.clone()
    }

    pub(crate) fn open(&self) -> Result<()> {
        if self.core().is_closing() { Err(Error::closed()) } else { Ok(()) }
    }

    /// Listens on a TCP address; port 0 takes a free one. Returns what was bound.
    ///
    /// # Errors
    /// [`ErrorCode::Listen`] with the system's reason.
    pub fn listen_tcp(&self, host: &str, port: u16) -> Result<SocketAddr> {
        self.bind(host, port, false)
    }

    /// [`Server::listen_tcp`] on a port that other processes of this user may listen on as well, by this function
    /// (`SO_REUSEPORT`): the system spreads connections over them. Port 0 is another one for each.
    ///
    /// # Errors
    /// As [`Server::listen_tcp`].
    pub fn listen_tcp_shared(&self, host: &str, port: u16) -> Result<SocketAddr> {
        self.bind(host, port, true)
    }

    fn bind(&self, host: &str, port: u16, shared: bool) -> Result<SocketAddr> {
        self.open()?;
        let fail = |e: std::io::Error| Error::new(ErrorCode::Listen, format!("listen {host}:{port}: {e}"));
        let addrs: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(fail)?.collect();
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
        for addr in addrs {
            match listener::bind_tcp(addr, self.core().options.backlog, shared) {
                Ok((listener, bound)) => {
                    self.core().shards[0].send(Command::Listen(listener));
                    return Ok(bound);
                }
                Err(e) => last = e,
            }
        }
        Err(fail(last))
    }

    /// Listens on a Unix socket path. A socket file that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// [`ErrorCode::Listen`] with the system's reason.
    pub fn listen_unix(&self, path: &Path) -> Result<()> {
        self.open()?;
        let listener = listener::bind_unix(path)
            .map_err(|e| Error::new(ErrorCode::Listen, format!("listen {}: {e}", path.display())))?;
        self.core().shards[0].send(Command::Listen(listener));
        Ok(())
    }

    /// Closes the listeners; connections stay.
    pub fn stop_listening(&self) {
        self.core().shards[0].send(Command::StopListening);
    }

    /// The namespace of that name; it is created if need be. A missing leading `/` is added.
    ///
    /// # Errors
    /// [`ErrorCode::Name`] for a name with a comma, which the protocol can't carry.
    pub fn namespace(&self, name: &str) -> Result<Namespace> {
        self.create_namespace(name, false)
    }

    /// [`Server::namespace`] whose clients wait for [`Server::accept`] from the first on; see
    /// [`Namespace::set_decide`].
    ///
    /// # Errors
    /// As [`Server::namespace`].
    pub fn deciding_namespace(&self, name: &str) -> Result<Namespace> {
        let namespace = self.create_namespace(name, true)?;
        namespace.set_decide(true);
        Ok(namespace)
    }

    fn create_namespace(&self, name: &str, decide: bool) -> Result<Namespace> {
        if name.contains(',') {
            return Err(Error::new(
                ErrorCode::Name,
                format!("namespace: expected a name without commas, got {name:?}"),
            ));
        }
        let name = if name.starts_with('/') { name.to_owned() } else { format!("/{name}") };
        Ok(Namespace(self.core().namespaces.create(&name, decide)))
    }

    /// Forgets a namespace: later CONNECTs to it are refused; sockets in it stay.
    pub fn remove_namespace(&self, name: &str) {
        self.core().namespaces.remove(name);
    }

    pub(super) fn shard_of(&self, socket: SocketHandle) -> Option<&ShardSender> {
        self.core().shards.get(socket.shard())
    }

    pub(super) fn tell(&self, socket: SocketHandle, command: Command) {
        if let Some(shard) = self.shard_of(socket) {
            shard.send(command);
        }
    }

    /// Hands over what `act` sends and asks for in one go when it is done, in the order of the calls: cheaper
    /// than one by one, and the threads of the server start on it when all of it is there. Only calls on this
    /// thread are meant. Within `act` nothing must wait for an answer.
    pub fn together<T>(&self, act: impl FnOnce() -> T) -> T {
        // The recovery journal numbers messages, and each shard must get them in that order.
        if self.core().recovery.is_some() {
            return act();
        }
        shard::together(&self.core().shards, act)
    }

    /// Accepts a socket whose `Connect` was `pending`.
    pub fn accept(&self, socket: SocketHandle) {
        self.tell(socket, Command::Accept(socket));
    }

    /// Refuses a socket whose `Connect` was `pending`. `error` is JSON: `{"message": …, "data": …}`.
    pub fn reject(&self, socket: SocketHandle, error: &str) {
        self.tell(socket, Command::Reject(socket, error.into()));
    }

    /// Queues a payload of `bytes` for a shard, within `commandQueueBytes`.
    pub(super) fn send(&self, shard: &ShardSender, bytes: usize, outgoing: Outgoing) -> Result<()> {
        let weight = bytes + COMMAND_BYTES;
        shard.queued.fetch_add(weight, Ordering::Relaxed);
        if shard.send(Command::Send(weight, outgoing)) { Ok(()) } else { Err(Error::closed()) }
    }

    /// Refuses when a queue has no room for a payload of `bytes`.
    pub(super) fn room_for(&self, shards: &[ShardSender], bytes: usize) -> Result<()> {
        self.open()?;
        let weight = bytes + COMMAND_BYTES;
        let limit = self.core().options.command_queue_bytes;
        let full = shards.iter().any(|s| {
            let queued = s.queued.load(Ordering::Relaxed);
            queued > 0 && queued + weight > limit
        });
        if full {
            return Err(Error::new(
                ErrorCode::QueueFull,
                format!("commandQueueBytes: more than {limit} bytes wait for a shard; nothing was sent"),
            ));
        }
        Ok(())
    }

    pub(super) fn event(
        &self,
        nsp: &Namespace,
        id: Option<u64>,
        data: &str,
        attachments: &[Bytes],
        flags: EmitFlags,
    ) -> Result<Frame> {
        let packet = Packet { ack: false, id, data, attachments };
        encode::message(self.core().options.parser, nsp.name(), packet, flags.compress)
    }

    /// Queues an encoded packet for one socket.
    pub(super) fn emit_frame(
        &self,
        socket: SocketHandle,
        frame: Frame,
        flags: EmitFlags,
        ack: Option<(u64, Option<Duration>)>,
    ) -> Result<()> {
        let Some(shard) = self.shard_of(socket) else { return Ok(()) };
        self.room_for(std::slice::from_ref(shard), frame.len())?;
        let weight = frame.len();
        self.send(
            shard,
            weight,
            Outgoing::Emit(EmitTo { socket, frame: Arc::new(frame), flags, ack, entry: 0 }),
        )
    }

    /// Sends an event to one socket. `data` is a JSON array `["event", …]`.
    ///
    /// # Errors
    /// [`ErrorCode::Payload`], [`ErrorCode::QueueFull`], [`ErrorCode::Closed`]. A socket that is gone is no error.
    pub fn emit(
        &self,
        nsp: &Namespace,
        socket: SocketHandle,
        data: &str,
        attachments: Vec<Bytes>,
        flags: EmitFlags,
    ) -> Result<()> {
        if self.keeps(flags) {
            return self.emit_kept(nsp, socket, data, &attachments, flags);
        }
        if self.needs_offset(data) {
            return self.emit_with_offset(nsp, socket, data, &attachments, flags);
        }
        let frame = self.event(nsp, None, data, &attachments, flags)?;
        self.emit_frame(socket, frame, flags, None)
    }

    /// Sends an event that the client shall acknowledge; [`Event::Ack`](super::Event::Ack) or, with a
    /// `timeout`, [`Event::AckTimeout`](super::Event::AckTimeout) carries the returned id.
    ///
    /// # Errors
    /// As [`Server::emit`].
    pub fn emit_with_ack(
        &self,
        nsp: &Namespace,
        socket: SocketHandle,
        data: &str,
        attachments: Vec<Bytes>,
        flags: EmitFlags,
        timeout: Option<Duration>,
    ) -> Result<u64> {
        let id = self.core().ack_ids.fetch_add(1, Ordering::Relaxed);
        let frame = self.event(nsp, Some(id), data, &attachments, flags)?;
        self.emit_frame(socket, frame, flags, Some((id, timeout)))?;
        Ok(id)
    }

    /// Answers an event that asked for an ack. `data` is a JSON array of the arguments.
    ///
    /// # Errors
    /// As [`Server::emit`].
    pub fn ack(
        &self,
        nsp: &Namespace,
        socket: SocketHandle,
        id: u64,
        data: &str,
        attachments: Vec<Bytes>,
    ) -> Result<()> {
        let packet = Packet { ack: true, id: Some(id), data, attachments: &attachments };
        let frame = encode::message(self.core().options.parser, nsp.name(), packet, true)?;
        self.emit_frame(socket, frame, EmitFlags::default(), None)
    }

    /// Sends an event to everybody that `target` means, on all nodes of the fleet unless `flags.local`. It is encoded once; the cost for the caller does
    /// not depend on the number of recipients.
    ///
    /// # Errors
    /// As [`Server::emit`].
    pub fn publish(
        &self,
        nsp: &Namespace,
        target: Target,
        data: &str,
        attachments: Vec<Bytes>,
        flags: EmitFlags,
    ) -> Result<()> {
        let Some(cluster) = self.cluster(flags.local) else {
            return self.publish_here(nsp, target, data, &attachments, flags);
        };
        self.publish_here(nsp, target.clone(), data, &attachments, flags)?;
        cluster.broadcast(nsp, target, data, attachments, flags);
        Ok(())
    }

    /// [`Server::publish`] to the clients of this process.
    pub(crate) fn publish_here(
        &self,
        nsp: &Namespace,
        target: Target,
        data: &str,
        attachments: &[Bytes],
        flags: EmitFlags,
    ) -> Result<()> {
        if self.keeps(flags) {
            return self.publish_kept(nsp, target, data, attachments, flags);
        }
        if self.needs_offset(data) {
            return self.publish_with_offset(nsp, target, data, attachments, flags);
        }
        let frame = self.event(nsp, None, data, attachments, flags)?;
        self.publish_frame(nsp, target, frame, flags, None)
    }

    /// [`Server::publish`] with acks: [`Event::BroadcastAck`](super::Event::BroadcastAck) brings all
    /// answers, or those that came before `timeout`.
    ///
    /// # Errors
    /// As [`Server::emit`].
    pub fn publish_with_ack(
        &self,
        nsp: &Namespace,
        target: Target,
        data: &str,
        attachments: Vec<Bytes>,
        flags: EmitFlags,
        timeout: Duration,
    ) -> Result<u64> {
        let id = self.next_ack_id();
        let shards = self.core().shards.len();
        let Some(cluster) = self.cluster(flags.local) else {
            let acks = BroadcastAcks::new(id, shards, false, &self.core().answers);
            self.ask_here(nsp, target, data, &attachments, flags, (id, acks, timeout))?;
            return Ok(id);
        };
        let acks = BroadcastAcks::new(id, shards, true, &self.core().answers);
        self.ask_here(nsp, target.clone(), data, &attachments, flags, (id, acks.clone(), timeout))?;
        cluster.ask_clients(nsp, target, data, attachments, flags, (acks, timeout));
        Ok(id)
    }

    /// A number that no emit of this server has: for a host that asks others too.
    pub fn next_ack_id(&self) -> u64 {
        self.core().ack_ids.fetch_add(1, Ordering::Relaxed)
    }

    /// A broadcast to the clients of this process with acks: under which id, who collects them, for how long.
    pub(crate) fn ask_here(
        &self,
        nsp: &Namespace,
        target: Target,
        data: &str,
        attachments: &[Bytes],
        flags: EmitFlags,
        acks: (u64, Arc<BroadcastAcks>, Duration),
    ) -> Result<()> {
        let frame = self.event(nsp, Some(acks.0), data, attachments, flags)?;
        self.publish_frame(nsp, target, frame, flags, Some(acks))
    }

    pub(super) fn publish_frame(
        &self,
        nsp: &Namespace,
        target: Target,
        frame: Frame,
        flags: EmitFlags,
        acks: Option<(u64, Arc<BroadcastAcks>, Duration)>,
    ) -> Result<()> {
        let core = self.core();
        let weight = frame.len();
        self.room_for(&core.shards, weight)?;
        self.to_shards(&Publish {
            nsp: nsp.0.clone(),
            target: Arc::new(target),
            frame: Arc::new(frame),
            flags,
            timeout: acks.as_ref().map(|(_, _, timeout)| *timeout),
            acks: acks.map(|(id, acks, _)| (id, acks)),
            entry: 0,
        })
    }

    /// Queues a broadcast for every shard.
    pub(super) fn to_shards(&self, publish: &Publish) -> Result<()> {
        let weight = publish.frame.len() + COMMAND_BYTES;
        let shards = &self.core().shards;
        if shards.iter().any(ShardSender::is_closed) {
            return Err(Error::closed());
        }
        let sent = ShardSender::send_all(shards, |shard| {
            shard.queued.fetch_add(weight, Ordering::Relaxed);
            Command::Send(weight, Outgoing::Publish(publish.clone()))
        });
        if sent { Ok(()) } else { Err(Error::closed()) }
    }

    /// Adds a socket to rooms.
    pub fn join(&self, socket: SocketHandle, rooms: &[&str]) {
        if let Some(shard) = self.shard_of(socket) {
            shard.send_join(Command::Join(socket, names(rooms)));
        }
    }

    /// Takes a socket out of rooms.
    pub fn leave(&self, socket: SocketHandle, rooms: &[&str]) {
        self.tell(socket, Command::Leave(socket, names(rooms)));
    }

    /// Takes a socket out of all rooms, also the one named by its own id.
    pub fn leave_all(&self, socket: SocketHandle) {
        self.tell(socket, Command::LeaveAll(socket));
    }

    /// Gives every shard a command about a room expression.
    fn all(&self, command: impl Fn() -> Command) {
        ShardSender::send_all(&self.core().shards, |_| command());
    }

    /// Adds all sockets that `target` means to rooms; in the whole fleet unless `local`.
    pub fn sockets_join(&self, nsp: &Namespace, target: Target, rooms: &[&str], local: bool) {
        if let Some(cluster) = self.cluster(local) {
            cluster.join(nsp, target.clone(), names(rooms).into());
        }
        let (target, rooms): (_, Arc<[_]>) = (Arc::new(target), names(rooms).into());
        for shard in &self.core().shards {
            shard.send_join(Command::SocketsJoin(nsp.0.clone(), target.clone(), rooms.clone()));
        }
    }

    /// Takes all sockets that `target` means out of rooms; in the whole fleet unless `local`.
    pub fn sockets_leave(&self, nsp: &Namespace, target: Target, rooms: &[&str], local: bool) {
        if let Some(cluster) = self.cluster(local) {
            cluster.leave(nsp, target.clone(), names(rooms).into());
        }
        let (target, rooms): (_, Arc<[_]>) = (Arc::new(target), names(rooms).into());
        self.all(|| Command::SocketsLeave(nsp.0.clone(), target.clone(), rooms.clone()));
    }

    /// What another node's [`Server::sockets_join`] or [`Server::sockets_leave`] means here.
    pub(crate) fn move_for_others(&self, nsp: &Namespace, target: Target, rooms: Vec<Box<str>>, join: bool) {
        let (target, rooms): (_, Arc<[_]>) = (Arc::new(target), rooms.into());
        for shard in &self.core().shards {
            shard.send_join(Command::MoveSockets(nsp.0.clone(), target.clone(), rooms.clone(), join));
        }
    }

    /// Disconnects all sockets that `target` means, with `close` their whole connections; in the whole fleet
    /// unless `local`.
    pub fn disconnect_sockets(&self, nsp: &Namespace, target: Target, close: bool, local: bool) {
        if let Some(cluster) = self.cluster(local) {
            cluster.disconnect(nsp, target.clone(), close);
        }
        let target = Arc::new(target);
        self.all(|| Command::DisconnectSockets(nsp.0.clone(), target.clone(), close));
    }

    /// Disconnects one socket, with `close` its whole connection. What was sent to it before arrives first, also on a client
    /// that is upgrading. To tell the client why, send it `["disconnect_reason", …]` before: the Node package does so too.
    pub fn disconnect(&self, socket: SocketHandle, close: bool) {
        self.tell(socket, Command::Disconnect(socket, close));
    }

    /// Closes a connection, by its number, as the engine does (`forced close`): without a Socket.IO
    /// DISCONNECT, so that clients reconnect.
    pub fn close_connection(&self, conn: u64) {
        self.tell(SocketHandle(conn), Command::CloseConnection(conn));
    }

    /// Changes which questions the host is asked; connections under way may still miss or meet the old ones.
    pub fn set_hooks(&self, hooks: Hooks) {
        self.core().hooks.set(hooks);
        if let Some(recovery) = &self.core().recovery {
            recovery.lock().tell(hooks.sessions);
        }
    }

    /// The questions the host is asked now.
    pub fn hooks(&self) -> Hooks {
        self.core().hooks.get()
    }

    /// Attaches JSON to a socket, for [`Server::fetch_sockets`].
    pub fn set_data(&self, socket: SocketHandle, json: &str) {
        self.tell(socket, Command::SetData(socket, json.into()));
    }

    /// Finds the sockets of this process that `target` means.
    pub async fn fetch_sockets(&self, nsp: &Namespace, target: Target) -> Vec<FetchedSocket> {
        let target = Arc::new(target);
        let mut waiting = Vec::new();
        for shard in &self.core().shards {
            let (reply, found) = oneshot::channel();
            shard.send(Command::Fetch(nsp.0.clone(), target.clone(), reply));
            waiting.push(found);
        }
        let mut out = Vec::new();
        for found in waiting {
            // A shard that ended has no sockets.
            out.extend(found.await.unwrap_or_default().into_iter().map(|f| FetchedSocket {
                socket: f.socket,
                id: f.id,
                request: f.request,
                auth: f.auth,
                rooms: f.rooms,
                data: f.data,
            }));
        }
        out
    }

    /// Does any socket of this process sit in that room? Does not count own-id rooms.
    pub fn has_room(&self, nsp: &Namespace, room: &str) -> bool {
        self.core().directory.has(nsp.0.id, room)
    }

    /// Names of the rooms of this process, without own-id rooms.
    pub fn rooms(&self, nsp: &Namespace) -> Vec<Box<str>> {
        self.core().directory.rooms(nsp.0.id)
    }

    /// Serves another certificate from now on; connections that exist go on.
    ///
    /// # Errors
    /// [`ErrorCode::Tls`] if the server has no `tls` option or the new pair can't be used; the old stays.
    pub fn reload_tls(&self, cert: &[u8], key: &[u8]) -> Result<()> {
        match &self.core().tls {
            Some(tls) => tls.reload(cert, key),
            None => Err(Error::new(ErrorCode::Tls, "tls: the server was started without it")),
        }
    }

    /// Ends the server: listeners close, every socket gets `server shutting down`, then the threads end and
    /// [`Event::Closed`](super::Event::Closed) is the last event. Calling it again does nothing.
    pub fn close(&self) {
        close(self.core());
    }

    /// Has [`Server::close`] been called?
    pub fn is_closing(&self) -> bool {
        self.core().is_closing()
    }

    /// Waits for the threads of a closed server to end: after [`Event::Closed`](super::Event::Closed) that is
    /// a matter of microseconds. Does nothing on a server that is not closed.
    pub fn join_threads(&self) {
        if self.is_closing() {
            let threads = std::mem::take(&mut *self.0.threads.lock().unwrap_or_else(|e| e.into_inner()));
            for thread in threads {
                let _ = thread.join(); // one that panicked has ended too
            }
        }
    }
}

fn close(core: &Core) {
    if !core.closing.swap(true, Ordering::AcqRel) {
        if let Some(cluster) = core.fleet.get() {
            cluster.close();
        }
        let holds: Vec<_> = core.shards.iter().map(|_| core.under_way.hold()).collect();
        for (shard, hold) in core.shards.iter().zip(holds) {
            shard.send(Command::Shutdown(hold));
        }
    }
}

/// The last shard thread to end reports [`Event::Closed`].
struct LastOut(Arc<Core>);

impl Drop for LastOut {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.host.push(0, &mut vec![Event::Closed]);
        }
    }
}

fn names(rooms: &[&str]) -> Box<[Box<str>]> {
    rooms.iter().map(|r| Box::from(*r)).collect()
}
