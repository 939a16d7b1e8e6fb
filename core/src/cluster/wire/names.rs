//! The uid of a node and the names of its channels.

use kraken_ws_codec::sid::Id;

use crate::options::cluster::{Mode, RoomKind, Subscriptions};

/// The uid of every emitter.
const EMITTER: &str = "emitter";

/// The names of one node. Each channel name ends with a namespace.
pub(crate) struct Names {
    pub mode: Mode,
    pub subscriptions: Subscriptions,
    prefix: Box<str>,
    /// The uid of the node, in all namespaces.
    pub uid: Box<str>,
}

type Channel = Box<[u8]>;

fn bytes(text: String) -> Channel {
    text.into_bytes().into()
}

/// Whether the name of a room looks like a socket id. JavaScript counts UTF-16 units.
pub(crate) fn is_private(room: &str) -> bool {
    room.len() >= 20 && room.encode_utf16().count() == 20
}

/// A random id in the style of the JavaScript adapters: 6 characters of base64url, or 16 hexadecimal digits.
fn random_id(mode: Mode) -> Box<str> {
    let id = Id::random();
    match mode {
        Mode::Classic => id.as_str()[..6].into(),
        Mode::Sharded => {
            use base64::Engine as _;
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(id.as_str());
            bytes.unwrap_or_default().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
        }
    }
}

impl Names {
    /// The names of a node.
    pub(crate) fn new(mode: Mode, prefix: &str, subscriptions: Subscriptions) -> Self {
        Self { mode, subscriptions, prefix: prefix.into(), uid: random_id(mode) }
    }

    /// The names of an emitter.
    pub(crate) fn of_emitter(mode: Mode, prefix: &str, subscriptions: Subscriptions) -> Self {
        Self { uid: EMITTER.into(), ..Self::new(mode, prefix, subscriptions) }
    }

    /// Whether these are the names of an emitter.
    pub(crate) fn is_emitter(&self) -> bool {
        is_emitter(&self.uid)
    }

    /// A new request id.
    pub(crate) fn request_id(&self) -> Box<str> {
        random_id(self.mode)
    }

    /// The main channel: broadcasts that are not to a single room, and in sharded mode everything to all nodes.
    pub(crate) fn main(&self, nsp: &str) -> Channel {
        bytes(format!("{}#{nsp}#", self.prefix))
    }

    /// The channel of a single room.
    pub(crate) fn room(&self, nsp: &str, room: &str) -> Channel {
        bytes(format!("{}#{nsp}#{room}#", self.prefix))
    }

    /// Whether rooms of this kind have channels of their own.
    pub(crate) fn has_channels(&self, kind: RoomKind) -> bool {
        match (self.mode, self.subscriptions) {
            (Mode::Classic, _) | (Mode::Sharded, Subscriptions::Static) => false,
            (Mode::Sharded, Subscriptions::Dynamic) => kind == RoomKind::Joined,
            (Mode::Sharded, Subscriptions::DynamicPrivate) => true,
        }
    }

    /// The channel for a broadcast to these rooms.
    pub(crate) fn broadcast(&self, nsp: &str, rooms: &[Box<str>]) -> Channel {
        let [room] = rooms else { return self.main(nsp) };
        let own_channel = match (self.mode, self.subscriptions) {
            (Mode::Classic, _) | (Mode::Sharded, Subscriptions::DynamicPrivate) => true,
            (Mode::Sharded, Subscriptions::Dynamic) => !is_private(room),
            (Mode::Sharded, Subscriptions::Static) => false,
        };
        if own_channel { self.room(nsp, room) } else { self.main(nsp) }
    }

