//! Arguments and results by pointer: text, bytes, lists, structs that begin with their size.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use bytes::Bytes;
use kraken_ws_core::{Error, ErrorCode, Result};

/// Borrowed UTF-8 text: a pointer and a length, no NUL needed. A null pointer with length 0 is the empty text. Text
/// that the library returns is valid as long as the event or list that it belongs to.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_str {
    /// The first byte.
    pub ptr: *const c_char,
    /// Number of bytes.
    pub len: usize,
}

/// Borrowed bytes, by the rules of `kraken_ws_str`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_bytes {
    /// The first byte.
    pub ptr: *const u8,
    /// Number of bytes.
    pub len: usize,
}

/// Longest text or buffer that a call accepts. A greater length is a host's mistake, such as a negative number.
const MAX_LEN: usize = 1 << 30;

/// An `ARGUMENT` error that names the argument.
pub(crate) fn bad(what: &str, expected: &str) -> Error {
    Error::new(ErrorCode::Argument, format!("{what}: {expected}"))
}

impl kraken_ws_str {
    pub(crate) const EMPTY: Self = Self { ptr: std::ptr::null(), len: 0 };

    /// A view of text that outlives its use by contract.
    pub(crate) fn view(text: &str) -> Self {
        Self { ptr: text.as_ptr().cast(), len: text.len() }
    }
}

impl kraken_ws_bytes {
    pub(crate) const EMPTY: Self = Self { ptr: std::ptr::null(), len: 0 };

    pub(crate) fn view(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }
}

/// The host's text, borrowed for the time of a call.
///
/// # Safety
/// A pointer that is not null points to `len` readable bytes that nobody writes to meanwhile.
pub(crate) unsafe fn text<'a>(text: kraken_ws_str, what: &str) -> Result<&'a str> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { list(text.ptr.cast::<u8>(), text.len, what)? };
    std::str::from_utf8(bytes)
        .map_err(|e| bad(what, &format!("expected UTF-8, byte {} is not", e.valid_up_to())))
}

/// The host's array, borrowed for the time of a call.
///
/// # Safety
/// A pointer that is not null points to `len` readable items that nobody writes to meanwhile.
pub(crate) unsafe fn list<'a, T>(ptr: *const T, len: usize, what: &str) -> Result<&'a [T]> {
    if len == 0 {
        return Ok(&[]);
    }
    if ptr.is_null() {
        return Err(bad(what, &format!("a null pointer with length {len}")));
    }
    if len.checked_mul(size_of::<T>()).is_none_or(|bytes| bytes > MAX_LEN) {
        return Err(bad(what, &format!("length {len} is more than 1 GiB")));
    }
    if !ptr.is_aligned() {
        return Err(bad(what, "the pointer is not aligned"));
    }
    // SAFETY: not null, aligned, of a possible length; the caller promises the rest.
    Ok(unsafe { std::slice::from_raw_parts(ptr, len) })
}

/// The host's array of texts, borrowed for the time of a call.
///
/// # Safety
/// As [`list`], and as [`text`] for each item.
pub(crate) unsafe fn texts<'a>(ptr: *const kraken_ws_str, len: usize, what: &str) -> Result<Vec<&'a str>> {
    // SAFETY: the caller's promise is the same.
    unsafe { list(ptr, len, what)?.iter().map(|item| text(*item, what)).collect() }
}

/// Buffers, copied because they are sent after the call has returned.
///
/// # Safety
/// As [`list`], and for each item too.
pub(crate) unsafe fn buffers(ptr: *const kraken_ws_bytes, len: usize) -> Result<Vec<Bytes>> {
    let copy = |item: &kraken_ws_bytes| {
        // SAFETY: the caller promises it for each item.
        unsafe { list(item.ptr, item.len, "attachments") }.map(Bytes::copy_from_slice)
    };
    // SAFETY: the caller's promise is the same.
    unsafe { list(ptr, len, "attachments")? }.iter().map(copy).collect()
}

