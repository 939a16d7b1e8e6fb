//! Targets of calls.

use std::mem::offset_of;
use std::time::Duration;

use kraken_ws_core::{Reach, Result, Target};

use crate::border::{KRAKEN_WS_FLAG_LOCAL, kraken_ws_str, sized, text, texts};

/// A set of sockets: the members of any of `rooms` that are in none of `except`; without rooms, all. A socket is a
/// member of the room named by its id. Set `size` to `sizeof(kraken_ws_target)` and the rest to zero first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_target {
    /// `sizeof(kraken_ws_target)`.
    pub size: usize,
    /// Name of the namespace; empty means `/`.
    pub nsp: kraken_ws_str,
    /// Names of rooms.
    pub rooms: *const kraken_ws_str,
    /// Number of rooms.
    pub rooms_len: usize,
    /// Rooms whose members are left out.
    pub except: *const kraken_ws_str,
    /// Number of rooms in `except`.
    pub except_len: usize,
    /// `KRAKEN_WS_FLAG_…`, added up.
    pub flags: u32,
}

/// A target that has been read and checked.
pub(super) struct ReadTarget<'a> {
    pub(super) nsp: &'a str,
    pub(super) target: Target,
    pub(super) flags: u32,
}

impl ReadTarget<'_> {
    /// The nodes that the target's flags name.
    pub(super) fn reach(&self) -> Reach {
        if self.flags & KRAKEN_WS_FLAG_LOCAL != 0 { Reach::Node } else { Reach::Fleet }
    }
}

/// Reads a target; null means everybody in the main namespace.
///
/// # Safety
/// Null, or a struct whose lists and texts are readable.
pub(super) unsafe fn read_target<'a>(target: *const kraken_ws_target) -> Result<ReadTarget<'a>> {
    if target.is_null() {
        return Ok(ReadTarget { nsp: "", target: Target::all(), flags: 0 });
    }
    // SAFETY: the caller's promise is the same; all members may be zero.
    unsafe {
        let target = sized(target, offset_of!(kraken_ws_target, flags), "target")?;
        let mut to = Target::all();
        to.rooms = texts(target.rooms, target.rooms_len, "rooms")?.into_iter().map(Into::into).collect();
        to.except = texts(target.except, target.except_len, "except")?.into_iter().map(Into::into).collect();
        Ok(ReadTarget { nsp: text(target.nsp, "nsp")?, target: to, flags: target.flags })
    }
}

/// The time-out of a call; 0 means that of the option `cluster.requestsTimeout`, or none where there is no other.
pub(super) fn timeout(ms: u32) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms.into()))
}
