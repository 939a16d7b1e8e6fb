//! Core → JavaScript. A batch has three parts: numbers in a lane array, payloads as one JSON text that JavaScript
//! parses with one call, and attachments. Payloads are inserted as the client sent them.
//!
//! Lanes per event: kind, socket (slot and shard), socket generation, number. Lane 0 holds the number of events, lane
//! 1 the number of attachments, lane 2 whether more events wait, lane 3 the free bytes of the core's command queues;
//! the events start at lane 4.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use kraken_ws_core::{Event, HttpReply, RequestInfo, SocketHandle};

use crate::exports::answers::{Question, Questions};
use crate::parts::handshake::{quote, request_json};
use crate::parts::wire::{event as kind, lane};

/// Lanes of one event, and of the head.
pub(super) const LANES: usize = lane::EVENT as usize;
/// Events in one batch: enough to make the crossing cheap, few enough that timers and other sockets of the
/// host get their turn in between.
pub(super) const BATCH: usize = 256;
/// Bytes of text after which a batch ends early; a JavaScript string can't hold 256 of the largest messages.
const TEXT_LIMIT: usize = 4 << 20;
/// Capacity above which the text buffers are freed after a batch.
const KEEP_TEXT: usize = 1 << 20;

/// See [`Batcher::mark`].
pub(crate) struct Mark([usize; 5]);

/// Builds batches; one per server, on the JavaScript thread.
#[derive(Default)]
pub(crate) struct Batcher {
    /// Events taken from the core and not yet given to JavaScript.
    pub pending: VecDeque<Event>,
    /// Remainder of an event whose first part was in the last batch.
    pub rest: Option<Event>,
    /// The JSON array of the last batch.
    pub text: String,
    /// Messages of a raw server, behind the JSON in what JavaScript gets; see `raw.rs`.
    pub messages: String,
    /// The server is raw.
    pub raw: bool,
    /// Where each payload ends in `text`, for the slow path after a payload that JavaScript can't parse.
    pub ends: Vec<usize>,
    /// Attachments of the last batch, until JavaScript takes them.
    pub buffers: Vec<Bytes>,
    /// Request and CONNECT payload of each socket, until JavaScript takes them. Most applications never read them,
    /// and here they are shared with the core.
    handshakes: HashMap<u64, (Arc<RequestInfo>, Box<str>)>,
    /// Events in the last batch.
    count: usize,
}

impl Batcher {
    /// Starts a batch.
    pub(crate) fn begin(&mut self) {
        if self.text.capacity() > KEEP_TEXT {
            self.text = String::new();
        }
        if self.messages.capacity() > KEEP_TEXT {
            self.messages = String::new();
        }
        self.text.clear();
        self.messages.clear();
        self.text.push('[');
        self.ends.clear();
        self.buffers.clear();
        self.count = 0;
    }

    /// Stores the request and CONNECT payload of a socket for `handshake`.
    pub(crate) fn keep_handshake(&mut self, socket: u64, request: Arc<RequestInfo>, auth: Box<str>) {
        self.handshakes.insert(socket, (request, auth));
    }

    /// The handshake of a socket as JSON text; it is returned once.
    pub(crate) fn handshake(&mut self, socket: u64) -> Option<String> {
        self.handshakes.remove(&socket).map(|(request, auth)| request_json(&request, &auth))
    }

    /// Current position in the batch, for [`Batcher::back_to`].
    pub(crate) fn mark(&self) -> Mark {
        let Self { text, messages, ends, buffers, count, .. } = self;
        Mark([text.len(), messages.len(), ends.len(), buffers.len(), *count])
    }

    /// Removes what was added since the mark: an event that could not be written.
    pub(crate) fn back_to(&mut self, Mark([text, messages, ends, buffers, count]): Mark) {
        self.text.truncate(text);
        self.messages.truncate(messages);
        self.ends.truncate(ends);
        self.buffers.truncate(buffers);
        self.count = count;
        self.rest = None;
    }

    /// Whether the batch has no room for another event.
    pub(crate) fn is_full(&self) -> bool {
        self.count == BATCH || self.rest.is_some() || self.text.len() + self.messages.len() > TEXT_LIMIT
    }

    /// Ends the batch and writes its head lanes.
    pub(crate) fn end(&mut self, lanes: &mut [f64], more: bool, room: f64) {
        self.text.push(']');
        self.text.push_str(&self.messages);
        lanes[0] = self.count as f64;
        lanes[1] = self.buffers.len() as f64;
        lanes[2] = f64::from(u8::from(more));
        lanes[3] = room;
    }

