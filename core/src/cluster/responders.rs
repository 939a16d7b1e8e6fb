//! Answers to requests of other nodes.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use kraken_ws_codec::packet;

use crate::cluster::handshake::handshake;
use crate::cluster::message::{NodeAnswer, NodeQuestion, SocketChange};
use crate::cluster::node::Node;
use crate::local::{FetchedSocket, Server};
use crate::options::Hooks;
use crate::shared::event::Event;
use crate::shared::fleet_reply::RemoteSocket;
use crate::shared::namespaces::Namespace;
use crate::shared::reply::Reply;
use crate::types::change::Move;
use crate::types::target::Target;

/// Limit for the host to answer a server-side emit. It is far above any timeout of the asking node.
const HOST: Duration = Duration::from_secs(600);

/// Where an answer goes: the uid of the asking node, and the id of its request.
pub(super) struct From {
    pub uid: Option<Box<str>>,
    pub id: Box<str>,
}

impl Node {
    fn answer_to(&self, nsp: &Namespace, from: &From, answer: &NodeAnswer) {
        self.answer(&nsp.0.name, from.uid.as_deref(), &from.id, answer);
    }

    /// Answers a request of another node.
    pub(super) fn on_question(
        self: &Rc<Self>,
        server: Server,
        nsp: Namespace,
        from: From,
        question: NodeQuestion,
    ) {
        let node = self.clone();
        self.spawn(async move {
            let answer = match question {
                NodeQuestion::Ids(rooms) => {
                    let found = server.fetch_sockets(&nsp, Target { rooms, except: Vec::new() }).await;
                    NodeAnswer::Ids(found.into_iter().map(|socket| socket.id).collect())
                }
                NodeQuestion::Rooms => NodeAnswer::Rooms(server.all_rooms(&nsp).await),
                NodeQuestion::Sockets(target) => {
                    let found = server.fetch_sockets(&nsp, target).await;
                    NodeAnswer::Sockets(node.describe(&server, &nsp, found).await)
                }
            };
            node.answer_to(&nsp, &from, &answer);
        });
    }

    /// Describes local sockets for another node.
    async fn describe(
        &self,
        server: &Server,
        nsp: &Namespace,
        found: Vec<FetchedSocket>,
    ) -> Vec<RemoteSocket> {
        let mut data = Vec::new();
        if server.hooks().contains(Hooks::SOCKET_DATA) && !found.is_empty() {
            let (reply, answer) = Reply::channel();
            let sockets = found.iter().map(|socket| socket.socket).collect();
            self.event(Event::SocketData { nsp: nsp.0.name.clone(), sockets, reply });
            if let Ok(Ok(answer)) = tokio::time::timeout(self.options.requests_timeout, answer).await {
                data = answer;
            }
        }
        let mut data = data.into_iter();
        let remote = |socket: FetchedSocket| RemoteSocket {
            handshake: handshake(&socket.request, &socket.auth).into(),
            data: data.next().filter(|json| !json.is_empty()).unwrap_or(socket.data),
            id: socket.id,
            rooms: socket.rooms,
        };
        found.into_iter().map(remote).collect()
    }

    /// Passes a server-side event of another node to the host. `from` is set if that node wants an answer.
    pub(super) fn on_server_side(
        self: &Rc<Self>,
        nsp: Namespace,
        data: Box<str>,
        attachments: Vec<Bytes>,
        from: Option<From>,
    ) {
        // JavaScript hosts spread the array into arguments, as with a client's event, so it gets the same check.
        if let Err(error) = packet::check_arguments(&data) {
            tracing::warn!(%error, "another node's event for this host is dropped");
            return;
        }
        let reply = from.map(|from| {
            let (reply, answer) = Reply::channel();
            let (node, nsp) = (self.clone(), nsp.clone());
            self.spawn(async move {
                // No answer is sent for a host that does not answer; JavaScript nodes do the same.
                if let Ok(Ok((data, attachments))) = tokio::time::timeout(HOST, answer).await {
                    node.answer_to(&nsp, &from, &NodeAnswer::ServerSide { data, attachments });
                }
            });
            reply
        });
        self.event(Event::ServerSide { nsp: nsp.0.name.clone(), data, attachments, reply });
    }

    /// Executes a request about a single socket, as old versions of the adapter send it.
    pub(super) fn on_one_socket(
        self: &Rc<Self>,
        server: Server,
        nsp: Namespace,
        from: Option<From>,
        sid: Box<str>,
        change: SocketChange,
    ) {
        let node = self.clone();
        self.spawn(async move {
            let found = server.fetch_sockets(&nsp, Target::room(sid.clone())).await;
            let Some(socket) = found.into_iter().find(|found| found.id == sid) else { return };
            match change {
                SocketChange::Move(Move::Join, room) => server.join(socket.socket, &[&*room]),
                SocketChange::Move(Move::Leave, room) => server.leave(socket.socket, &[&*room]),
                SocketChange::Disconnect(what) => server.disconnect(socket.socket, what),
            }
            if let Some(from) = from {
                node.answer_to(&nsp, &from, &NodeAnswer::Done);
            }
        });
    }
}
