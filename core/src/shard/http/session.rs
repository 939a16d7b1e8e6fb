//! Requests that name a session: polls, POSTs, upgrades.

use std::rc::Rc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use hyper::upgrade::OnUpgrade;
use kraken_ws_codec::sid::Id;
use tokio::sync::oneshot;

use crate::engine::verify::Transport;
use crate::engine::{response, verify as rules};
use crate::net::http::Answer;
use crate::options::Hooks;
use crate::shard::Shard;
use crate::shard::http::exchange::{Body, Exchange, gone, read};
use crate::shard::http::handshake::upgraded;
use crate::shared::command::{Command, PostEnd};
use crate::shared::event::Event;
use crate::shared::reply::Reply;
use crate::types::reason::Refusal;

impl Exchange {
    /// Handles a request that names a session.
    pub(super) async fn existing(
        mut self,
        sid: &str,
        transport: Transport,
        body: Body,
        upgrade: Option<OnUpgrade>,
    ) -> Answer {
        let core = self.shard.core.clone();
        let unknown = || vec![("sid", sid.chars().take(64).collect::<String>())];
        let id = core.aliases.resolve(sid);
        let owner = id.and_then(|id| Id::shard(id.as_str())).filter(|shard| *shard < core.shards.len());
        let (Some(owner), Some(id)) = (owner, id) else {
            return self.refuse(Refusal::UnknownSid, None, unknown());
        };
        let upgrade = upgrade.filter(|_| rules::is_upgrade(&self.request));
        // From here on a client that goes away while it polls ends its session. `watch` is declared before the
        // channels: on drop the channels close first, then the command is sent.
        let mut watch = self.watch(owner, Command::PollAborted { sid: id });
        let (reply, found) = oneshot::channel();
        core.shards[owner].send(Command::Lookup { sid: id, reply });
        let Ok(Some((current, protocol))) = found.await else {
            watch.command = None;
            return self.refuse(Refusal::UnknownSid, None, unknown());
        };
        let polls = upgrade.is_none() && &*self.request.method == "GET";
        if !polls || protocol != self.request.protocol || current != self.request.transport {
            watch.command = None;
        }
        if upgrade.is_none() && current != self.request.transport {
            let context = vec![
                ("name", "TRANSPORT_MISMATCH".into()),
                ("transport", self.request.transport.into()),
                ("previousTransport", current.into()),
            ];
            return self.refuse(Refusal::BadRequest, None, context);
        }
        if protocol != self.request.protocol {
            let context = vec![
                ("name", "PROTOCOL_MISMATCH".into()),
                ("protocol", self.request.protocol.to_string()),
                ("previousProtocol", protocol.to_string()),
            ];
            return self.refuse(Refusal::BadRequest, None, context);
        }
        if core.hooks.has(Hooks::HEADERS) {
            let (reply, answer) = Reply::channel();
            let request = self.request.clone();
            self.shard.with(|s| s.event(Event::Headers { request, reply }));
            response::add_headers(&mut self.headers, &answer.await.unwrap_or_default());
        }
        if let Some(upgrade) = upgrade {
            return match transport {
                Transport::WebSocket => self.upgrade(id, owner, upgrade),
                Transport::Polling => self.refuse(Refusal::BadRequest, None, Vec::new()),
            };
        }
        match &*self.request.method {
            "GET" => {
                let (reply, answer) = oneshot::channel();
                let shape = self.shape();
                core.shards[owner].send(Command::Poll { sid: id, shape, reply });
                let answer = answer.await.unwrap_or_else(|_| gone());
                watch.command = None;
                answer
            }
            "POST" => self.post(id, owner, body).await,
            _ => {
                // An unread body would reset the connection, and the client would lose the answer.
                let _ = read(body, &core.options).await;
                response::answer(500, "", Bytes::new(), &self.headers)
            }
        }
    }

    /// Handles a POST of a polling client. The session knows of the POST before its body is read: a second POST at the
    /// same time breaks the protocol, and a session that ends answers the POST.
    pub(super) async fn post(mut self, sid: Id, owner: usize, body: Body) -> Answer {
        let shards = &self.shard.core.shards;
        let binary = self.request.header("content-type") == Some("application/octet-stream");
        // Declared before the channel: on drop the channel closes first, then the command is sent.
        let mut watch = self.watch(owner, Command::PostEnded { sid, end: PostEnd::Gone });
        let (reply, mut answer) = oneshot::channel();
        shards[owner].send(Command::PostBegin { sid, binary, shape: self.shape(), reply });
        let body = tokio::select! {
            biased;
            early = &mut answer => {
                watch.command = None;
                let mut early = early.unwrap_or_else(|_| gone());
                early.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                return early;
            }
            body = read(body, &self.shard.core.options) => body,
        };
        let answer = match body {
            Ok(body) => {
                shards[owner].send(Command::Post { sid, body, binary });
                answer.await.unwrap_or_else(|_| gone())
            }
            Err(status) => {
                let end = if status == 413 { PostEnd::TooLong } else { PostEnd::Gone };
                shards[owner].send(Command::PostEnded { sid, end });
                self.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
                response::answer(status, "", Bytes::new(), &self.headers)
            }
        };
        watch.command = None;
        answer
    }

    fn watch(&self, owner: usize, command: Command) -> Watch {
        Watch { shard: self.shard.clone(), owner, command: Some(command) }
    }

    /// Answers 101 and hands the WebSocket to the session's shard, where it probes the polling session.
    pub(super) fn upgrade(self, sid: Id, owner: usize, upgrade: OnUpgrade) -> Answer {
        let (answer, agreed) = match self.switching() {
            Ok(pair) => pair,
            Err(answer) => return *answer,
        };
        crate::shard::spawn(self.shard.clone(), async move {
            let Some((stream, rest)) = upgraded(upgrade).await else { return };
            if owner == self.shard.index {
                return self.shard.with(|s| s.probe(sid, stream, rest, agreed));
            }
            if let Ok((raw, prefix)) = stream.into_raw() {
                let rest = if prefix.is_empty() { rest } else { [&rest[..], &prefix[..]].concat().into() };
                self.shard.core.shards[owner].send(Command::Upgraded { sid, stream: raw, rest, agreed });
            }
        });
        answer
    }
}

/// Tells the session's shard when the connection under a request goes away.
struct Watch {
    shard: Rc<Shard>,
    owner: usize,
    /// Sent on drop.
    command: Option<Command>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(command) = self.command.take() {
            self.shard.core.shards[self.owner].send(command);
        }
    }
}