/// The host's memory for a result.
///
/// # Safety
/// A pointer that is not null points to writable memory for one `T`.
pub(crate) unsafe fn out<'a, T>(ptr: *mut T, what: &str) -> Result<&'a mut MaybeUninit<T>> {
    if ptr.is_null() || !ptr.is_aligned() {
        return Err(bad(what, "expected a pointer to where the result goes"));
    }
    // SAFETY: not null and aligned; the caller promises that it can be written to.
    Ok(unsafe { &mut *ptr.cast::<MaybeUninit<T>>() })
}

/// A struct that begins with its size, of a host that may have been compiled with another header. Members that an older
/// header lacks are zero; members of a newer header are refused unless they are zero.
///
/// # Safety
/// A pointer that is not null points to a struct whose first member, a `size_t`, holds its size. All of `T`'s
/// members may be zero.
pub(crate) unsafe fn sized<T: Copy>(ptr: *const T, least: usize, what: &str) -> Result<T> {
    if ptr.is_null() || !ptr.is_aligned() {
        return Err(bad(what, "expected a pointer to the struct"));
    }
    // SAFETY: the struct begins with its size.
    let size = unsafe { *ptr.cast::<usize>() };
    if size < least || size > MAX_LEN {
        return Err(bad(what, &format!("size: expected sizeof the struct, at least {least}, got {size}")));
    }
    let known = size.min(size_of::<T>());
    // SAFETY: `size` bytes are readable by the host's word.
    let beyond = unsafe { std::slice::from_raw_parts(ptr.cast::<u8>().add(known), size - known) };
    if beyond.iter().any(|byte| *byte != 0) {
        return Err(Error::new(
            ErrorCode::Unsupported,
            format!("{what}: the host uses members that this version of kraken_ws does not have"),
        ));
    }
    let mut copy = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes are readable there and fit here; zero is a value of each other member.
    unsafe {
        std::ptr::copy_nonoverlapping(ptr.cast::<u8>(), copy.as_mut_ptr().cast::<u8>(), known);
        Ok(copy.assume_init())
    }
}

/// Fills a struct that begins with its size, up to the members that the host's header has. `make` gets that size.
///
/// # Safety
/// Null, or a writable struct whose first member, a `size_t`, holds its size.
pub(crate) unsafe fn write_sized<T: Copy>(
    ptr: *mut T,
    least: usize,
    what: &str,
    make: impl FnOnce(usize) -> Result<T>,
) -> Result<()> {
    if ptr.is_null() || !ptr.is_aligned() {
        return Err(bad(what, "expected a pointer to the struct"));
    }
    // SAFETY: the struct begins with its size.
    let size = unsafe { ptr.cast::<usize>().read() };
    if size < least {
        return Err(bad(what, &format!("size: expected sizeof the struct, at least {least}, got {size}")));
    }
    let made = make(size)?;
    let length = size.min(size_of::<T>());
    // SAFETY: `size` bytes are the host's struct; no more are written.
    unsafe { std::ptr::copy_nonoverlapping((&raw const made).cast::<u8>(), ptr.cast::<u8>(), length) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Newer {
        size: usize,
        a: usize,
        b: usize,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Known {
        size: usize,
        a: usize,
    }

    #[test]
    fn a_newer_struct_is_taken_while_its_new_members_are_zero() {
        let mut newer = Newer { size: size_of::<Newer>(), a: 5, b: 0 };
        let read = |newer: &Newer| {
            // SAFETY: the struct is there and says how long it is.
            unsafe { sized(std::ptr::from_ref(newer).cast::<Known>(), size_of::<usize>(), "s") }
        };
        assert_eq!(read(&newer).unwrap().a, 5);
        newer.b = 1;
        assert_eq!(read(&newer).err().unwrap().code(), ErrorCode::Unsupported);
        newer.size = 0;
        assert_eq!(read(&newer).err().unwrap().code(), ErrorCode::Argument);
        newer.size = size_of::<usize>();
        assert_eq!(read(&newer).unwrap().a, 0, "an older struct ends before `a`");
    }
}
