//! The other nodes of a server's fleet. A question of JavaScript to them is a future of the core, polled here after
//! its waker was called; a question of another node to JavaScript is a question like others (`answers.rs`).

use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use kraken_ws_core::{
    ClusterChange, ClusterOptions, ErrorCode, Event, FleetReply, Move, Namespace, RemoteSocket, Server,
};
use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;

use crate::exports::answers::{Question, Questions};
use crate::exports::batch::Batcher;
use crate::exports::commands::{attachments, target};
use crate::exports::server::NativeServer;
use crate::parts::error::{Result, coded, thrown};
use crate::parts::handshake::quote;
use crate::parts::text::Text;
use crate::parts::wake::Wake;
use crate::parts::wire::event as kind;

/// A value as JSON text, with its attachments.
type Value = (Box<str>, Vec<Bytes>);

type Pending = Pin<Box<dyn Future<Output = Answer>>>;

/// Answer of other nodes to a question of JavaScript.
pub(crate) enum Answer {
    Sockets(FleetReply<Vec<RemoteSocket>>),
    Rooms(FleetReply<Vec<Box<str>>>),
    Count(kraken_ws_core::Result<usize>),
    Values(kraken_ws_core::Result<FleetReply<Vec<Value>>>),
}

/// Waker of the futures: it wakes JavaScript for an answer.
struct Alarm {
    wake: Arc<Wake>,
    rang: AtomicBool,
}

impl std::task::Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rang.store(true, Ordering::Release);
        self.wake.wake();
    }
}

/// Questions to other nodes that are not answered yet.
pub(crate) struct Asked {
    last: u64,
    open: Vec<(u64, Pending)>,
    alarm: Arc<Alarm>,
}

impl Asked {
    pub(crate) fn new(wake: Arc<Wake>) -> Self {
        Self { last: 0, open: Vec::new(), alarm: Arc::new(Alarm { wake, rang: AtomicBool::new(false) }) }
    }

    /// Adds a question and wakes JavaScript: the next batch polls it for the first time.
    fn put(&mut self, future: impl Future<Output = Answer> + 'static) -> f64 {
        self.last += 1;
        self.open.push((self.last, Box::pin(future)));
        Waker::from(self.alarm.clone()).wake();
        self.last as f64
    }

    /// Passes the answers that have come to `answer` while it returns true (the batch has room); true if more may be
    /// there.
    pub(crate) fn take(&mut self, mut answer: impl FnMut(u64, Answer) -> bool) -> bool {
        if !self.alarm.rang.swap(false, Ordering::AcqRel) {
            return false;
        }
        let waker = Waker::from(self.alarm.clone());
        let mut context = Context::from_waker(&waker);
        let mut at = 0;
        while at < self.open.len() {
            let Poll::Ready(came) = self.open[at].1.as_mut().poll(&mut context) else {
                at += 1;
                continue;
            };
            let (number, _) = self.open.swap_remove(at);
            if !answer(number, came) {
                self.alarm.rang.store(true, Ordering::Release);
                return true;
            }
        }
        false
    }
}

impl Batcher {
    pub(crate) fn names(&mut self, names: &[Box<str>]) {
        self.text.push('[');
        for (i, name) in names.iter().enumerate() {
            self.text.push_str(if i > 0 { "," } else { "" });
            quote(&mut self.text, name);
        }
        self.text.push(']');
    }

    fn missing<T>(&mut self, fleet: &FleetReply<T>) {
        let _ = write!(self.text, "[{},", fleet.missing);
        self.names(&fleet.missing_nodes);
    }

