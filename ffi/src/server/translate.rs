//! Translation of the core's events into the host's.

use std::sync::Arc;

use kraken_ws_core::{Disconnect, Event, Reply, RequestInfo, SocketHandle, pass};

use super::host::Host;
use super::namespaces::number;
use super::remote_calls::Answers;
use crate::event::{Content, HostEvent, Question, SharedEvent, kraken_ws_event_kind as Kind};

impl Host {
    /// The host's event for one of the core, after the modules' filters; `None` if the host does not get it.
    pub(crate) fn admit(self: &Arc<Self>, event: Event) -> Option<SharedEvent> {
        let last = matches!(event, Event::Closed);
        let admitted = self.caught(|| self.filtered(event)).flatten();
        // The host waits for the last event, so `Closed` is delivered even after a panic.
        admitted.or_else(|| last.then(|| self.event(Kind::Closed).shared()))
    }

    fn filtered(self: &Arc<Self>, event: Event) -> Option<SharedEvent> {
        let event = pass(&[&self.sockets, &self.modules], self.translate(event)?.shared())?;
        if event.kind == Kind::Connect && !self.decides && event.is_pending() {
            let _ = event.accept();
        }
        Some(event)
    }

    fn translate(self: &Arc<Self>, event: Event) -> Option<HostEvent> {
        let translated = match event {
            Event::Connect { socket, nsp, id, request, auth, pending, .. } => {
                let Some(index) = self.namespaces.index(&nsp) else {
                    // The namespace has just been removed.
                    self.server.disconnect(socket, Disconnect::Socket);
                    return None;
                };
                let mut out = self.event(Kind::Connect);
                out.socket = number(socket, index);
                (out.id, out.namespace) = (id.as_ref().into(), nsp);
                (out.request, out.auth) = (Some(request), auth);
                self.sockets.insert(out.socket, out.id.clone(), out.namespace.clone());
                if pending { out.asking(Question::Connect) } else { out }
            }
            Event::Event { socket, data, attachments, ack } => {
                let mut out = self.socket_event(Kind::Event, socket);
                out.content = Content::event(data, attachments);
                out.asking(ack.map_or(Question::None, Question::Ack))
            }
            Event::Disconnect { socket, reason, .. } => {
                let mut out = self.socket_event(Kind::Disconnect, socket);
                out.reason = Some(reason);
                out
            }
            Event::Http { request, body, reply } => {
                let mut out = self.request_event(Kind::Http, request, reply, Question::Http);
                out.content.attachments = vec![body];
                out
            }
            Event::AllowRequest { request, reply, .. } => {
                self.request_event(Kind::AllowRequest, request, reply, Question::Allow)
            }
            Event::Headers { request, reply } => {
                self.request_event(Kind::Headers, request, reply, Question::Headers)
            }
            Event::Engine { request, reply } => {
                self.request_event(Kind::Engine, request, reply, Question::Engine)
            }
            Event::Room { change, nsp, room, socket } => {
                let mut out = self.event(Kind::Room);
                (out.namespace, out.room) = (nsp, Some((change, room)));
                if let Some((number, id, _)) = socket.and_then(|socket| self.sockets.find(socket)) {
                    (out.socket, out.id) = (number, id);
                }
                out
            }
            Event::ServerSide { nsp, data, attachments, reply } => {
                let mut out = self.event(Kind::ServerSide);
                (out.namespace, out.content) = (nsp, Content::event(data, attachments));
                out.asking(reply.map_or(Question::None, Question::ServerSide))
            }
            Event::SessionEnd { socket, nsp, id, .. } => {
                let mut out = self.event(Kind::SessionEnd);
                if let Some(index) = self.namespaces.index(&nsp) {
                    out.socket = number(socket, index);
                }
                (out.namespace, out.id) = (nsp, id.into());
                out
            }
            Event::Cluster { change } => {
                let mut out = self.event(Kind::Cluster);
                out.cluster = Some(change);
                out
            }
            Event::Closed => self.event(Kind::Closed),
            Event::ConnectionError { request, refusal, .. } => {
                self.log.refused(&request, refusal);
                return None;
            }
            other => return self.translate_ack(other),
        };
        Some(translated)
    }

    fn translate_ack(self: &Arc<Self>, event: Event) -> Option<HostEvent> {
        let translated = match event {
            Event::Ack { socket, id, data, attachments } => {
                let mut out = self.socket_event(Kind::Ack, socket);
                (out.ack_id, out.content) = (id, Content::answer(data, attachments));
                out
            }
            Event::AckTimeout { socket, id, gone } => {
                let mut out = self.socket_event(Kind::Ack, socket);
                (out.ack_id, out.timed_out, out.reason) = (id, true, gone);
                out
            }
            Event::BroadcastAck { id, timed_out, expected, missing, responses, .. } => {
                let mut out = self.event(Kind::BroadcastAck);
                (out.ack_id, out.timed_out) = (id, timed_out);
                (out.expected, out.missing) = (expected, missing);
                out.content = Content::of_answers(responses);
                out
            }
            // C has no kind for the others: most need a hook that a C host can't set.
            _ => return None,
        };
        Some(translated)
    }

    /// Events for the remote calls that other nodes have answered; up to `max`.
    pub(crate) fn remote_answers(self: &Arc<Self>, max: usize) -> Vec<SharedEvent> {
        let event = |(id, fleet): (u64, Answers)| {
            let mut out = self.event(Kind::ServerSideAck);
            (out.ack_id, out.timed_out) = (id, fleet.missing > 0);
            (out.expected, out.missing) = (fleet.expected, fleet.missing);
            out.missing_nodes = fleet.missing_nodes;
            out.content = Content::of_answers(fleet.answers);
            out.shared()
        };
        let panicked = |panic| self.server.panicked("host", panic);
        self.remote_calls.answered(max, panicked).into_iter().map(event).collect()
    }

    fn event(self: &Arc<Self>, kind: Kind) -> HostEvent {
        HostEvent::new(self.clone(), kind)
    }

    /// An event of a socket. Id and namespace come from the socket's entry.
    fn socket_event(self: &Arc<Self>, kind: Kind, socket: SocketHandle) -> HostEvent {
        let mut out = self.event(kind);
        if let Some((socket, id, namespace)) = self.sockets.find(socket) {
            (out.socket, out.id, out.namespace) = (socket, id, namespace);
        } else {
            out.socket = number(socket, 0);
        }
        out
    }

    fn request_event<T>(
        self: &Arc<Self>,
        kind: Kind,
        request: Arc<RequestInfo>,
        reply: Reply<T>,
        question: impl FnOnce(Reply<T>) -> Question,
    ) -> HostEvent {
        let mut out = self.event(kind);
        out.request = Some(request);
        out.asking(question(reply))
    }
}