    /// The payloads of the last batch, one by one.
    pub(crate) fn payloads(&self) -> Vec<String> {
        let mut start = 1;
        let mut out = Vec::with_capacity(self.ends.len());
        for &end in &self.ends {
            out.push(self.text[start..end].to_owned());
            start = end + 1;
        }
        out
    }

    /// Writes the lanes of an event with a payload, which the caller appends.
    pub(crate) fn lanes(&mut self, lanes: &mut [f64], kind: u8, socket: Option<SocketHandle>, number: f64) {
        self.head(lanes, kind, socket, number);
        if !self.ends.is_empty() {
            self.text.push(',');
        }
    }

    /// Writes the lanes of an event without a payload.
    pub(crate) fn head(&mut self, lanes: &mut [f64], kind: u8, socket: Option<SocketHandle>, number: f64) {
        let at = (self.count + 1) * LANES;
        let handle = socket.map_or(0, |socket| socket.0);
        lanes[at] = f64::from(kind);
        lanes[at + 1] = (handle & 0x1fff_ffff) as f64;
        lanes[at + 2] = (handle >> 29) as f64;
        lanes[at + 3] = number;
        self.count += 1;
    }

    fn payload(&mut self, attachments: Vec<Bytes>, data: &str) {
        // A client may omit the list of arguments.
        let data = if data.is_empty() { "[]" } else { data };
        if attachments.is_empty() {
            self.text.push_str(data);
        } else {
            let _ = write!(self.text, "[{},{data}]", attachments.len());
            self.buffers.extend(attachments);
        }
    }

    /// Writes values with their attachments, and closes the list that they are in.
    fn answers(&mut self, answers: Vec<(Box<str>, Vec<Bytes>)>) {
        for (data, attachments) in answers {
            let _ = write!(self.text, ",{},{data}", attachments.len());
            self.buffers.extend(attachments);
        }
        self.text.push(']');
    }

    /// Writes a response for Node's own HTTP server.
    pub(crate) fn reply(&mut self, lanes: &mut [f64], number: u64, reply: HttpReply) {
        self.lanes(lanes, kind::HTTP_REPLY, None, number as f64);
        let _ = write!(self.text, "[{},[", reply.status);
        for (i, (name, value)) in reply.headers.iter().enumerate() {
            self.text.push_str(if i > 0 { "," } else { "" });
            quote(&mut self.text, name);
            self.text.push(',');
            quote(&mut self.text, value);
        }
        self.text.push_str("]]");
        self.buffers.push(reply.body);
        self.ends.push(self.text.len());
    }

