//! JavaScript → core. Data is the text of `JSON.stringify([event, …args])`, attachments are buffers, a socket
//! is the number of its handle, a namespace the number that `NativeServer.namespace` gave.

use std::time::Duration;

use bytes::Bytes;
use kraken_ws_core::{ConnId, Disconnect, EmitFlags, SocketHandle, Target};
use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;

use crate::exports::server::NativeServer;
use crate::parts::error::Result;
use crate::parts::text::Text;
use crate::parts::wire::flag;

/// The flags that `bits` stands for.
pub(super) fn flags(bits: u32) -> EmitFlags {
    EmitFlags::new()
        .volatile(bits & flag::VOLATILE != 0)
        .compress(bits & flag::NO_COMPRESS == 0)
        .local(bits & flag::LOCAL != 0)
}

fn handle(socket: f64) -> SocketHandle {
    SocketHandle(socket as u64)
}

pub(super) fn attachments(buffers: Option<Vec<BufferSlice<'_>>>) -> Vec<Bytes> {
    buffers.unwrap_or_default().iter().map(|buffer| Bytes::copy_from_slice(buffer)).collect()
}

fn boxed(names: Vec<Text>) -> Vec<Box<str>> {
    names.into_iter().map(|name| name.0.into_boxed_str()).collect()
}

pub(super) fn target(rooms: Vec<Text>, except: Vec<Text>) -> Target {
    let mut target = Target::all();
    target.rooms = boxed(rooms);
    target.except = boxed(except);
    target
}

fn refs(names: &[Text]) -> Vec<&str> {
    names.iter().map(|name| &**name).collect()
}

fn millis(timeout: f64) -> Duration {
    Duration::from_millis(timeout.max(0.0) as u64)
}

#[napi]
impl NativeServer {
    /// Accepts a pending socket.
    #[napi]
    pub fn accept(&self, socket: f64) {
        self.server.accept(handle(socket));
    }

    /// Rejects a pending socket; `error` is the JSON of `connect_error`.
    #[napi]
    pub fn reject(&self, socket: f64, error: Text) {
        self.server.reject(handle(socket), &error);
    }

    /// Sends an event to one socket.
    #[napi]
    pub fn emit(
        &self,
        namespace: u32,
        socket: f64,
        data: Text,
        bits: u32,
        buffers: Option<Vec<BufferSlice<'_>>>,
    ) -> Result<()> {
        self.with_namespace(namespace, |namespace| {
            self.server.emit(namespace, handle(socket), &data, attachments(buffers), flags(bits))
        })
    }

    /// Sends an event to one socket, which has to acknowledge it; returns the number of the ack. A negative `timeout`
    /// means none.
    #[napi]
    pub fn emit_with_ack(
        &self,
        namespace: u32,
        socket: f64,
        data: Text,
        bits: u32,
        timeout: f64,
        buffers: Option<Vec<BufferSlice<'_>>>,
    ) -> Result<f64> {
        self.with_namespace(namespace, |namespace| {
            let timeout = (timeout >= 0.0).then(|| millis(timeout));
            let attachments = attachments(buffers);
            self.server.emit_with_ack(namespace, handle(socket), &data, attachments, flags(bits), timeout)
        })
        .map(|id| id as f64)
    }

    /// Acknowledges an event of the client.
    #[napi]
    pub fn ack(
        &self,
        namespace: u32,
        socket: f64,
        id: f64,
        data: Text,
        buffers: Option<Vec<BufferSlice<'_>>>,
    ) -> Result<()> {
        self.with_namespace(namespace, |namespace| {
            self.server.ack(namespace, handle(socket), id as u64, &data, attachments(buffers))
        })
    }

    /// Sends an event to one room: the shortest path.
    #[napi]
    pub fn publish_room(&self, namespace: u32, room: Text, data: Text, bits: u32) -> Result<()> {
        self.with_namespace(namespace, |namespace| {
            let target = Target::room(room.0);
            self.server.publish(namespace, target, &data, Vec::new(), flags(bits))
        })
    }

