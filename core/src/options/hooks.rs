//! The option `hooks`: optional questions to the host and optional events for it.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::options::given::{listed, refuse};
use crate::types::error::Result;

/// How a host may set a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setter {
    /// In Node it is set while somebody listens.
    Listener,
    /// In C the option sets it for a host that polls.
    Polling,
}

/// A row of the table.
struct Row {
    /// Empty: only calls of the host set it.
    name: &'static str,
    flag: Hooks,
    setters: &'static [Setter],
    about: &'static str,
}

/// The one table of hooks: a flag, its name in the option (empty: only calls of the host set it), what it asks for, and in
/// brackets the hosts that set it in a way of their own: Node by a listener, C by its option on polling.
macro_rules! hooks {
    ($($(#[doc = $doc:literal])+ $flag:ident = $bit:literal, $name:literal $(, [$($setter:ident),+])?;)+) => {
        bitflags::bitflags! {
            /// The questions that the host wants to be asked, and the events that it wants in addition to those that are
            /// always sent.
            ///
            /// ```
            /// use kraken_ws_core::{Hooks, Options};
            /// let mut options = Options::default();
            /// options.hooks = Hooks::ROOMS | Hooks::SESSIONS;
            /// assert!(options.hooks.contains(Hooks::ROOMS));
            /// ```
            #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
            pub struct Hooks: u32 {
                $($(#[doc = $doc])+ const $flag = 1 << $bit;)+
            }
        }

        const TABLE: &[Row] = &[$(Row {
            name: $name,
            flag: Hooks::$flag,
            setters: &[$($(Setter::$setter),+)?],
            about: concat!($($doc),+).trim_ascii(),
        }),+];
    };
}

hooks! {
    /// `Event::AllowRequest` for each handshake.
    ALLOW_REQUEST = 0, "allowRequest", [Listener, Polling];
    /// `Event::Headers` for each later polling response and upgrade.
    HEADERS = 1, "headers", [Listener, Polling];
    /// `Event::Engine` for each request under the path.
    ENGINE = 2, "engine", [Listener, Polling];
    /// `Event::Cors` for each request under the path, in place of the option `cors`.
    CORS = 3, "cors";
    /// `Event::Http` for the files of a client, which lie under the path.
    FILES = 4, "files";
    /// `Event::Http` for requests outside the path.
    HTTP = 5, "http", [Polling];
    /// `Event::Open` for each engine connection.
    CONNECTIONS = 6, "connections", [Listener];
    /// `Event::Room` for each change of a room.
    ROOMS = 7, "rooms", [Polling];
    /// `Event::Namespace` for namespaces that do not exist.
    NAMESPACES = 8, "namespaces";
    /// `Event::SocketData` when another node of the fleet fetches sockets, in place of `Server::set_data`.
    SOCKET_DATA = 9, "socketData";
    /// `Event::Moved` when another node of the fleet puts sockets into a room or takes them out.
    MOVES = 10, "moves";
    /// `Event::SessionEnd` when a client can't come back any more.
    SESSIONS = 11, "sessions", [Polling];
    /// `Event::Heartbeat` for each ping or pong of a client.
    HEARTBEATS = 12, "", [Listener];
    /// New connections are watched, as by `Server::watch`, from behind their open packet on.
    PACKETS = 13, "", [Listener];
}

impl Hooks {
    /// The hooks that Node sets while somebody listens.
    pub const OF_LISTENERS: Hooks = Self::set_by(Setter::Listener);
    /// The hooks that the option sets in C, for a host that polls.
    pub const OF_POLLING: Hooks = Self::set_by(Setter::Polling);

    const fn set_by(setter: Setter) -> Hooks {
        let (mut bits, mut at) = (0, 0);
        while at < TABLE.len() {
            let setters = TABLE[at].setters;
            let mut each = 0;
            while each < setters.len() {
                if setters[each] as u8 == setter as u8 {
                    bits |= TABLE[at].flag.bits();
                }
                each += 1;
            }
            at += 1;
        }
        Hooks::from_bits_retain(bits)
    }

    /// The hooks that the option knows: each with its name, and what it asks for.
    pub fn named() -> impl Iterator<Item = (Hooks, &'static str, &'static str)> {
        TABLE.iter().filter(|row| !row.name.is_empty()).map(|row| (row.flag, row.name, row.about))
    }

    /// Reads the option: an object of booleans.
    pub(crate) fn from_json(value: &Value) -> Result<Self> {
        let Value::Object(map) = value else { return Err(refuse("hooks", "an object of booleans", value)) };
        let names: Vec<_> = Self::named().map(|(_, name, _)| name).collect();
        let mut hooks = Self::empty();
        for (name, value) in map {
            let path = format!("hooks.{name}");
            let on = value.as_bool().ok_or_else(|| refuse(&path, "true or false", value))?;
            let flag = Self::named().find(|(_, known, _)| known == name).map(|(flag, ..)| flag);
            hooks.set(flag.ok_or_else(|| refuse(&path, &listed(&names), value))?, on);
        }
        Ok(hooks)
    }
}

/// [`Hooks`] that can change while the server runs.
#[derive(Debug, Default)]
pub(crate) struct SharedHooks(AtomicU32);

impl SharedHooks {
    pub(crate) fn set(&self, hooks: Hooks) {
        self.0.store(hooks.bits(), Ordering::Release);
    }

    pub(crate) fn get(&self) -> Hooks {
        Hooks::from_bits_retain(self.0.load(Ordering::Acquire))
    }

    /// Whether the host has set this hook.
    pub(crate) fn has(&self, hook: Hooks) -> bool {
        self.get().contains(hook)
    }
}
