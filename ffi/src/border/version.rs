//! The version of the loaded library.

use std::ffi::{CStr, c_char};

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("the package version holds a NUL byte"),
};

/// Returns the version of the library that is loaded, for example `0.1.0`: NUL-terminated ASCII. Compare it with
/// `KRAKEN_WS_VERSION`, that of the header.
///
/// The text is valid for as long as the library is loaded; do not free it. May be called from any
/// thread and before anything else.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub extern "C" fn kraken_ws_version() -> *const c_char {
    VERSION.as_ptr()
}

#[cfg(test)]
mod tests {
    use super::VERSION;

    #[test]
    fn version_is_the_packages_version() {
        assert_eq!(VERSION.to_str(), Ok(env!("CARGO_PKG_VERSION")));
    }
}
