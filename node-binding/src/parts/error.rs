//! Core errors as JavaScript errors: `code` is `ERR_KRAKEN_WS_<NAME>`, the message is the core's.

use kraken_ws_core::ErrorCode;
use napi::Status;

/// The `code` property of a thrown error.
pub struct Code(String);

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Status> for Code {
    fn from(status: Status) -> Self {
        Self(status.as_ref().to_owned())
    }
}

/// Result of everything that JavaScript calls.
pub(crate) type Result<T> = std::result::Result<T, napi::Error<Code>>;

/// For `map_err`: a core error becomes a JavaScript error.
pub(crate) fn thrown(error: kraken_ws_core::Error) -> napi::Error<Code> {
    coded(error.code(), error.message())
}

/// An error made here, with its code.
pub(crate) fn coded(code: ErrorCode, message: &str) -> napi::Error<Code> {
    napi::Error::new(Code(format!("ERR_KRAKEN_WS_{}", code.name())), message.to_owned())
}

/// An error of Node-API itself, with its own status as the code.
pub(crate) fn node(error: napi::Error) -> napi::Error<Code> {
    napi::Error::new(Code::from(error.status), error.reason.to_string())
}
