//! Results of calls: each function returns a status, and the message of the last error is kept per thread.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use kraken_ws_core::{Error, ErrorCode, Result};

/// The result of a call: `KRAKEN_WS_OK` (0) or one of `KRAKEN_WS_ERROR_…`. Numbers are never reused; an
/// unknown number is a failure.
pub type kraken_ws_status = i32;

const OK: kraken_ws_status = 0;

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
    /// The module whose code runs on this thread.
    static MODULE: RefCell<Option<Box<str>>> = const { RefCell::new(None) };
}

/// Runs code of a module: its name stands before the messages of its errors.
pub(crate) fn in_module<T>(name: &str, act: impl FnOnce() -> T) -> T {
    let outer = MODULE.replace(Some(name.into()));
    let result = act();
    MODULE.set(outer);
    result
}

/// Runs the body of a function that returns a status. A panic is caught here: nothing unwinds into C.
pub(crate) fn call(body: impl FnOnce() -> Result<()>) -> kraken_ws_status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => OK,
        Ok(Err(error)) => fail(&error),
        Err(panic) => fail(&bug(panic)),
    }
}

/// Runs the body of a function that returns a value, which is `otherwise` after a panic.
pub(crate) fn value<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        fail(&bug(panic));
        otherwise
    })
}

/// Stores the message for `kraken_ws_last_error` of this thread.
pub(crate) fn fail(error: &Error) -> kraken_ws_status {
    // On a thread that is ending, the thread-local message is destroyed; the status is still returned.
    let _ = LAST_ERROR.try_with(|last| {
        let mut last = last.borrow_mut();
        error.message().clone_into(&mut last);
        if let Some(module) = MODULE.try_with(|module| module.borrow().clone()).ok().flatten() {
            last.insert_str(0, &format!("module {module}: "));
        }
    });
    error.code() as kraken_ws_status
}

fn bug(panic: Box<dyn Any + Send>) -> Error {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    // The payload's own drop may panic, and no caller would catch that.
    std::mem::forget(panic);
    Error::new(ErrorCode::Internal, format!("a bug in kraken_ws was caught: {text}"))
}

/// Copies the message of the last error of this thread into `buf`, NUL-terminated and cut to fit (at a
/// character). Returns the length of the whole message without the NUL; call with a `len` of 0 to ask for it.
/// A call that succeeds leaves the message alone.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_last_error(buf: *mut c_char, len: usize) -> usize {
    value(0, || {
        let copy = |last: &RefCell<String>| {
            let last = last.borrow();
            if !buf.is_null() && len > 0 {
                let mut end = last.len().min(len - 1);
                while !last.is_char_boundary(end) {
                    end -= 1;
                }
                // SAFETY: the caller gives `len` writable bytes at `buf`, and `end` is below `len`.
                unsafe {
                    std::ptr::copy_nonoverlapping(last.as_ptr(), buf.cast::<u8>(), end);
                    *buf.add(end) = 0;
                }
            }
            last.len()
        };
        LAST_ERROR.try_with(copy).unwrap_or(0)
    })
}

/// Returns the stable name of a status, `ERR_KRAKEN_WS_OPTION` for example, `OK` for 0 and
/// `ERR_KRAKEN_WS_UNKNOWN` for a number that has none. The text is valid for ever.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub extern "C" fn kraken_ws_status_name(status: kraken_ws_status) -> *const c_char {
    static NAMES: OnceLock<Vec<(kraken_ws_status, CString)>> = OnceLock::new();
    value(c"ERR_KRAKEN_WS_INTERNAL".as_ptr(), || {
        if status == OK {
            return c"OK".as_ptr();
        }
        let names = NAMES.get_or_init(|| {
            let named = |(code, name): &(ErrorCode, &str)| {
                let name = CString::new(format!("ERR_KRAKEN_WS_{name}")).ok()?;
                Some((*code as kraken_ws_status, name))
            };
            ErrorCode::ALL.iter().filter_map(named).collect()
        });
        let found = names.iter().find(|(number, _)| *number == status);
        found.map_or(c"ERR_KRAKEN_WS_UNKNOWN".as_ptr(), |(_, name)| name.as_ptr())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status_and_a_message() {
        let status = call(|| panic!("deliberate"));
        assert_eq!(status, ErrorCode::Internal as kraken_ws_status);
        let mut buf = [0 as c_char; 128];
        // SAFETY: the buffer is as long as stated.
        let len = unsafe { kraken_ws_last_error(buf.as_mut_ptr(), buf.len()) };
        let text: Vec<u8> = buf[..len].iter().map(|c| *c as u8).collect();
        assert!(String::from_utf8(text).unwrap().ends_with("deliberate"));
        assert_eq!(value(7, || panic!("again")), 7);
    }

    #[test]
    fn a_message_is_cut_at_a_character() {
        fail(&Error::new(ErrorCode::Option, "aß"));
        let mut buf = [1 as c_char; 3];
        // SAFETY: the buffer is as long as stated.
        let len = unsafe { kraken_ws_last_error(buf.as_mut_ptr(), buf.len()) };
        assert_eq!((len, buf), (3, [b'a' as c_char, 0, 1]));
    }
}