    /// Classic mode: the room in the name of a broadcast channel. Empty for [`Names::main`], `None` if there is no
    /// valid name.
    pub(crate) fn room_in<'a>(&self, nsp: &str, channel: &'a [u8]) -> Option<&'a str> {
        let rest = channel.strip_prefix(self.prefix.as_bytes())?.strip_prefix(b"#")?;
        let rest = rest.strip_prefix(nsp.as_bytes())?.strip_prefix(b"#")?;
        match rest {
            [] => Some(""),
            [room @ .., _] => std::str::from_utf8(room).ok(),
        }
    }

    /// Classic mode: the pattern that matches all broadcast channels of a namespace. Special characters are escaped,
    /// because clients can create namespaces.
    pub(crate) fn pattern(&self, nsp: &str) -> Channel {
        let mut out = Vec::new();
        for byte in self.main(nsp) {
            if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'^') {
                out.push(b'\\');
            }
            out.push(byte);
        }
        out.push(b'*');
        out.into()
    }

    /// The channel of requests. Its subscribers are the nodes.
    pub(crate) fn requests(&self, nsp: &str) -> Channel {
        match self.mode {
            Mode::Classic => bytes(format!("{}-request#{nsp}#", self.prefix)),
            Mode::Sharded => self.main(nsp),
        }
    }

    /// Classic mode: the channel for answers to all nodes.
    pub(crate) fn answers(&self, nsp: &str) -> Channel {
        bytes(format!("{}-response#{nsp}#", self.prefix))
    }

    /// The answer channel of one node, which only that node subscribes to.
    pub(crate) fn answers_to(&self, nsp: &str, uid: &str) -> Channel {
        match self.mode {
            Mode::Classic => bytes(format!("{}-response#{nsp}#{uid}#", self.prefix)),
            Mode::Sharded => self.room(nsp, uid),
        }
    }
}

/// Whether a uid is that of an emitter. Emitters are not counted as nodes.
pub(crate) fn is_emitter(uid: &str) -> bool {
    uid == EMITTER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(mode: Mode, subscriptions: Subscriptions) -> Names {
        Names::new(mode, "socket.io", subscriptions)
    }

    #[test]
    fn ids_have_the_form_of_the_javascript_adapters() {
        let classic = names(Mode::Classic, Subscriptions::Dynamic);
        assert!(classic.uid.len() == 6 && classic.request_id() != classic.uid);
        let sharded = names(Mode::Sharded, Subscriptions::Dynamic);
        assert!(sharded.uid.len() == 16 && sharded.uid.bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn a_broadcast_has_a_channel_of_its_own_where_receivers_listen_to_it() {
        let rooms = |names: &[&str]| names.iter().map(|name| Box::from(*name)).collect::<Vec<_>>();
        let of = |mode, subscriptions, list: &[&str]| {
            String::from_utf8(names(mode, subscriptions).broadcast("/a", &rooms(list)).into()).unwrap()
        };
        let id = "abcdefghijklmnopqrst";
        use {Mode::*, Subscriptions::*};
        assert_eq!(of(Classic, Static, &[]), "socket.io#/a#");
        assert_eq!(of(Classic, Static, &["r"]), "socket.io#/a#r#");
        assert_eq!(of(Classic, Static, &["r", "s"]), "socket.io#/a#");
        assert_eq!(of(Sharded, Static, &["r"]), "socket.io#/a#");
        assert_eq!(of(Sharded, Dynamic, &["r"]), "socket.io#/a#r#");
        assert_eq!(of(Sharded, Dynamic, &[id]), "socket.io#/a#");
        assert_eq!(of(Sharded, DynamicPrivate, &[id]), format!("socket.io#/a#{id}#"));
        // 20 bytes, but 10 characters; 10 characters that are 20 UTF-16 units.
        assert!(!is_private("éééééééééé") && is_private("😀😀😀😀😀😀😀😀😀😀"));
    }

    #[test]
    fn the_room_is_read_from_the_channel() {
        let names = names(Mode::Classic, Subscriptions::Dynamic);
        let of = |nsp: &str, channel: &'static str| names.room_in(nsp, channel.as_bytes());
        assert_eq!(of("/", "socket.io#/#"), Some(""));
        assert_eq!(of("/", "socket.io#/#a#b#"), Some("a#b"));
        assert_eq!(of("/chat", "socket.io#/chat#é#"), Some("é"));
        assert_eq!(of("/chat", "socket.io#/#é#"), None);
        assert_eq!(names.room_in("/", b"socket.io#/#\xff#"), None);
    }

    #[test]
    fn a_namespace_is_no_pattern() {
        let pattern = names(Mode::Classic, Subscriptions::Static).pattern("/a*[b]");
        assert_eq!(&*pattern, br"socket.io#/a\*\[b\]#*");
    }
}