    /// Writes the answer of other nodes to a question of JavaScript; for a failed question, its error message.
    pub(crate) fn fleet(&mut self, lanes: &mut [f64], number: u64, answer: Answer) {
        self.lanes(lanes, kind::FLEET, None, number as f64);
        match answer {
            Answer::Sockets(fleet) => {
                self.missing(&fleet);
                self.text.push_str(",[");
                for (i, socket) in fleet.answers.iter().enumerate() {
                    self.text.push_str(if i > 0 { ",{\"id\":" } else { "{\"id\":" });
                    quote(&mut self.text, &socket.id);
                    let _ = write!(self.text, ",\"handshake\":{},\"rooms\":", or_object(&socket.handshake));
                    self.names(&socket.rooms);
                    let _ = write!(self.text, ",\"data\":{}}}", or_object(&socket.data));
                }
                self.text.push_str("]]");
            }
            Answer::Rooms(fleet) => {
                self.missing(&fleet);
                self.text.push(',');
                self.names(&fleet.answers);
                self.text.push(']');
            }
            Answer::Count(Ok(count)) => {
                let _ = write!(self.text, "[0,[],{count}]");
            }
            Answer::Values(Ok(fleet)) => {
                self.missing(&fleet);
                for (data, attachments) in fleet.answers {
                    let _ = write!(self.text, ",{},{data}", attachments.len());
                    self.buffers.extend(attachments);
                }
                self.text.push(']');
            }
            Answer::Count(Err(error)) | Answer::Values(Err(error)) => quote(&mut self.text, error.message()),
        }
        self.ends.push(self.text.len());
    }

    /// Writes an event that another node caused; returns other events.
    pub(crate) fn cluster_event(
        &mut self,
        lanes: &mut [f64],
        questions: &mut Questions,
        event: Event,
    ) -> Option<Event> {
        match event {
            Event::ServerSide { nsp, data, attachments, reply } => {
                let number = reply.map_or(-1.0, |reply| questions.keep(Question::ServerSide(reply)) as f64);
                self.lanes(lanes, kind::SERVER_SIDE, None, number);
                let _ = write!(self.text, "[{},", attachments.len());
                quote(&mut self.text, &nsp);
                let _ = write!(self.text, ",{data}]");
                self.buffers.extend(attachments);
            }
            Event::SocketData { sockets, reply, .. } => {
                let number = questions.keep(Question::SocketData(reply));
                self.lanes(lanes, kind::SOCKET_DATA, None, number as f64);
                self.handles(&sockets);
            }
            Event::Moved { nsp, room, way, sockets } => {
                self.lanes(lanes, kind::MOVED, None, 0.0);
                self.text.push('[');
                quote(&mut self.text, &nsp);
                let _ = write!(self.text, ",{},", way == Move::Join);
                quote(&mut self.text, &room);
                self.text.push(',');
                self.handles(&sockets);
                self.text.push(']');
            }
            Event::SessionEnd { nsp, id, rooms, end, .. } => {
                self.lanes(lanes, kind::SESSION_END, None, 0.0);
                let _ = write!(self.text, "[\"{}\"", end.as_str());
                for text in [&*nsp, &*id].into_iter().chain(rooms.iter().map(|room| &**room)) {
                    self.text.push(',');
                    quote(&mut self.text, text);
                }
                self.text.push(']');
            }
            Event::Cluster { change } => {
                self.lanes(lanes, kind::CLUSTER, None, 0.0);
                match change {
                    ClusterChange::Down { reason } => {
                        self.text.push_str("[\"redis_down\",");
                        quote(&mut self.text, &reason);
                        self.text.push(']');
                    }
                    ClusterChange::Lost { publishes } => {
                        let _ = write!(self.text, "[\"redis_lost\",{publishes}]");
                    }
                    _ => self.text.push_str("[\"redis_up\"]"),
                }
            }
            other => return Some(other),
        }
        self.ends.push(self.text.len());
        None
    }

    fn handles(&mut self, sockets: &[kraken_ws_core::SocketHandle]) {
        self.text.push('[');
        for (i, socket) in sockets.iter().enumerate() {
            let _ = write!(self.text, "{}{}", if i > 0 { "," } else { "" }, socket.0);
        }
        self.text.push(']');
    }
}

