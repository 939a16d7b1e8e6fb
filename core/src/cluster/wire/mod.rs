//! The two wire formats: `reference/redis-wire.md` of the project has them in words.

mod classic;
mod names;
mod seal;
mod shapes;
mod sharded;
mod text;

use std::sync::Arc;

use bytes::Bytes;
use seal::Seal;

use crate::cluster::message::{Answer, Broadcast, Incoming, Message};
use crate::options::cluster::Mode;
use crate::socketio::packet::PacketError;

pub(crate) use names::{Names, is_emitter, is_private};

/// What can't be read; the kind, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub &'static str);

/// What goes to Redis: channel and payload.
pub(crate) type Published = (Box<[u8]>, Bytes);
/// The same before it is sealed.
type Written = (Box<[u8]>, Vec<u8>);

/// Writes and reads for one node.
pub(crate) struct Wire {
    names: Arc<Names>,
    /// Classic: answers go to the channel of the node that asked.
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

    /// With a secret, what does not carry its proof is not read.
    fn admit(&self, channel: &[u8], payload: &[u8]) -> Result<(), Malformed> {
        match &self.seal {
            Some(seal) if !seal.verifies(channel, payload) => Err(Malformed("signature")),
            _ => Ok(()),
        }
    }

    /// A message for the other nodes. A broadcast for one room goes by that room's channel, if it has one, unless
    /// `moved` says that nodes may not listen to it yet.
    ///
    /// # Errors
    /// It can't be written in this format: too deep, or a placeholder that points at nothing.
    pub(crate) fn message(
        &self,
        nsp: &str,
        message: &Message,
        moved: impl Fn(&str) -> bool,
    ) -> Result<Published, PacketError> {
        let (channel, payload) = match self.names.mode {
            Mode::Classic => classic::message(&self.names, nsp, message),
            Mode::Sharded => sharded::message(&self.names, nsp, message, moved),
        }?;
        Ok(self.published(channel, payload))
    }

    /// An answer to the request `id` of the node `to`.
    ///
    /// # Errors
    /// As [`Wire::message`].
    pub(crate) fn answer(
        &self,
        nsp: &str,
        to: Option<&str>,
        id: &str,
        answer: &Answer,
    ) -> Result<Published, PacketError> {
        let payload = match self.names.mode {
            Mode::Classic => classic::answer(&self.names, id, answer)?,
            Mode::Sharded => sharded::answer(&self.names, nsp, id, answer)?,
        };
        // Answers to server-side emits go to all, whatever the option says: as JavaScript nodes do it.
        let specific = match self.names.mode {
            Mode::Classic => self.specific && !matches!(answer, Answer::ServerSide { .. }),
            Mode::Sharded => true,
        };
        let channel = match to {
            Some(to) if specific => self.names.answers_to(nsp, to),
            _ => self.names.answers(nsp),
        };
        Ok(self.published(channel, payload))
    }

    /// What a node that says [`Message::Hello`] hears: that this one is there.
    ///
    /// # Errors
    /// As [`Wire::message`].
    pub(crate) fn greeting(&self, nsp: &str, to: &str) -> Result<Published, PacketError> {
        let payload = match self.names.mode {
            Mode::Classic => classic::answer(&self.names, "hello", &Answer::Done)?,
            Mode::Sharded => sharded::answer(&self.names, nsp, "hello", &Answer::Done)?,
        };
        Ok(self.published(self.names.answers_to(nsp, to), payload))
    }

    /// Classic: what came through the pattern of a namespace. `None`: it is not for this namespace, or our own.
    pub(crate) fn read_broadcast(
        &self,
        nsp: &str,
        channel: &[u8],
        payload: &[u8],
    ) -> Result<Option<(Box<str>, Broadcast)>, Malformed> {
        self.admit(channel, payload)?;
        classic::read_broadcast(&self.names.uid, nsp, payload)
    }

    /// What came to any other channel, and for which namespace: that of the channel, or in sharded mode what the
    /// message itself says. `None`: it is our own, or nothing that concerns this node.
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

/// What a channel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Classic.
    Request,
    /// Classic.
    Answer,
    /// Anything, in sharded mode.
    Sharded,
}

#[cfg(test)]
mod tests;
