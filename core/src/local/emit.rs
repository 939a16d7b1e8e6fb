//! Messages for the clients of this node.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;

use crate::engine::frame::Frame;
use crate::local::{COMMAND_BYTES, Server};
use crate::shared::broadcast_acks::BroadcastAcks;
use crate::shared::command::{Command, EmitTo, Outgoing, Publish};
use crate::shared::encode::{self, Packet};
use crate::shared::namespaces::Namespace;
use crate::shared::shard_sender::ShardSender;
use crate::types::error::{Error, ErrorCode, Result};
use crate::types::flags::EmitFlags;
use crate::types::ids::SocketHandle;
use crate::types::target::Target;

impl Server {
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
            return self.emit_recoverable(nsp, socket, data, &attachments, flags);
        }
        if self.needs_offset(data) {
            return self.emit_with_offset(nsp, socket, data, &attachments, flags);
        }
        let frame = self.event(nsp, None, data, &attachments, flags)?;
        self.emit_frame(socket, frame, flags, None)
    }

    /// Sends an event that the client has to acknowledge. [`Event::Ack`](crate::Event::Ack) or, with a `timeout`,
    /// [`Event::AckTimeout`](crate::Event::AckTimeout) carries the returned id.
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
            return self.publish_recoverable(nsp, target, data, attachments, flags);
        }
        if self.needs_offset(data) {
            return self.publish_with_offset(nsp, target, data, attachments, flags);
        }
        let frame = self.event(nsp, None, data, attachments, flags)?;
        self.publish_frame(nsp, target, frame, flags, None)
    }

    /// Reserves an ack id that no emit of this server uses, for a question to or from other nodes.
    pub fn next_ack_id(&self) -> u64 {
        self.core().ack_ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Broadcasts to the clients of this process with acks. `acks` holds the packet id, the collector and the
    /// time-out.
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

    /// Queues a payload of `bytes` for a shard, within `commandQueueBytes`.
    pub(super) fn send(&self, shard: &ShardSender, bytes: usize, outgoing: Outgoing) -> Result<()> {
        let weight = bytes + COMMAND_BYTES;
        shard.queued.fetch_add(weight, Ordering::Relaxed);
        if shard.send(Command::Send(weight, outgoing)) { Ok(()) } else { Err(Error::closed()) }
    }

    /// Fails with [`ErrorCode::QueueFull`] if a queue has no room for a payload of `bytes`. An empty queue takes a
    /// payload of any size, so that one above the limit can still be sent.
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
}
