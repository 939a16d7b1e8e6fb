//! Raw mode, for a host that speaks Socket.IO itself ([`Options::raw`](crate::Options::raw)): the core passes
//! Engine.IO messages through without parsing them. Rooms are native all the same: the host tells the core which
//! namespaces a connection is a member of and which rooms it joins there, and publishes packets that it has encoded.

use std::sync::Arc;

use bytes::Bytes;

use crate::engine::frame::Frame;
use crate::local::Server;
use crate::shared::command::{Command, Outgoing, RawCommand, RawSend};
use crate::shared::namespaces::Namespace;
use crate::types::error::Result;
use crate::types::flags::EmitFlags;
use crate::types::ids::ConnId;
use crate::types::target::Target;

impl Server {
    fn raw(&self, conn: ConnId, command: RawCommand) {
        self.send_to_conn(conn, Command::Raw(command));
    }

    fn raw_send(&self, conn: ConnId, frame: Frame, flags: EmitFlags, more: bool) -> Result<()> {
        let Some(shard) = self.core().shards.get(conn.shard()) else { return Ok(()) };
        let weight = frame.len();
        // Further frames skip the limit: the first frames of their packet are already queued, and a client can't read
        // half a packet.
        if !more {
            self.room_for(std::slice::from_ref(shard), weight)?;
        }
        self.send(shard, weight, Outgoing::Raw(RawSend { conn, frame, flags, more }))
    }

    /// Sends a text message to a connection, which [`Event::Open`](crate::Event::Open) named. With `more` it is a
    /// further frame of the packet that the previous message began. Such a frame is dropped if its packet was
    /// volatile and dropped, and never refused by `commandQueueBytes`.
    ///
    /// # Errors
    /// [`ErrorCode::QueueFull`](crate::ErrorCode::QueueFull), [`ErrorCode::Closed`](crate::ErrorCode::Closed).
    /// A connection that is gone is no error.
    pub fn raw_send_text(&self, conn: ConnId, text: &str, flags: EmitFlags, more: bool) -> Result<()> {
        self.raw_send(conn, Frame::message(b"", text, &[], flags.compress), flags, more)
    }

    /// Sends a binary message; see [`Server::raw_send_text`].
    ///
    /// # Errors
    /// As [`Server::raw_send_text`].
    pub fn raw_send_binary(&self, conn: ConnId, bytes: &[u8], flags: EmitFlags, more: bool) -> Result<()> {
        self.raw_send(conn, Frame::binary(bytes, flags.compress), flags, more)
    }

    /// Sends one packet to the connections that match `target`: a text message followed by binary ones or, without
    /// `text`, the single binary message in `attachments`.
    ///
    /// # Errors
    /// As [`Server::raw_send_text`].
    pub fn raw_publish(
        &self,
        nsp: &Namespace,
        target: Target,
        text: Option<&str>,
        attachments: &[Bytes],
        flags: EmitFlags,
    ) -> Result<()> {
        let frame = match (text, attachments) {
            (Some(text), attachments) => Frame::message(b"", text, attachments, flags.compress),
            (None, [bytes]) => Frame::binary(bytes, flags.compress),
            (None, _) => return Ok(()),
        };
        self.publish_frame(nsp, target, frame, flags, None)
    }

    /// Closes a connection after the messages that were sent to it.
    pub fn raw_close(&self, conn: ConnId) {
        self.close_connection(conn);
    }

    /// Adds a connection to rooms of a namespace, and to the namespace if it is not a member yet. `id` is the public
    /// id of the connection there.
    pub fn raw_join(&self, nsp: &Namespace, conn: ConnId, id: &str, rooms: &[&str]) {
        let rooms = rooms.iter().map(|room| Box::from(*room)).collect();
        self.raw(conn, RawCommand::Join { conn, nsp: Arc::clone(&nsp.0), id: id.into(), rooms });
    }

    /// Removes a connection from a room.
    pub fn raw_leave(&self, nsp: &Namespace, conn: ConnId, room: &str) {
        self.raw(conn, RawCommand::Leave { conn, nsp: nsp.0.id, room: room.into() });
    }

    /// Removes a connection from a namespace and from all its rooms there.
    pub fn raw_remove(&self, nsp: &Namespace, conn: ConnId) {
        self.raw(conn, RawCommand::Remove { conn, nsp: nsp.0.id });
    }

    /// Requests [`Event::Flushed`](crate::Event::Flushed) once everything sent so far has left the connection.
    pub fn raw_notify(&self, conn: ConnId, number: u64) {
        self.raw(conn, RawCommand::Notify { conn, number });
    }
}