fn or_object(json: &str) -> &str {
    if json.is_empty() { "{}" } else { json }
}

/// Parses the option `cluster`.
pub(super) fn cluster_options(json: &str) -> Result<ClusterOptions> {
    let value = serde_json::from_str(json).map_err(|e| coded(ErrorCode::Option, &format!("cluster: {e}")))?;
    ClusterOptions::from_json(&value).map_err(thrown)
}

#[napi]
impl NativeServer {
    /// Makes this server a node of a fleet.
    #[napi]
    pub fn join_cluster(&self, options: Text) -> Result<()> {
        self.server.join_cluster(cluster_options(&options)?).map_err(thrown)
    }

    fn ask<F: Future<Output = Answer> + 'static>(
        &self,
        namespace: u32,
        question: impl FnOnce(Server, Namespace) -> F,
    ) -> Result<f64> {
        self.with_namespace(namespace, |namespace| {
            let future = question(self.server.clone(), namespace.clone());
            Ok(self.asked.borrow_mut().put(future))
        })
    }

    /// Asks for the sockets of other nodes; returns the number of the answer, as the following do.
    #[napi]
    pub fn fetch_remote(
        &self,
        namespace: u32,
        rooms: Vec<Text>,
        except: Vec<Text>,
        timeout: f64,
    ) -> Result<f64> {
        let (target, timeout) = (target(rooms, except), Some(millis(timeout)));
        self.ask(namespace, |server, namespace| async move {
            Answer::Sockets(server.fetch_remote(&namespace, target, timeout).await)
        })
    }

    /// Asks for the rooms of all nodes.
    #[napi]
    pub fn fleet_rooms(&self, namespace: u32) -> Result<f64> {
        self.ask(
            namespace,
            |server, namespace| async move { Answer::Rooms(server.fleet_rooms(&namespace).await) },
        )
    }

    /// Asks how many nodes there are.
    #[napi]
    pub fn node_count(&self, namespace: u32) -> Result<f64> {
        self.ask(
            namespace,
            |server, namespace| async move { Answer::Count(server.node_count(&namespace).await) },
        )
    }

    /// Sends an event to the other nodes.
    #[napi]
    pub fn server_side_emit(
        &self,
        namespace: u32,
        data: Text,
        buffers: Option<Vec<BufferSlice<'_>>>,
    ) -> Result<()> {
        self.with_namespace(namespace, |namespace| {
            self.server.server_side_emit(namespace, &data, attachments(buffers))
        })
    }

    /// Sends an event to the other nodes, each of which answers.
    #[napi]
    pub fn server_side_emit_with_ack(
        &self,
        namespace: u32,
        data: Text,
        timeout: f64,
        buffers: Option<Vec<BufferSlice<'_>>>,
    ) -> Result<f64> {
        let (attachments, timeout) = (attachments(buffers), Some(millis(timeout)));
        self.ask(namespace, |server, namespace| async move {
            Answer::Values(server.server_side_emit_with_ack(&namespace, &data, attachments, timeout).await)
        })
    }

    /// Sends the application's answer to another node's event.
    #[napi]
    pub fn answer_server_side(&self, number: f64, data: Text, buffers: Option<Vec<BufferSlice<'_>>>) {
        if let Some(Question::ServerSide(reply)) = self.questions.borrow_mut().take(number) {
            let _ = reply.send((data.0.into_boxed_str(), attachments(buffers)));
        }
    }

    /// Answers with the application's data of each socket that was asked for, as JSON texts.
    #[napi]
    pub fn answer_socket_data(&self, number: f64, data: Vec<Text>) {
        if let Some(Question::SocketData(reply)) = self.questions.borrow_mut().take(number) {
            let _ = reply.send(data.into_iter().map(|text| text.0.into_boxed_str()).collect());
        }
    }
}

fn millis(timeout: f64) -> Duration {
    Duration::from_millis(timeout.max(1.0) as u64)
}
