//! Crossings of a raw server, whose host (`src-ts/bridge/`) speaks Socket.IO itself. Commands, written by
//! `src-ts/bridge/raw-commands.ts`: many at once, four lanes each (kind with namespace, connection, number, length),
//! a line of text for those that need one, and their bytes in one buffer. Events, read by
//! `src-ts/bridge/raw-pump.ts`: the messages are one text behind the batch's JSON.

use kraken_ws_core::{ConnId, ErrorCode, Event, RawMessage, RequestInfo, SocketHandle, Target};
use napi::bindgen_prelude::{BufferSlice, Float64ArraySlice};
use napi_derive::napi;

use crate::exports::batch::Batcher;
use crate::exports::commands::{attachments, flags, target};
use crate::exports::server::NativeServer;
use crate::parts::error::{Code, Result, coded, thrown};
use crate::parts::handshake::{quote, request_json};
use crate::parts::text::Text;
use crate::parts::wire::{event as kind, flag, lane, raw_command as command};

const LANES: usize = lane::RAW_COMMAND as usize;

#[napi]
impl NativeServer {
    /// Executes `count` commands in order. If one fails, the others are executed all the same, and the first
    /// error is thrown.
    #[napi]
    pub fn execute_raw_commands(
        &self,
        lanes: Float64ArraySlice<'_>,
        count: u32,
        text: Text,
        bytes: BufferSlice<'_>,
    ) -> Result<()> {
        let mut lines = text.split('\n');
        let mut bytes = &bytes[..];
        let mut first = Ok(());
        for command in lanes.chunks_exact(LANES).take(count as usize) {
            let done = self.raw_command(command, &mut lines, &mut bytes);
            if first.is_ok() {
                first = done;
            }
        }
        first
    }

    fn raw_command<'t>(
        &self,
        lanes: &[f64],
        lines: &mut impl Iterator<Item = &'t str>,
        bytes: &mut &[u8],
    ) -> Result<()> {
        let (head, conn, number) = (lanes[0] as u32, ConnId(lanes[1] as u64), lanes[2]);
        let namespace = head >> lane::COMMAND_KIND;
        let mut line = || lines.next().ok_or_else(|| coded(ErrorCode::Payload, "a command has no text"));
        match head & ((1 << lane::COMMAND_KIND) - 1) {
            command::SEND => {
                let bits = number as u32;
                self.server
                    .raw_send_text(conn, line()?, flags(bits), bits & flag::MORE != 0)
                    .map_err(thrown)?;
            }
            command::SEND_BINARY => {
                let bits = number as u32;
                let (message, rest) = bytes
                    .split_at_checked(lanes[3] as usize)
                    .ok_or_else(|| coded(ErrorCode::Payload, "a command has no bytes"))?;
                *bytes = rest;
                self.server
                    .raw_send_binary(conn, message, flags(bits), bits & flag::MORE != 0)
                    .map_err(thrown)?;
            }
            command::PUBLISH_ROOM => {
                let (room, data) = (line()?, line()?);
                self.with_namespace(namespace, |namespace| {
                    let flags = flags(number as u32);
                    self.server.raw_publish(namespace, Target::room(room), Some(data), &[], flags)
                })?;
            }
            command::PUBLISH => {
                let (rooms, except): (Vec<Box<str>>, Vec<Box<str>>) =
                    serde_json::from_str(line()?).map_err(unreadable)?;
                let data = line()?;
                self.with_namespace(namespace, |namespace| {
                    let mut target = Target::all();
                    (target.rooms, target.except) = (rooms, except);
                    self.server.raw_publish(namespace, target, Some(data), &[], flags(number as u32))
                })?;
            }
            command::JOIN => {
                let (id, rooms): (Box<str>, Vec<Box<str>>) =
                    serde_json::from_str(line()?).map_err(unreadable)?;
                let rooms: Vec<&str> = rooms.iter().map(|room| &**room).collect();
                self.with_namespace(namespace, |namespace| {
                    self.server.raw_join(namespace, conn, &id, &rooms);
                    Ok(())
                })?;
            }
            command::LEAVE => {
                let room: Box<str> = serde_json::from_str(line()?).map_err(unreadable)?;
                self.with_namespace(namespace, |namespace| {
                    self.server.raw_leave(namespace, conn, &room);
                    Ok(())
                })?;
            }
            command::REMOVE => self.with_namespace(namespace, |namespace| {
                self.server.raw_remove(namespace, conn);
                Ok(())
            })?,
            command::CLOSE => self.server.raw_close(conn),
            command::NOTIFY => self.server.raw_notify(conn, number as u64),
            other => return Err(coded(ErrorCode::Payload, &format!("there is no command {other}"))),
        }
        Ok(())
    }

    /// Sends a text message to a connection.
    #[napi]
    pub fn raw_send(&self, conn: f64, text: Text, bits: u32) -> Result<()> {
        self.server
            .raw_send_text(ConnId(conn as u64), &text, flags(bits), bits & flag::MORE != 0)
            .map_err(thrown)
    }

    /// Sends a binary message to a connection.
    #[napi]
    pub fn raw_send_binary(&self, conn: f64, bytes: BufferSlice<'_>, bits: u32) -> Result<()> {
        self.server
            .raw_send_binary(ConnId(conn as u64), &bytes, flags(bits), bits & flag::MORE != 0)
            .map_err(thrown)
    }

    /// Publishes a packet to a room expression: a text with attachments or, without `text`, one binary message.
    #[napi]
    pub fn raw_publish(
        &self,
        namespace: u32,
        rooms: Vec<Text>,
        except: Vec<Text>,
        text: Option<Text>,
        buffers: Option<Vec<BufferSlice<'_>>>,
        bits: u32,
    ) -> Result<()> {
        self.with_namespace(namespace, |namespace| {
            let (target, attachments) = (target(rooms, except), attachments(buffers));
            self.server.raw_publish(namespace, target, text.as_deref(), &attachments, flags(bits))
        })
    }
}