    /// Writes one event of the core.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of event")]
    pub(crate) fn event(&mut self, lanes: &mut [f64], questions: &mut Questions, event: Event) {
        let event = match self.raw {
            true => match self.raw_event(lanes, event) {
                Some(event) => event,
                None => return,
            },
            false => event,
        };
        match event {
            Event::Event { socket, data, attachments, ack } => {
                let kind = if attachments.is_empty() { kind::EVENT } else { kind::EVENT_BINARY };
                self.lanes(lanes, kind, Some(socket), ack.map_or(-1.0, |id| id as f64));
                self.payload(attachments, &data);
            }
            Event::Ack { socket, id, data, attachments } => {
                let kind = if attachments.is_empty() { kind::ACK } else { kind::ACK_BINARY };
                self.lanes(lanes, kind, Some(socket), id as f64);
                self.payload(attachments, &data);
            }
            // JavaScript runs its own ack time-outs, and knows which sockets have left.
            Event::AckTimeout { .. } => return,
            Event::Connect { socket, nsp, id, request, auth, conn, pending, recovered } => {
                self.lanes(lanes, kind::CONNECT, Some(socket), conn.0 as f64);
                self.text.push('[');
                quote(&mut self.text, &nsp);
                self.text.push(',');
                quote(&mut self.text, &id);
                if recovered.is_some() || !pending {
                    let _ = write!(self.text, ",{pending}");
                }
                if let Some(recovered) = recovered {
                    self.text.push_str(",[");
                    for (i, room) in recovered.rooms.iter().enumerate() {
                        self.text.push_str(if i > 0 { "," } else { "" });
                        quote(&mut self.text, room);
                    }
                    self.text.push(']');
                }
                self.text.push(']');
                self.keep_handshake(socket.0, request, auth);
            }
            Event::Disconnect { socket, reason, detail } => {
                self.lanes(lanes, kind::DISCONNECT, Some(socket), f64::from(reason as u8));
                quote(&mut self.text, detail);
            }
            Event::BroadcastAck { id, timed_out, expected, missing, silent, mut responses } => {
                // All answers together may exceed the longest JavaScript string: the first ones go ahead in an event
                // of their own.
                let mut room = TEXT_LIMIT;
                let fit = responses.iter().take_while(|(data, _)| {
                    let before = room;
                    room = room.saturating_sub(data.len());
                    before > 0
                });
                let fit = fit.count();
                if fit < responses.len() {
                    let rest = responses.split_off(fit);
                    self.lanes(lanes, kind::BROADCAST_ANSWERS, None, id as f64);
                    self.text.push_str("[0,0,[]");
                    self.answers(responses);
                    self.rest = Some(Event::BroadcastAck {
                        id,
                        timed_out,
                        expected,
                        missing,
                        silent,
                        responses: rest,
                    });
                } else {
                    self.lanes(lanes, kind::BROADCAST_ACK, None, id as f64);
                    let _ = write!(self.text, "[{timed_out},{missing},");
                    self.names(&silent);
                    self.answers(responses);
                }
            }
            Event::Namespace { name, auth, request, reply } => {
                let number = questions.keep(Question::Namespace(reply));
                self.lanes(lanes, kind::NAMESPACE, None, number as f64);
                self.text.push('[');
                quote(&mut self.text, &name);
                self.text.push(',');
                self.text.push_str(if auth.is_empty() { "{}" } else { &auth });
                self.text.push(',');
                quote(&mut self.text, &request_json(&request, ""));
                self.text.push(']');
            }
            Event::AllowRequest { request, sid, reply } => {
                let number = questions.keep(Question::Allow(reply));
                self.lanes(lanes, kind::ALLOW_REQUEST, None, number as f64);
                self.text.push('[');
                quote(&mut self.text, &sid);
                self.text.push(',');
                quote(&mut self.text, &request_json(&request, ""));
                self.text.push(']');
            }
            Event::Headers { request, reply } => {
                let number = questions.keep(Question::Headers(reply));
                self.lanes(lanes, kind::HEADERS, None, number as f64);
                quote(&mut self.text, &request_json(&request, ""));
            }
            Event::Engine { request, reply } => {
                let number = questions.keep(Question::Engine(reply));
                self.lanes(lanes, kind::ENGINE, None, number as f64);
                quote(&mut self.text, &request_json(&request, ""));
            }
            Event::Cors { request, reply } => {
                let number = questions.keep(Question::Cors(reply));
                self.lanes(lanes, kind::CORS, None, number as f64);
                quote(&mut self.text, &request_json(&request, ""));
            }
            Event::Http { request, body, reply } => {
                let number = questions.keep(Question::Http(reply));
                self.lanes(lanes, kind::HTTP, None, number as f64);
                self.buffers.push(body);
                quote(&mut self.text, &request_json(&request, ""));
            }
            Event::ConnectionError { request, refusal, context } => {
                self.lanes(lanes, kind::CONNECTION_ERROR, None, f64::from(refusal as u8));
                self.text.push('[');
                quote(&mut self.text, refusal.message());
                self.text.push_str(",{");
                for (i, (name, value)) in context.iter().enumerate() {
                    self.text.push_str(if i > 0 { "," } else { "" });
                    quote(&mut self.text, name);
                    self.text.push(':');
                    quote(&mut self.text, value);
                }
                self.text.push_str("},");
                quote(&mut self.text, &request_json(&request, ""));
                self.text.push(']');
            }
            Event::Open { conn, sid, request } => {
                self.lanes(lanes, kind::OPEN, None, conn.0 as f64);
                self.text.push('[');
                quote(&mut self.text, &sid);
                self.text.push(',');
                quote(&mut self.text, &request_json(&request, ""));
                self.text.push(']');
            }
            Event::ConnectionClosed { conn, reason, detail } => {
                self.lanes(lanes, kind::CONNECTION_CLOSED, None, conn.0 as f64);
                let _ = write!(self.text, "[{},", reason as u8);
                quote(&mut self.text, detail);
                self.text.push(']');
            }
            Event::Upgraded { conn } => {
                self.lanes(lanes, kind::UPGRADED, None, conn.0 as f64);
                self.text.push('0');
            }
            Event::Closed => {
                self.lanes(lanes, kind::CLOSED, None, 0.0);
                self.text.push('0');
            }
            other => match self.cluster_event(lanes, questions, other) {
                Some(other) => return self.watched_event(lanes, other),
                None => return,
            },
        }
        self.ends.push(self.text.len());
    }
}
