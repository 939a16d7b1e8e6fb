//! The option `hooks`: optional questions to the host and optional events for it.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::options::given::{listed, refuse};
use crate::types::error::Result;

/// The one table of hooks: a flag, its name in the option (empty: only calls of the host set it), and what it asks for.
macro_rules! hooks {
    ($($(#[doc = $doc:literal])+ $flag:ident = $bit:literal, $name:literal;)+) => {
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

        /// The table: the name in the option, the flag, and what it asks for.
        const TABLE: &[(&str, Hooks, &str)] =
            &[$(($name, Hooks::$flag, concat!($($doc),+).trim_ascii())),+];
    };
}

hooks! {
    /// `Event::AllowRequest` for each handshake.
    ALLOW_REQUEST = 0, "allowRequest";
    /// `Event::Headers` for each later polling response and upgrade.
    HEADERS = 1, "headers";
    /// `Event::Engine` for each request under the path.
    ENGINE = 2, "engine";
    /// `Event::Cors` for each request under the path, in place of the option `cors`.
    CORS = 3, "cors";
    /// `Event::Http` for the files of a client, which lie under the path.
    FILES = 4, "files";
    /// `Event::Http` for requests outside the path.
    HTTP = 5, "http";
    /// `Event::Open` for each engine connection.
    CONNECTIONS = 6, "connections";
    /// `Event::Room` for each change of a room.
    ROOMS = 7, "rooms";
    /// `Event::Namespace` for namespaces that do not exist.
    NAMESPACES = 8, "namespaces";
    /// `Event::SocketData` when another node of the fleet fetches sockets, in place of `Server::set_data`.
    SOCKET_DATA = 9, "socketData";
    /// `Event::Moved` when another node of the fleet puts sockets into a room or takes them out.
    MOVES = 10, "moves";
    /// `Event::SessionEnd` when a client can't come back any more.
    SESSIONS = 11, "sessions";
    /// `Event::Heartbeat` for each ping or pong of a client.
    HEARTBEATS = 12, "";
    /// New connections are watched, as by `Server::watch`, from behind their open packet on.
    PACKETS = 13, "";
}

impl Hooks {
    /// The hooks that the option knows: the name of each, and what it asks for.
    pub fn named() -> impl Iterator<Item = (&'static str, &'static str)> {
        TABLE.iter().map(|(name, _, about)| (*name, *about)).filter(|(name, _)| !name.is_empty())
    }

    /// Reads the option: an object of booleans.
    pub(crate) fn from_json(value: &Value) -> Result<Self> {
        let Value::Object(map) = value else { return Err(refuse("hooks", "an object of booleans", value)) };
        let names: Vec<_> = Self::named().map(|(name, _)| name).collect();
        let mut hooks = Self::empty();
        for (name, value) in map {
            let path = format!("hooks.{name}");
            let on = value.as_bool().ok_or_else(|| refuse(&path, "true or false", value))?;
            let flag =
                TABLE.iter().find(|(known, ..)| known == name && !name.is_empty()).map(|(_, flag, _)| *flag);
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
