//! Numbers that cross between this addon and `src-ts/`. `make generated` writes them for TypeScript.

#![allow(dead_code)] // each side uses its own

/// A table: its name in TypeScript, what it is, and name, number and meaning of each.
pub(crate) type Table = (&'static str, &'static str, &'static [(&'static str, u32, &'static str)]);

macro_rules! numbers {
    ($module:ident, $type:ty, $name:literal, $about:literal { $(#[doc = $doc:literal] $constant:ident = $number:literal;)+ }) => {
        #[doc = $about]
        pub(crate) mod $module {
            $(#[doc = $doc] pub(crate) const $constant: $type = $number;)+

            pub(crate) const TABLE: super::Table =
                ($name, $about, &[$((stringify!($constant), $number, $doc)),+]);
        }
    };
}

numbers!(event, u8, "EventKind", "Kinds of events: lane 0 of each." {
    /// A socket wants to connect, or is connected.
    CONNECT = 1;
    /// An event of a client.
    EVENT = 2;
    /// An event of a client, with attachments.
    EVENT_BINARY = 3;
    /// A client's ack.
    ACK = 4;
    /// A client's ack, with attachments.
    ACK_BINARY = 5;
    /// The last answers to a broadcast with acks.
    BROADCAST_ACK = 7;
    /// A socket ended.
    DISCONNECT = 8;
    /// Question: is there such a namespace?
    NAMESPACE = 9;
    /// Question: may this handshake go on?
    ALLOW_REQUEST = 10;
    /// Question: which headers does this response get?
    HEADERS = 11;
    /// Question: what answers this request?
    HTTP = 12;
    /// A request was refused.
    CONNECTION_ERROR = 13;
    /// An engine connection opened.
    OPEN = 14;
    /// The answer to a request of Node's HTTP server.
    HTTP_REPLY = 15;
    /// Everything is closed; the last event.
    CLOSED = 16;
    /// A connection upgraded to WebSocket.
    UPGRADED = 17;
    /// Question: does the host's middleware let this request pass?
    ENGINE = 18;
    /// Question: which cross-origin rules hold for this request?
    CORS = 19;
    /// What was sent to a watched connection has left it.
    FLUSHED = 21;
    /// A watched connection brought a packet.
    PACKET_IN = 23;
    /// A watched connection is sent a packet.
    PACKET_OUT = 24;
    /// Nothing waits for a watched connection any more.
    DRAINED = 25;
    /// An engine connection ended.
    CONNECTION_CLOSED = 30;
    /// Other nodes answered.
    FLEET = 31;
    /// The host of another node sent an event.
    SERVER_SIDE = 32;
    /// Question: what data do these sockets have?
    SOCKET_DATA = 33;
    /// The connection to the other nodes changed.
    CLUSTER = 34;
    /// Another node moved sockets.
    MOVED = 35;
    /// The first answers to a broadcast with acks; more follow.
    BROADCAST_ANSWERS = 36;
    /// A client can't come back to its socket any more.
    SESSION_END = 37;
    /// Raw: an engine connection opened.
    RAW_OPEN = 40;
    /// Raw: a text message.
    RAW_MESSAGE = 41;
    /// Raw: a binary message.
    RAW_MESSAGE_BINARY = 42;
    /// Raw: an engine connection ended.
    RAW_CLOSED = 43;
    /// Raw: what was sent to a connection has left it.
    RAW_FLUSHED = 44;
    /// Raw: a client showed that it lives.
    RAW_HEARTBEAT = 45;
});

numbers!(command, u32, "CommandKind", "Kinds of commands of a batch: the low bits of lane 0 of each." {
    /// Accepts a socket.
    ACCEPT = 0;
    /// Sends an event to a socket.
    EMIT = 1;
    /// Answers an event.
    ACK = 2;
    /// Sends an event to a room.
    PUBLISH_ROOM = 3;
    /// Puts a socket into rooms.
    JOIN = 4;
});

numbers!(raw_command, u32, "RawCommandKind", "Kinds of commands of a raw server's batch." {
    /// Sends a text message.
    SEND = 0;
    /// Sends a binary message.
    SEND_BINARY = 1;
    /// Sends a packet to a room.
    PUBLISH_ROOM = 2;
    /// Sends a packet to a room expression.
    PUBLISH = 3;
    /// Puts a connection into rooms.
    JOIN = 4;
    /// Takes a connection out of a room.
    LEAVE = 5;
    /// Takes a connection out of a namespace.
    REMOVE = 6;
    /// Closes a connection.
    CLOSE = 7;
    /// Asks for `RAW_FLUSHED`.
    NOTIFY = 8;
});

numbers!(flag, u32, "EmitFlag", "Bits of the argument `flags`." {
    /// Dropped for clients that can't be written to.
    VOLATILE = 1;
    /// Not compressed.
    NO_COMPRESS = 2;
    /// For this node only.
    LOCAL = 4;
    /// Raw: a further frame of the packet that the last message began.
    MORE = 8;
});

numbers!(lane, u32, "LANES", "How lanes are laid out." {
    /// Lanes of one event, and of the head of a batch.
    EVENT = 4;
    /// Lanes of one command.
    COMMAND = 3;
    /// Lanes of one command of a raw server.
    RAW_COMMAND = 4;
    /// Bits of a command's kind; the number of its namespace stands above them.
    COMMAND_KIND = 8;
});

/// Tables in which a number has one meaning.
pub(crate) const KINDS: &[Table] = &[event::TABLE, command::TABLE, raw_command::TABLE, flag::TABLE];
