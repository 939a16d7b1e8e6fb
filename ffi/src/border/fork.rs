//! Forks. The threads of a server do not survive `fork`, so a child is refused before it touches a lock that a thread of the
//! parent may have held.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use kraken_ws_core::{Error, ErrorCode, Result};

/// Number of forks between this process and the one that loaded the library.
static GENERATION: AtomicU32 = AtomicU32::new(0);

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The current generation, which new handles keep.
pub(super) fn generation() -> u32 {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        // SAFETY: the handler adds to an atomic number, which is allowed between fork and exec.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
    GENERATION.load(Ordering::Relaxed)
}

/// Refuses a handle that was made before a fork.
pub(super) fn check(made: u32, kind: &str) -> Result<()> {
    if made == GENERATION.load(Ordering::Relaxed) {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::Forked,
        format!("the {kind} belongs to the process that made it; this is a fork of that"),
    ))
}
