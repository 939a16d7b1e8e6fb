//! Sockets of this node, and the rooms that they are in.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::local::{FetchedSocket, Server};
use crate::shared::command::Command;
use crate::shared::namespaces::Namespace;
use crate::types::change::{Disconnect, Move};
use crate::types::ids::{ConnId, SocketHandle};
use crate::types::target::Target;

impl Server {
    /// Accepts a socket whose `Connect` was `pending`.
    pub fn accept(&self, socket: SocketHandle) {
        self.send_to_socket(socket, Command::Accept(socket));
    }

    /// Refuses a socket whose `Connect` was `pending`. `error` is JSON: `{"message": …, "data": …}`.
    pub fn reject(&self, socket: SocketHandle, error: &str) {
        self.send_to_socket(socket, Command::Reject(socket, error.into()));
    }

    /// Adds a socket to rooms.
    pub fn join(&self, socket: SocketHandle, rooms: &[&str]) {
        if let Some(shard) = self.shard_of(socket) {
            shard.send_join(Command::Join(socket, names(rooms)));
        }
    }

    /// Removes a socket from rooms.
    pub fn leave(&self, socket: SocketHandle, rooms: &[&str]) {
        self.send_to_socket(socket, Command::Leave(socket, names(rooms)));
    }

    /// Removes a socket from all rooms, its own-id room included.
    pub fn leave_all(&self, socket: SocketHandle) {
        self.send_to_socket(socket, Command::LeaveAll(socket));
    }

    /// Reports own-id rooms to the broker: all existing ones, then each change.
    pub(crate) fn show_own_rooms(&self) {
        self.send_to_all(|| Command::ShowOwnRooms);
    }

    /// [`Server::sockets_join`] or [`Server::sockets_leave`] on this node.
    pub(crate) fn move_sockets_here(&self, nsp: &Namespace, target: Target, rooms: Vec<Box<str>>, way: Move) {
        let (target, rooms): (_, Arc<[_]>) = (Arc::new(target), rooms.into());
        self.send_move(way, || Command::MoveSockets(nsp.0.clone(), target.clone(), rooms.clone(), way));
    }

    /// Carries out another node's [`Server::sockets_join`] or [`Server::sockets_leave`] on this node.
    pub(crate) fn move_for_node(&self, nsp: &Namespace, target: Target, rooms: Vec<Box<str>>, way: Move) {
        let (target, rooms): (_, Arc<[_]>) = (Arc::new(target), rooms.into());
        self.send_move(way, || Command::MoveForNode(nsp.0.clone(), target.clone(), rooms.clone(), way));
    }

    /// Queues a command that moves sockets for every shard. Joins are counted: the room directory lags behind them.
    fn send_move(&self, way: Move, command: impl Fn() -> Command) {
        match way {
            Move::Join => self.core().shards.iter().for_each(|shard| shard.send_join(command())),
            Move::Leave => self.send_to_all(command),
        }
    }

    /// [`Server::disconnect_sockets`] on this node.
    pub(crate) fn disconnect_sockets_here(&self, nsp: &Namespace, target: Target, what: Disconnect) {
        let target = Arc::new(target);
        self.send_to_all(|| Command::DisconnectSockets(nsp.0.clone(), target.clone(), what));
    }

    /// Disconnects one socket, or its whole connection. Messages that were sent before arrive first, also on a client
    /// that is upgrading. To tell the client why, send it `["disconnect_reason", …]` before, as the Node package does.
    pub fn disconnect(&self, socket: SocketHandle, what: Disconnect) {
        self.send_to_socket(socket, Command::Disconnect(socket, what));
    }

    /// Closes a connection as the engine does (`forced close`): without a Socket.IO DISCONNECT, so that clients
    /// reconnect.
    pub fn close_connection(&self, conn: ConnId) {
        self.send_to_conn(conn, Command::CloseConnection(conn));
    }

    /// Attaches JSON to a socket, for [`Server::fetch_sockets`].
    pub fn set_data(&self, socket: SocketHandle, json: &str) {
        self.send_to_socket(socket, Command::SetData(socket, json.into()));
    }

    /// Finds the sockets of this process that match `target`.
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

    /// Whether any socket of this process is in that room. Own-id rooms don't count.
    pub fn has_room(&self, nsp: &Namespace, room: &str) -> bool {
        self.core().directory.has(nsp.0.id, room)
    }

    /// Names of the rooms of this process, own-id rooms included.
    pub(crate) async fn all_rooms(&self, nsp: &Namespace) -> Vec<Box<str>> {
        let mut waiting = Vec::new();
        for shard in &self.core().shards {
            let (reply, rooms) = oneshot::channel();
            shard.send(Command::OwnRooms(nsp.0.clone(), reply));
            waiting.push(rooms);
        }
        let mut rooms = Vec::new();
        for own in waiting {
            // A shard that ended has no sockets.
            rooms.extend(own.await.unwrap_or_default());
        }
        // The directory is read last: the shards have then carried out all earlier commands.
        rooms.extend(self.rooms(nsp));
        rooms
    }

    /// Names of the rooms of this process, without own-id rooms.
    pub fn rooms(&self, nsp: &Namespace) -> Vec<Box<str>> {
        self.core().directory.rooms(nsp.0.id)
    }
}

fn names(rooms: &[&str]) -> Box<[Box<str>]> {
    rooms.iter().map(|r| Box::from(*r)).collect()
}
