//! Handles: the values behind the opaque pointers of the header.
//!
//! A host has pointers to types without members, such as `kraken_ws_server`. Each points to a [`Handle`]: a magic number
//! of its kind, followed by the library's value.

use std::any::Any;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

use kraken_ws_core::{Error, ErrorCode, Result};

use super::fork;
use super::guarded::Guarded;
use super::text::bad;
use super::wait::lock;

/// A server. Every function that takes one may be called from any thread. What remains of one after
/// `kraken_ws_server_free` (64 bytes) is kept until the process ends, so that a late or second use is answered
/// with `GONE` instead of touching freed memory.
#[repr(C)]
pub struct kraken_ws_server {
    _private: [u8; 0],
}

/// A value behind a handle.
pub(crate) trait Handled {
    /// The opaque type of the header.
    type Opaque;
    /// Magic number in front of the value, different for each kind.
    const MAGIC: u64;
    /// Name of the kind in error messages.
    const KIND: &'static str;
    /// The functions that return such a handle, for error messages.
    const MADE_BY: &'static str;
}

/// A value behind the magic number of its kind.
#[repr(C)]
pub(crate) struct Handle<T: Handled> {
    magic: u64,
    value: T,
}

impl<T: Handled> Handle<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { magic: T::MAGIC, value }
    }

    /// A handle that the host frees with [`Handle::free`].
    pub(crate) fn boxed(value: T) -> *mut T::Opaque {
        Box::into_raw(Box::new(Self::new(value))).cast()
    }

    /// The host's pointer to this handle.
    pub(crate) fn pointer(&self) -> *mut T::Opaque {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// The handle behind a pointer of the host.
    ///
    /// # Safety
    /// A pointer that is not null comes from the library and was not freed, unless its kind is [`Lasting`].
    pub(crate) unsafe fn get<'a>(pointer: *const T::Opaque) -> Result<&'a Self> {
        let pointer = pointer.cast::<Self>();
        if pointer.is_null() || !pointer.is_aligned() {
            return Err(bad(T::KIND, "a null pointer"));
        }
        // SAFETY: the caller's promise. Every handle begins with its magic number, so one of another kind is noticed.
        if unsafe { (&raw const (*pointer).magic).read() } != T::MAGIC {
            return Err(bad(T::KIND, &format!("the pointer is not of {}", T::MADE_BY)));
        }
        // SAFETY: as above, and the kind is right.
        Ok(unsafe { &*pointer })
    }

    /// The handle behind a pointer, to change it.
    ///
    /// # Safety
    /// As [`Handle::get`], and no other thread uses the handle.
    pub(crate) unsafe fn get_mut<'a>(pointer: *mut T::Opaque) -> Result<&'a mut Self> {
        // SAFETY: the caller's promise is the same, and `get` has looked at the pointer.
        unsafe {
            Self::get(pointer)?;
            Ok(&mut *pointer.cast::<Self>())
        }
    }

    /// Frees a handle of [`Handle::boxed`]; does nothing for null and for handles of another kind.
    ///
    /// # Safety
    /// As [`Handle::get`].
    pub(crate) unsafe fn free(pointer: *mut T::Opaque) {
        // SAFETY: what passes `get` came from `Box::into_raw`, and is freed once by contract.
        unsafe {
            if Self::get(pointer).is_ok() {
                drop(Box::from_raw(pointer.cast::<Self>()));
            }
        }
    }
}

impl<T: Handled> Drop for Handle<T> {
    fn drop(&mut self) {
        self.magic = 0;
    }
}

impl<T: Handled> Deref for Handle<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Handled> DerefMut for Handle<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// Content of a handle that is never deallocated, so that late calls and a second free are detected.
pub(crate) struct Lasting<T> {
    /// Fork generation of the process that made the handle.
    generation: u32,
    value: Guarded<T>,
}

/// Leak checkers find the handles that are never deallocated here.
static LASTING: Mutex<Vec<&'static (dyn Any + Send + Sync)>> = Mutex::new(Vec::new());

impl<T: Send + Sync + 'static> Handle<Lasting<T>>
where
    Lasting<T>: Handled,
{
    pub(crate) fn lasting(value: T) -> &'static Self {
        let value = Lasting { generation: fork::generation(), value: Guarded::new(value) };
        let handle: &'static Self = Box::leak(Box::new(Self::new(value)));
        lock(&LASTING).push(handle);
        handle
    }

    /// Runs `act` on the value behind a pointer of the host, unless the value was freed or belongs to another process.
    ///
    /// # Safety
    /// A pointer that is not null comes from the library.
    pub(crate) unsafe fn with<R>(
        pointer: *const <Lasting<T> as Handled>::Opaque,
        act: impl FnOnce(&T) -> Result<R>,
    ) -> Result<R> {
        // SAFETY: the caller's promise is the same.
        let handle = unsafe { Self::get(pointer)? };
        fork::check(handle.generation, Lasting::<T>::KIND)?;
        match handle.value.value.enter() {
            Some(value) => act(&value),
            None => Err(gone(Lasting::<T>::KIND)),
        }
    }

    /// Frees the value: new calls are refused, and the last call in progress drops the value.
    ///
    /// # Errors
    /// [`ErrorCode::Gone`] if the value was freed before.
    pub(crate) fn end(&self) -> Result<()> {
        if self.value.value.free() { Ok(()) } else { Err(gone(Lasting::<T>::KIND)) }
    }
}

fn gone(kind: &str) -> Error {
    Error::new(ErrorCode::Gone, format!("the {kind} has been freed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Number(u32);
    pub(crate) struct Opaque;

    impl Handled for Number {
        type Opaque = Opaque;
        const MAGIC: u64 = 17;
        const KIND: &'static str = "number";
        const MADE_BY: &'static str = "a test";
    }

    impl Handled for Lasting<u32> {
        type Opaque = Opaque;
        const MAGIC: u64 = 18;
        const KIND: &'static str = "lasting number";
        const MADE_BY: &'static str = "a test";
    }

    #[test]
    fn a_handle_of_another_kind_is_noticed() {
        let number = Handle::boxed(Number(5));
        // SAFETY: the pointer is of a handle.
        unsafe {
            assert_eq!(Handle::<Number>::get(number).map(|number| number.0).ok(), Some(5));
            let error = Handle::<Lasting<u32>>::get(number).err().unwrap();
            assert_eq!(error.message(), "lasting number: the pointer is not of a test");
            let null = std::ptr::null::<Opaque>();
            assert_eq!(Handle::<Number>::get(null).err().unwrap().message(), "number: a null pointer");
            Handle::<Number>::free(number);
        }
    }

    #[test]
    fn a_lasting_handle_knows_that_it_was_freed() {
        let handle = Handle::lasting(5u32);
        // SAFETY: the pointer is of a handle that is never deallocated.
        let read = || unsafe { Handle::<Lasting<u32>>::with(handle.pointer(), |value| Ok(*value)) };
        assert_eq!(read().unwrap(), 5);
        handle.end().unwrap();
        assert_eq!(read().unwrap_err().code(), ErrorCode::Gone);
        assert_eq!(handle.end().unwrap_err().message(), "the lasting number has been freed");
    }
}
