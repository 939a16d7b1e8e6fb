//! Execution of commands, listeners, and HTTP on new connections.

use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use crate::net::http::Limits;
use crate::net::listener::Listener;
use crate::net::stream::{Peer, RawStream, Stream};
use crate::shard::conn::close::CloseStyle;
use crate::shard::{PAUSE, SHARD, Shard, spawn};
use crate::shared::command::Command;
use crate::shared::figures::ShardStats;
use crate::shared::shard_sender::ShardSender;
use crate::types::change::Move;
use crate::types::reason::Reason;

/// Ends the count of a command that [`ShardSender::send_join`] began, also if the command panics.
struct Joined<'a>(&'a ShardSender);

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        self.0.joined();
    }
}

impl Shard {
    /// Executes one command.
    #[expect(clippy::too_many_lines, reason = "one arm for each command, most of one line")]
    pub(super) fn execute(self: Rc<Self>, command: Command) {
        match command {
            Command::Send(bytes, outgoing) => {
                self.core.shards[self.index].queued.fetch_sub(bytes, Ordering::Relaxed);
                self.with(|s| s.send(outgoing));
            }
            Command::Accept(socket) => self.with(|s| {
                if let Some(slot) = s.socket(socket) {
                    s.accept_socket(slot);
                }
            }),
            Command::Reject(socket, error) => self.with(|s| s.reject_socket(socket, &error)),
            Command::Join(socket, rooms) => {
                let _joined = Joined(&self.core.shards[self.index]);
                self.with(|s| match s.socket(socket) {
                    Some(slot) => {
                        s.join(slot, &rooms);
                        s.confirm(slot, &rooms);
                    }
                    None => s.forward(socket, Command::Join(socket, rooms)),
                });
            }
            Command::Leave(socket, rooms) => self.with(|s| match s.socket(socket) {
                Some(slot) => {
                    s.leave(slot, &rooms);
                    s.confirm(slot, &rooms);
                }
                None => s.forward(socket, Command::Leave(socket, rooms)),
            }),
            Command::LeaveAll(socket) => self.with(|s| match s.socket(socket) {
                Some(slot) => {
                    let rooms = s.leave_all(slot);
                    s.confirm(slot, &rooms);
                }
                None => s.forward(socket, Command::LeaveAll(socket)),
            }),
            Command::MoveSockets(nsp, target, rooms, way) => {
                let _joined = (way == Move::Join).then(|| Joined(&self.core.shards[self.index]));
                self.with(|s| s.move_sockets(&nsp, &target, &rooms, way));
            }
            Command::MoveForNode(nsp, target, rooms, way) => {
                let _joined = (way == Move::Join).then(|| Joined(&self.core.shards[self.index]));
                self.with(|s| s.move_for_node(&nsp, &target, &rooms, way));
            }
            Command::DisconnectSockets(nsp, target, what) => {
                self.with(|s| s.disconnect_sockets(&nsp, &target, what));
            }
            Command::Disconnect(socket, what) => self.with(|s| match s.socket(socket) {
                Some(slot) => s.disconnect_socket(slot, what),
                None => s.forward(socket, Command::Disconnect(socket, what)),
            }),
            Command::CloseConnection(number) => self.with(|s| {
                if let Some(key) = s.conn_of(number) {
                    s.close_conn(key, Reason::ForcedClose, "", CloseStyle::Close);
                }
            }),
            Command::Supersede(socket, reply) => {
                self.with(|s| s.supersede(socket));
                let _ = reply.send(());
            }
            Command::Fetch(nsp, target, reply) => {
                let _ = reply.send(self.with(|s| s.fetch(&nsp, &target)));
            }
            Command::OwnRooms(nsp, reply) => {
                let _ = reply.send(self.with(|s| s.own_rooms(nsp.id)));
            }
            Command::ShowOwnRooms => self.with(|s| s.show_own_rooms()),
            Command::SetData(socket, data) => self.with(|s| match s.socket(socket) {
                Some(slot) => s.sockets[slot].extras.get_or_insert_default().data = data,
                None => s.forward(socket, Command::SetData(socket, data)),
            }),
            Command::Listen(listener) => self.listen(listener),
            Command::Serve { stream, prefix, peer, tls, tag } => {
                let panics = self.core.host.panics.clone();
                tokio::task::spawn_local(async move {
                    panics.catch_in(SHARD, pin!(serve(self, stream, prefix, peer, tls, tag))).await;
                });
            }
            Command::PassedIn(passed) => {
                spawn(self.clone(), super::http::route::passed_in(self, *passed));
            }
            Command::Poll { sid, shape, reply } => self.with(|s| s.poll(sid, shape, reply)),
            Command::PollAborted { sid } => self.with(|s| s.poll_aborted(sid)),
            Command::PostBegin { sid, binary, shape, reply } => {
                self.with(|s| s.post_begin(sid, binary, shape, reply));
            }
            Command::Post { sid, body, binary } => self.with(|s| s.post(sid, &body, binary)),
            Command::PostEnded { sid, end } => self.with(|s| s.post_ended(sid, end)),
            Command::Lookup { sid, reply } => {
                let _ = reply.send(self.with(|s| s.lookup(sid)));
            }
            Command::Upgraded { sid, stream, rest, agreed } => {
                if let Ok((stream, _)) = stream.register(rest) {
                    self.with(|s| s.probe(sid, stream, Bytes::new(), agreed));
                }
            }
            Command::Resume => self.with(super::state::State::resume),
            Command::Relieve => self.with(super::state::State::relieve),
            Command::StopListening => self.with(|s| s.accepting.drain(..).for_each(|task| task.abort())),
            Command::Raw(command) => self.with(|s| s.raw_command(command)),
            Command::Watch { conn, on } => self.with(|s| s.watch(conn, on)),
            // `take_commands` handles these two before it calls this.
            Command::Batch(_) | Command::Shutdown(_) => {}
        }
    }

