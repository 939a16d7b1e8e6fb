//! The two wire formats, described in `reference/redis-wire.md` of the project.

mod classic;
mod names;
mod seal;
mod shapes;
mod sharded;
mod text;

use std::sync::Arc;

use bytes::Bytes;
use kraken_ws_codec::packet::PacketError;
use seal::Seal;

use crate::cluster::message::{Broadcast, FleetMessage, Incoming, NodeAnswer};
use crate::options::cluster::Mode;

pub(crate) use names::{Names, is_emitter, is_private};

/// A message that can't be parsed; the text is its kind, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub &'static str);

/// Channel and payload of a publish.
pub(crate) type Published = (Box<[u8]>, Bytes);
/// Channel and payload before sealing.
type Written = (Box<[u8]>, Vec<u8>);

/// Encodes and decodes the messages of one node.
pub(crate) struct Wire {
    names: Arc<Names>,
    /// Classic mode: answers go to the channel of the asking node.
    specific: bool,
    seal: Option<Seal>,
}

impl Wire {
    pub(crate) fn new(names: Arc<Names>, specific: bool, secret: Option<&[u8]>) -> Self {
        Self { names, specific, seal: secret.map(Seal::new) }
    }

    fn published(&self, channel: Box<[u8]>, payload: Vec<u8>) -> Published {
        let payload = match &self.seal {
            Some(seal) => seal.put(&channel, payload),
            None => payload,
        };
        (channel, payload.into())
    }

    /// If a secret is set, rejects messages without a valid tag.
    fn admit(&self, channel: &[u8], payload: &[u8]) -> Result<(), Malformed> {
        match &self.seal {
            Some(seal) if !seal.verifies(channel, payload) => Err(Malformed("signature")),
            _ => Ok(()),
        }
    }

    /// Encodes a message to the other nodes. A broadcast to a single room goes to that room's channel, if it has one,
    /// unless `moved` says that nodes may not have subscribed to it yet.
    ///
    /// # Errors
    /// The message can't be encoded: it is nested too deep, or a placeholder has no attachment.
    pub(crate) fn message(
        &self,
        nsp: &str,
        message: &FleetMessage,
        moved: impl Fn(&str) -> bool,
    ) -> Result<Published, PacketError> {
        let (channel, payload) = match self.names.mode {
            Mode::Classic => classic::message(&self.names, nsp, message),
            Mode::Sharded => sharded::message(&self.names, nsp, message, moved),
        }?;
        Ok(self.published(channel, payload))
    }

    /// Encodes an answer to request `id` of node `to`.
    ///
    /// # Errors
    /// As [`Wire::message`].
    pub(crate) fn answer(
        &self,
        nsp: &str,
        to: Option<&str>,
        id: &str,
        answer: &NodeAnswer,
    ) -> Result<Published, PacketError> {
        let payload = match self.names.mode {
            Mode::Classic => classic::answer(&self.names, id, answer)?,
            Mode::Sharded => sharded::answer(&self.names, nsp, id, answer)?,
        };
        // Answers to server-side emits go to all nodes, whatever the option says, because JavaScript nodes do the
        // same.
        let specific = match self.names.mode {
            Mode::Classic => self.specific && !matches!(answer, NodeAnswer::ServerSide { .. }),
            Mode::Sharded => true,
        };
        let channel = match to {
            Some(to) if specific => self.names.answers_to(nsp, to),
            _ => self.names.answers(nsp),
        };
        Ok(self.published(channel, payload))
    }

    /// Encodes the answer to a [`FleetMessage::Hello`], which announces this node.
    ///
    /// # Errors
    /// As [`Wire::message`].
    pub(crate) fn greeting(&self, nsp: &str, to: &str) -> Result<Published, PacketError> {
        let payload = match self.names.mode {
            Mode::Classic => classic::answer(&self.names, "hello", &NodeAnswer::Done)?,
            Mode::Sharded => sharded::answer(&self.names, nsp, "hello", &NodeAnswer::Done)?,
        };
        Ok(self.published(self.names.answers_to(nsp, to), payload))
    }

    /// Classic mode: decodes a broadcast received through the pattern of a namespace. `None` if it is our own or
    /// belongs to another namespace.
    pub(crate) fn read_broadcast(
        &self,
        nsp: &str,
        channel: &[u8],
        payload: &[u8],
    ) -> Result<Option<(Box<str>, Broadcast)>, Malformed> {
        self.admit(channel, payload)?;
        classic::read_broadcast(&self.names.uid, nsp, payload)
    }

    /// Decodes a message from any other channel, with its namespace: that of the channel, or in sharded mode that in
    /// the message. `None` if it is our own or does not concern this node.
    pub(crate) fn read(
        &self,
        nsp: &Arc<str>,
        channel: &[u8],
        payload: &[u8],
        kind: Kind,
    ) -> Result<Option<(Arc<str>, Incoming)>, Malformed> {
        self.admit(channel, payload)?;
        let own = &self.names.uid;
        match kind {
            Kind::Request => Ok(classic::read_request(own, payload)?.map(|read| (nsp.clone(), read))),
            Kind::Answer => Ok(classic::read_answer(own, payload)?.map(|read| (nsp.clone(), read))),
            Kind::Sharded => sharded::read(own, payload),
        }
    }
}

/// The kind of the messages of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Requests (classic mode).
    Request,
    /// Answers (classic mode).
    Answer,
    /// Any message (sharded mode).
    Sharded,
}

#[cfg(test)]
mod tests;
