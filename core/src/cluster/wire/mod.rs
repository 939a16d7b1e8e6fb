//! The two wire formats: `reference/redis-wire.md` of the project has them in words.

mod names;

pub(crate) use names::{Names, is_emitter, is_private};