    /// Accepts connections on this shard and distributes them over all shards.
    fn listen(self: Rc<Self>, listener: Listener) {
        let core = self.core.clone();
        let tls = core.tls.is_some();
        let task = tokio::task::spawn_local(async move {
            // While the host queue is full, the listener does not accept: events of new connections would take more
            // memory.
            let ready = async || core.host.room().await;
            let on = |stream| {
                let shard = &core.shards[core.pick()];
                shard.send(Command::Serve { stream, prefix: Bytes::new(), peer: None, tls, tag: 0 });
            };
            let accepting = match listener.register() {
                Ok(accepting) => accepting,
                Err(error) => return tracing::error!(%error, "a listener ended"),
            };
            while core.host.panics.catch_in(SHARD, pin!(accepting.accept_all(&ready, &on))).await.is_none() {
                tokio::time::sleep(PAUSE).await;
            }
        });
        self.with(|s| s.accepting.push(task.abort_handle()));
    }
}

/// Counts an HTTP connection while it is open.
struct Wire<'a>(&'a ShardStats);

impl<'a> Wire<'a> {
    fn new(shard: &'a Shard) -> Self {
        let stats = &shard.core.shards[shard.index].stats;
        stats.wires.add(1);
        Self(stats)
    }
}

impl Drop for Wire<'_> {
    fn drop(&mut self) {
        self.0.wires.sub(1);
    }
}

/// Serves HTTP on a new connection until it becomes a WebSocket or ends.
async fn serve(shard: Rc<Shard>, raw: RawStream, prefix: Bytes, known: Option<Peer>, tls: bool, tag: u64) {
    let introduced = !prefix.is_empty();
    let Ok((mut stream, found)) = raw.register(prefix) else { return };
    let _wire = Wire::new(&shard);
    let mut peer = known.unwrap_or(found);
    peer.introduced = introduced;
    peer.tag = tag;
    let options = &shard.core.options;
    let limits = Limits {
        headers_timeout: options.headers_timeout,
        keep_alive_timeout: options.keep_alive_timeout,
        max_header_bytes: options.max_header_bytes,
    };
    if let Some(state) = shard.core.tls.as_ref().filter(|_| tls) {
        match stream.into_tcp() {
            Ok(tcp) => {
                let handshake = tokio::time::timeout(limits.headers_timeout, state.accept(tcp));
                match handshake.await {
                    Ok(Ok(tls)) => stream = Stream::from_tls(tls),
                    _ => return,
                }
                peer.secure = true;
            }
            // TLS is for TCP listeners; a Unix socket is local and stays plain.
            Err(plain) => stream = plain,
        }
    }
    let peer = Rc::new(peer);
    let handler = |request| super::http::route::answer(shard.clone(), request, peer.clone());
    crate::net::http::serve(stream, limits, handler).await;
}
