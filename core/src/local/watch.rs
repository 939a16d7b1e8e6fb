//! Engine packets of single connections, for a host that wants to count or log them.

use crate::local::Server;
use crate::shared::command::Command;
use crate::types::ids::ConnId;

impl Server {
    /// Shows the engine packets of a connection, numbered as in [`Event::Connect`](super::Event::Connect), from here on
    /// or (`on` false) no more: [`Event::PacketIn`](super::Event::PacketIn),
    /// [`Event::PacketOut`](super::Event::PacketOut), [`Event::Drained`](super::Event::Drained), and at its end
    /// [`Event::ConnectionClosed`](super::Event::ConnectionClosed), which also answers for one that is gone.
    pub fn watch(&self, conn: ConnId, on: bool) {
        self.tell_conn(conn, Command::Watch { conn, on });
    }
}
