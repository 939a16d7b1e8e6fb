//! A host that speaks Socket.IO itself ([`Options::raw`](crate::Options::raw)): the engine's messages come and go
//! as they are. Rooms are native all the same: the host says which namespaces a connection is a member of and
//! which rooms it joins there, and publishes packets that it has encoded.

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
        self.tell_conn(conn, Command::Raw(command));
    }

    fn raw_send(&self, conn: ConnId, frame: Frame, flags: EmitFlags, more: bool) -> Result<()> {
        let Some(shard) = self.core().shards.get(conn.shard()) else { return Ok(()) };
        let weight = frame.len();
        // A packet that has begun is not torn.
        if !more {
            self.room_for(std::slice::from_ref(shard), weight)?;
        }
        self.send(shard, weight, Outgoing::Raw(RawSend { conn, frame, flags, more }))
    }

    /// Sends a text message to a connection, numbered as in [`Event::Open`](super::Event::Open). `more`: it is a
    /// further frame of the packet that the last message began, and shares its fate: dropped if that was volatile
    /// and dropped, and never refused for want of room.
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

    /// Sends one packet to everybody that `target` means: a text message with binary ones behind it, or without
    /// `text` the one binary message in `attachments`.
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

    /// Ends a connection behind what was sent to it.
    pub fn raw_close(&self, conn: ConnId) {
        self.close_connection(conn);
    }

    /// Puts a connection into rooms of a namespace, and makes it a member of that if it is none. `id` is the public
    /// id that it has there.
    pub fn raw_join(&self, nsp: &Namespace, conn: ConnId, id: &str, rooms: &[&str]) {
        let rooms = rooms.iter().map(|room| Box::from(*room)).collect();
        self.raw(conn, RawCommand::Join { conn, nsp: Arc::clone(&nsp.0), id: id.into(), rooms });
    }

    /// Takes a connection out of a room.
    pub fn raw_leave(&self, nsp: &Namespace, conn: ConnId, room: &str) {
        self.raw(conn, RawCommand::Leave { conn, nsp: nsp.0.id, room: room.into() });
    }

    /// Takes a connection out of a namespace and of all its rooms.
    pub fn raw_remove(&self, nsp: &Namespace, conn: ConnId) {
        self.raw(conn, RawCommand::Remove { conn, nsp: nsp.0.id });
    }

    /// Asks for [`Event::Flushed`](super::Event::Flushed) once everything sent so far has left the connection.
    pub fn raw_notify(&self, conn: ConnId, number: u64) {
        self.raw(conn, RawCommand::Notify { conn, number });
    }
}
