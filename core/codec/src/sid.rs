//! Random ids: 15 bytes from the system's CSPRNG as 20 characters of base64url.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use ring::rand::{SecureRandom, SystemRandom};

/// A 20-character id, kept inline: session ids (secret) and public socket ids.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id([u8; 20]);

/// The last characters of the socket ids of one server.
pub type Tag = [u8; 4];

/// The characters in the order of the shard numbers that they encode as the first character of a session id.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A pool of random bytes, so that one system call serves many ids.
struct Pool {
    bytes: [u8; 1024],
    left: usize,
}

thread_local! {
    static POOL: std::cell::RefCell<Pool> = const { std::cell::RefCell::new(Pool { bytes: [0; 1024], left: 0 }) };
}

fn random15() -> [u8; 15] {
    POOL.with_borrow_mut(|pool| {
        if pool.left < 15 {
            // Ids are secrets: there is no way on without random numbers.
            SystemRandom::new().fill(&mut pool.bytes).expect("the system's random generator works");
            pool.left = pool.bytes.len();
        }
        let start = pool.left - 15;
        let mut out = [0; 15];
        out.copy_from_slice(&pool.bytes[start..pool.left]);
        // Session ids are secrets: used bytes must not stay in memory.
        pool.bytes[start..pool.left].fill(0);
        pool.left = start;
        out
    })
}

impl Id {
    /// A new public socket id.
    pub fn random() -> Self {
        let mut id = [0; 20];
        URL_SAFE_NO_PAD.encode_slice(random15(), &mut id).expect("15 bytes are 20 characters");
        Self(id)
    }

    /// A new public socket id of the server with this tag. The id ends with the tag, so that any reader knows whether
    /// the socket is or was on this server; 96 random bits remain.
    pub fn tagged(tag: Tag) -> Self {
        let mut id = Self::random();
        id.0[20 - tag.len()..].copy_from_slice(&tag);
        id
    }

    /// Whether `text` can be an id with this tag.
    pub fn has_tag(text: &str, tag: Tag) -> bool {
        text.len() == 20 && text.as_bytes().ends_with(&tag)
    }

    /// A new tag for [`Id::tagged`].
    pub fn tag() -> Tag {
        let Id([a, b, c, d, ..]) = Self::random();
        [a, b, c, d]
    }

    /// A new session id. Its first character encodes the shard that owns the session, so any shard can route a
    /// polling request without a shared table; 114 random bits remain.
    pub fn for_shard(shard: usize) -> Self {
        let mut id = Self::random();
        id.0[0] = ALPHABET[shard & 63];
        id
    }

    /// The shard encoded in a session id.
    pub fn shard(text: &str) -> Option<usize> {
        let first = *text.as_bytes().first()?;
        ALPHABET.iter().position(|c| *c == first)
    }

    /// Parses an id; `None` if `text` is not a valid one.
    pub fn parse(text: &str) -> Option<Self> {
        text.as_bytes().try_into().ok().map(Self)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_routes_to_its_shard() {
        for shard in 0..64 {
            assert_eq!(Id::shard(Id::for_shard(shard).as_str()), Some(shard));
        }
    }

    #[test]
    fn a_socket_id_tells_its_server() {
        let (ours, theirs) = (*b"ours", *b"his_");
        let id = Id::tagged(ours);
        assert!(Id::has_tag(id.as_str(), ours) && !Id::has_tag(id.as_str(), theirs));
        assert!(!Id::has_tag("ours", ours));
    }

    #[test]
    fn ids_are_twenty_characters_and_differ() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| Id::random()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.as_str().len() == 20));
    }
}