    /// Sends an event to a room expression.
    #[napi]
    pub fn publish(
        &self,
        namespace: u32,
        rooms: Vec<Text>,
        except: Vec<Text>,
        data: Text,
        bits: u32,
        buffers: Option<Vec<BufferSlice<'_>>>,
    ) -> Result<()> {
        self.with_namespace(namespace, |namespace| {
            self.server.publish(namespace, target(rooms, except), &data, attachments(buffers), flags(bits))
        })
    }

    /// Sends an event to a room expression, which every recipient has to acknowledge; returns the number of the
    /// answer.
    #[napi]
    #[allow(clippy::too_many_arguments)] // each is one value of the crossing
    pub fn publish_with_ack(
        &self,
        namespace: u32,
        rooms: Vec<Text>,
        except: Vec<Text>,
        data: Text,
        bits: u32,
        timeout: f64,
        buffers: Option<Vec<BufferSlice<'_>>>,
    ) -> Result<f64> {
        self.with_namespace(namespace, |namespace| {
            let (target, attachments) = (target(rooms, except), attachments(buffers));
            self.server.publish_with_ack(namespace, target, &data, attachments, flags(bits), millis(timeout))
        })
        .map(|id| id as f64)
    }

    /// Adds a socket to rooms.
    #[napi]
    pub fn join(&self, socket: f64, rooms: Vec<Text>) {
        self.server.join(handle(socket), &refs(&rooms));
    }

    /// Removes a socket from a room.
    #[napi]
    pub fn leave(&self, socket: f64, room: Text) {
        self.server.leave(handle(socket), &[&room]);
    }

    /// Removes a socket from all rooms, its own-id room included.
    #[napi]
    pub fn leave_all(&self, socket: f64) {
        self.server.leave_all(handle(socket));
    }

    /// Adds the sockets of a room expression to rooms.
    #[napi]
    pub fn sockets_join(
        &self,
        namespace: u32,
        rooms: Vec<Text>,
        except: Vec<Text>,
        join: Vec<Text>,
        bits: u32,
    ) -> Result<()> {
        self.with_namespace(namespace, |namespace| {
            let reach = flags(bits).reach();
            self.server.sockets_join(namespace, target(rooms, except), &refs(&join), reach);
            Ok(())
        })
    }

    /// Removes the sockets of a room expression from rooms.
    #[napi]
    pub fn sockets_leave(
        &self,
        namespace: u32,
        rooms: Vec<Text>,
        except: Vec<Text>,
        leave: Vec<Text>,
        bits: u32,
    ) -> Result<()> {
        self.with_namespace(namespace, |namespace| {
            let reach = flags(bits).reach();
            self.server.sockets_leave(namespace, target(rooms, except), &refs(&leave), reach);
            Ok(())
        })
    }

    /// Disconnects the sockets of a room expression; with `close` their whole connections.
    #[napi]
    pub fn disconnect_sockets(
        &self,
        namespace: u32,
        rooms: Vec<Text>,
        except: Vec<Text>,
        close: bool,
        bits: u32,
    ) -> Result<()> {
        self.with_namespace(namespace, |namespace| {
            let (what, reach) = (Disconnect::from_close(close), flags(bits).reach());
            self.server.disconnect_sockets(namespace, target(rooms, except), what, reach);
            Ok(())
        })
    }

    /// Disconnects a socket; with `close` its whole connection.
    #[napi]
    pub fn disconnect(&self, socket: f64, close: bool) {
        self.server.disconnect(handle(socket), Disconnect::from_close(close));
    }

    /// Closes a connection without a Socket.IO DISCONNECT, so that its client reconnects.
    #[napi]
    pub fn close_connection(&self, conn: f64) {
        self.server.close_connection(ConnId(conn as u64));
    }
}
