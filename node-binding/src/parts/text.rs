//! A JavaScript string as UTF-8. Node-API returns the length only to a separate call, and both calls walk the string.
//! Most messages are short, so a read into a small buffer is tried first.

use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue};
use napi::{Status, ValueType, sys};

/// Buffer size that fits most messages; an allocation of this size costs the allocator as little as a small one.
const GUESS: usize = 1024;

/// UTF-8 text of a string argument.
pub struct Text(pub String);

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl TypeName for Text {
    fn type_name() -> &'static str {
        "String"
    }

    fn value_type() -> ValueType {
        ValueType::String
    }
}

impl ValidateNapiValue for Text {}

impl FromNapiValue for Text {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: `env` and `value` are live for the duration of this call, as the trait promises.
        let bytes = unsafe {
            let (bytes, cut) = read(env, value, GUESS)?;
            if cut {
                let mut length = 0;
                check(sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &mut length))?;
                read(env, value, length + 1)?.0
            } else {
                bytes
            }
        };
        String::from_utf8(bytes)
            .map(Text)
            .map_err(|_| napi::Error::new(Status::InvalidArg, "the string is not valid Unicode".to_owned()))
    }
}

/// Reads into a buffer of `capacity` bytes, terminator included. The flag says that the string may be longer: a last
/// character of up to four bytes may not have fitted.
///
/// # Safety
/// `env` and `value` must be live.
unsafe fn read(env: sys::napi_env, value: sys::napi_value, capacity: usize) -> napi::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::<u8>::with_capacity(capacity);
    let mut written = 0;
    // SAFETY: the buffer has `capacity` bytes; Node-API writes `written` of them and a terminator.
    unsafe {
        check(sys::napi_get_value_string_utf8(
            env,
            value,
            bytes.as_mut_ptr().cast(),
            capacity,
            &mut written,
        ))?;
        bytes.set_len(written);
    }
    Ok((bytes, written + 4 >= capacity))
}

fn check(status: sys::napi_status) -> napi::Result<()> {
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(napi::Error::new(Status::from(status), "expected a string".to_owned()))
    }
}
