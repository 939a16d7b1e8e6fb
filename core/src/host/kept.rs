//! Messages that are kept for clients that may come back; see `recovery.rs`.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::recovery::To;
use super::{EmitFlags, Namespace, Server, SocketHandle};
use crate::error::Result;
use crate::rooms::Target;
use crate::shard::{EmitTo, Outgoing, Publish};

impl Server {
    /// Whether a message without ack is kept.
    pub(super) fn keeps(&self, flags: EmitFlags) -> bool {
        self.core().recovery.is_some() && !flags.volatile
    }

    /// [`Server::publish`], kept. The journal stays locked until every shard has the command: see `recovery.rs`.
    pub(super) fn publish_kept(
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

    /// [`Server::emit`], kept. A socket whose client is away gets it with what it missed; one whose client is
    /// back under another handle gets it there.
    pub(super) fn emit_kept(
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
