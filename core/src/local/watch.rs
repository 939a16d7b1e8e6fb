//! Engine packets of single connections, for a host that wants to count or log them.

use crate::local::Server;
use crate::shared::command::Command;
use crate::types::ids::ConnId;

impl Server {
    /// Turns the packet events of a connection, which [`Event::Connect`](crate::Event::Connect) named, on or off:
    /// [`Event::PacketIn`](crate::Event::PacketIn), [`Event::PacketOut`](crate::Event::PacketOut),
    /// [`Event::Drained`](crate::Event::Drained), and at its end
    /// [`Event::ConnectionClosed`](crate::Event::ConnectionClosed). The last one is also the answer for a connection
    /// that is already gone.
    pub fn watch(&self, conn: ConnId, on: bool) {
        self.send_to_conn(conn, Command::Watch { conn, on });
    }
}
