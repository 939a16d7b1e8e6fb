//! Recoverable messages: the journal keeps them for clients that may reconnect; see `shared/journal`.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::local::Server;
use crate::shared::command::{EmitTo, Outgoing, Publish};
use crate::shared::journal::To;
use crate::shared::namespaces::Namespace;
use crate::types::error::Result;
use crate::types::flags::EmitFlags;
use crate::types::ids::SocketHandle;
use crate::types::target::Target;

impl Server {
    /// Whether the journal keeps a message without ack.
    pub(super) fn keeps(&self, flags: EmitFlags) -> bool {
        self.core().recovery.is_some() && !flags.volatile
    }

    /// Whether a message without ack that the journal does not keep needs an offset: clients take a string as last
    /// argument for the offset.
    pub(super) fn needs_offset(&self, data: &str) -> bool {
        self.core().recovery.is_some()
            && data.strip_suffix(']').is_some_and(|open| open.trim_end().ends_with('"'))
    }

    /// [`Server::publish`] of a volatile message with the current offset. The journal stays locked until every shard
    /// has the command: a recipient has then got all entries up to that offset.
    pub(super) fn publish_with_offset(
        &self,
        nsp: &Namespace,
        target: Target,
        data: &str,
        attachments: &[Bytes],
        flags: EmitFlags,
    ) -> Result<()> {
        let Some(recovery) = &self.core().recovery else { return Ok(()) };
        let journal = recovery.lock();
        let frame = self.event(nsp, None, &journal.with_current_offset(data), attachments, flags)?;
        self.publish_frame(nsp, target, frame, flags, None)
    }

    /// [`Server::emit`] of a volatile message with the current offset.
    pub(super) fn emit_with_offset(
        &self,
        nsp: &Namespace,
        socket: SocketHandle,
        data: &str,
        attachments: &[Bytes],
        flags: EmitFlags,
    ) -> Result<()> {
        let Some(recovery) = &self.core().recovery else { return Ok(()) };
        let journal = recovery.lock();
        let frame = self.event(nsp, None, &journal.with_current_offset(data), attachments, flags)?;
        self.emit_frame(socket, frame, flags, None)
    }

    /// [`Server::publish`] of a message that the journal keeps. The journal stays locked until every shard has the
    /// command; see `shared/journal`.
    pub(super) fn publish_recoverable(
        &self,
        nsp: &Namespace,
        target: Target,
        data: &str,
        attachments: &[Bytes],
        flags: EmitFlags,
    ) -> Result<()> {
        let core = self.core();
        let Some(recovery) = &core.recovery else { return Ok(()) };
        let mut journal = recovery.lock();
        let frame = Arc::new(self.event(nsp, None, &journal.with_offset(data), attachments, flags)?);
        self.room_for(&core.shards, frame.len())?;
        let target = Arc::new(target);
        let entry = journal.append(nsp.0.id, To::Rooms(target.clone()), frame.clone(), Instant::now());
        self.to_shards(&Publish {
            nsp: nsp.0.clone(),
            target,
            frame,
            flags,
            acks: None,
            timeout: None,
            entry,
        })
    }

    /// [`Server::emit`] of a message that the journal keeps. A client that is away gets it on recovery; a client that
    /// is back under another handle gets it there.
    pub(super) fn emit_recoverable(
        &self,
        nsp: &Namespace,
        socket: SocketHandle,
        data: &str,
        attachments: &[Bytes],
        flags: EmitFlags,
    ) -> Result<()> {
        let Some(recovery) = &self.core().recovery else { return Ok(()) };
        let mut journal = recovery.lock();
        let frame = Arc::new(self.event(nsp, None, &journal.with_offset(data), attachments, flags)?);
        self.open()?;
        let Some((pid, here)) = journal.peer(socket) else { return Ok(()) };
        let shard = here.and_then(|here| self.shard_of(here));
        if let Some(shard) = shard {
            self.room_for(std::slice::from_ref(shard), frame.len())?;
        }
        let entry = journal.append(nsp.0.id, To::Peer(pid), frame.clone(), Instant::now());
        match (here, shard) {
            (Some(socket), Some(shard)) => {
                let weight = frame.len();
                self.send(shard, weight, Outgoing::Emit(EmitTo { socket, frame, flags, ack: None, entry }))
            }
            _ => Ok(()),
        }
    }
}
