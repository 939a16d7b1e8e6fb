//! Result of `fetch_sockets`.

use std::sync::Arc;

use crate::types::ids::SocketHandle;
use crate::types::request::RequestInfo;

/// A socket found by [`Server::fetch_sockets`](crate::Server::fetch_sockets).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FetchedSocket {
    /// Handle of the socket.
    pub socket: SocketHandle,
    /// Public id.
    pub id: Box<str>,
    /// The request that opened its connection.
    pub request: Arc<RequestInfo>,
    /// JSON of the CONNECT payload, may be empty.
    pub auth: Box<str>,
    /// Its rooms, the one named by its own id included.
    pub rooms: Vec<Box<str>>,
    /// JSON that the host attached with [`Server::set_data`](crate::Server::set_data), may be empty.
    pub data: Box<str>,
}
