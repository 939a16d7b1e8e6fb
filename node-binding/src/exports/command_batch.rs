//! JavaScript → core, many commands in one crossing. `src-ts/api/commands.ts` is the writing side: three lanes per
//! command (kind and namespace, socket, number) and one text with a line for each JSON text or room name of a
//! command. `JSON.stringify` writes no line breaks, and commands whose room name has one are not sent this way.

use kraken_ws_core::{ErrorCode, SocketHandle, Target};
use napi::bindgen_prelude::Float64ArraySlice;
use napi_derive::napi;

use crate::exports::commands::flags;
use crate::exports::server::NativeServer;
use crate::parts::error::{Result, coded};
use crate::parts::text::Text;
use crate::parts::wire::{command, lane};

const LANES: usize = lane::COMMAND as usize;

#[napi]
impl NativeServer {
    /// Executes `count` commands in order. If one fails, the others are executed all the same, and the first
    /// error is thrown.
    #[napi]
    pub fn execute_commands(&self, lanes: Float64ArraySlice<'_>, count: u32, text: Text) -> Result<()> {
        let mut lines = text.split('\n');
        let mut first = Ok(());
        self.server.batch(|| {
            for command in lanes.chunks_exact(LANES).take(count as usize) {
                let done = self.command(command, &mut lines);
                if first.is_ok() {
                    first = done;
                }
            }
        });
        first
    }

    fn command<'t>(&self, lanes: &[f64], lines: &mut impl Iterator<Item = &'t str>) -> Result<()> {
        let (head, socket, number) = (lanes[0] as u32, SocketHandle(lanes[1] as u64), lanes[2]);
        let namespace = head >> lane::COMMAND_KIND;
        let mut line = || lines.next().ok_or_else(|| coded(ErrorCode::Payload, "a command has no text"));
        match head & ((1 << lane::COMMAND_KIND) - 1) {
            command::ACCEPT => self.server.accept(socket),
            command::EMIT => {
                let data = line()?;
                self.with_namespace(namespace, |namespace| {
                    self.server.emit(namespace, socket, data, Vec::new(), flags(number as u32))
                })?;
            }
            command::ACK => {
                let data = line()?;
                self.with_namespace(namespace, |namespace| {
                    self.server.ack(namespace, socket, number as u64, data, Vec::new())
                })?;
            }
            command::PUBLISH_ROOM => {
                let (room, data) = (line()?, line()?);
                self.with_namespace(namespace, |namespace| {
                    self.server.publish(namespace, Target::room(room), data, Vec::new(), flags(number as u32))
                })?;
            }
            command::JOIN => {
                let rooms: Vec<String> = serde_json::from_str(line()?)
                    .map_err(|e| coded(ErrorCode::Payload, &format!("rooms: {e}")))?;
                let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
                self.server.join(socket, &rooms);
            }
            other => return Err(coded(ErrorCode::Payload, &format!("there is no command {other}"))),
        }
        Ok(())
    }
}