fn unreadable(error: serde_json::Error) -> napi::Error<Code> {
    coded(ErrorCode::Payload, &format!("a command can't be read: {error}"))
}

/// Length in UTF-16 code units, as JavaScript counts it.
fn utf16_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

impl Batcher {
    /// Writes an event that has a form of its own on a raw server; returns other events. The text of a message goes
    /// into `messages`, and its length is the number.
    pub(crate) fn raw_event(&mut self, lanes: &mut [f64], event: Event) -> Option<Event> {
        match event {
            Event::Message { conn, message: RawMessage::Text(text) } => {
                self.head(lanes, kind::RAW_MESSAGE, Some(SocketHandle(conn.0)), utf16_len(&text) as f64);
                self.messages.push_str(&text);
            }
            Event::Message { conn, message: RawMessage::Binary(bytes) } => {
                self.head(lanes, kind::RAW_MESSAGE_BINARY, Some(SocketHandle(conn.0)), 0.0);
                self.buffers.push(bytes);
            }
            Event::Open { conn, sid, request } => self.raw_open(lanes, conn, &sid, &request),
            Event::ConnectionClosed { conn, reason, detail } => {
                self.lanes(lanes, kind::RAW_CLOSED, Some(SocketHandle(conn.0)), f64::from(reason as u8));
                quote(&mut self.text, detail);
                self.ends.push(self.text.len());
            }
            Event::Flushed { conn, number } => {
                self.head(lanes, kind::RAW_FLUSHED, Some(SocketHandle(conn.0)), number as f64);
            }
            Event::Heartbeat { conn } => {
                self.head(lanes, kind::RAW_HEARTBEAT, Some(SocketHandle(conn.0)), 0.0)
            }
            other => return Some(other),
        }
        None
    }

    /// Writes a new connection: `[session id, tag, transport, protocol, request]`. With a tag JavaScript already has
    /// the request, and the last element is empty.
    fn raw_open(&mut self, lanes: &mut [f64], conn: ConnId, sid: &str, request: &RequestInfo) {
        self.lanes(lanes, kind::RAW_OPEN, Some(SocketHandle(conn.0)), request.tag as f64);
        self.text.push('[');
        quote(&mut self.text, sid);
        self.text.push_str(&format!(",{},\"{}\",{},", request.tag, request.transport, request.protocol));
        quote(&mut self.text, &if request.tag == 0 { request_json(request, "") } else { String::new() });
        self.text.push(']');
        self.ends.push(self.text.len());
    }
}
