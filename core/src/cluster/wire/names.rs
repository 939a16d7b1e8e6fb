//! Who a node is, and what its channels are called.

use crate::engine::sid::Id;
use crate::options::cluster::{Mode, RoomKind, Subscriptions};

/// Who an emitter says it is.
const EMITTER: &str = "emitter";

/// Names of one node. The last part of each is a namespace.
pub(crate) struct Names {
    pub mode: Mode,
    pub subscriptions: Subscriptions,
    prefix: Box<str>,
    /// Names the node in the fleet, in all namespaces.
    pub uid: Box<str>,
}

type Channel = Box<[u8]>;

fn bytes(text: String) -> Channel {
    text.into_bytes().into()
}

/// Whether a room is taken for that of a socket: JavaScript counts UTF-16 units.
pub(crate) fn is_private(room: &str) -> bool {
    room.len() >= 20 && room.encode_utf16().count() == 20
}

/// Random text as the JavaScript adapters make it: 6 characters of base64url, or 16 hexadecimal ones.
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
    /// Of a node.
    pub(crate) fn new(mode: Mode, prefix: &str, subscriptions: Subscriptions) -> Self {
        Self { mode, subscriptions, prefix: prefix.into(), uid: random_id(mode) }
    }

    /// Of an emitter.
    pub(crate) fn of_emitter(mode: Mode, prefix: &str, subscriptions: Subscriptions) -> Self {
        Self { uid: EMITTER.into(), ..Self::new(mode, prefix, subscriptions) }
    }

    /// They are an emitter's.
    pub(crate) fn is_emitter(&self) -> bool {
        is_emitter(&self.uid)
    }

    /// An id for a request.
    pub(crate) fn request_id(&self) -> Box<str> {
        random_id(self.mode)
    }

    /// Where broadcasts go that are not for one room; in sharded mode everything for all.
    pub(crate) fn main(&self, nsp: &str) -> Channel {
        bytes(format!("{}#{nsp}#", self.prefix))
    }

    /// Where broadcasts for one room go.
    pub(crate) fn room(&self, nsp: &str, room: &str) -> Channel {
        bytes(format!("{}#{nsp}#{room}#", self.prefix))
    }

    /// Whether rooms of that kind are subscribed to one by one.
    pub(crate) fn has_channels(&self, kind: RoomKind) -> bool {
        match (self.mode, self.subscriptions) {
            (Mode::Classic, _) | (Mode::Sharded, Subscriptions::Static) => false,
            (Mode::Sharded, Subscriptions::Dynamic) => kind == RoomKind::Joined,
            (Mode::Sharded, Subscriptions::DynamicPrivate) => true,
        }
    }

    /// Where broadcasts with these rooms go.
    pub(crate) fn broadcast(&self, nsp: &str, rooms: &[Box<str>]) -> Channel {
        let [room] = rooms else { return self.main(nsp) };
        let own_channel = match (self.mode, self.subscriptions) {
            (Mode::Classic, _) | (Mode::Sharded, Subscriptions::DynamicPrivate) => true,
            (Mode::Sharded, Subscriptions::Dynamic) => !is_private(room),
            (Mode::Sharded, Subscriptions::Static) => false,
        };
        if own_channel { self.room(nsp, room) } else { self.main(nsp) }
    }

    /// The room in the name of a channel that broadcasts of the namespace came through (classic); empty for
    /// [`Names::main`], `None` for what is no name of a room.
    pub(crate) fn room_in<'a>(&self, nsp: &str, channel: &'a [u8]) -> Option<&'a str> {
        let rest = channel.strip_prefix(self.prefix.as_bytes())?.strip_prefix(b"#")?;
        let rest = rest.strip_prefix(nsp.as_bytes())?.strip_prefix(b"#")?;
        match rest {
            [] => Some(""),
            [room @ .., _] => std::str::from_utf8(room).ok(),
        }
    }

    /// The pattern of all broadcasts of a namespace (classic). What stands for something else in a pattern is
    /// escaped: clients may make namespaces.
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

    /// Where requests go; whoever listens here is a node.
    pub(crate) fn requests(&self, nsp: &str) -> Channel {
        match self.mode {
            Mode::Classic => bytes(format!("{}-request#{nsp}#", self.prefix)),
            Mode::Sharded => self.main(nsp),
        }
    }

    /// Where answers for all go (classic).
    pub(crate) fn answers(&self, nsp: &str) -> Channel {
        bytes(format!("{}-response#{nsp}#", self.prefix))
    }

    /// Where answers for one node go; each node listens to its own.
    pub(crate) fn answers_to(&self, nsp: &str, uid: &str) -> Channel {
        match self.mode {
            Mode::Classic => bytes(format!("{}-response#{nsp}#{uid}#", self.prefix)),
            Mode::Sharded => self.room(nsp, uid),
        }
    }
}

/// Whether a uid is that of an emitter, which is no node.
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
