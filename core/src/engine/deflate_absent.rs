//! Compression of a build without the feature `compression`. Options that ask for it are refused, so nothing is compressed.

/// Why a message can't be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(dead_code)] // the same names, whether they are needed or not
pub enum InflateError {
    /// It would be longer than the limit.
    TooBig,
    /// It is not a deflate stream.
    Corrupt,
}

pub(crate) fn negotiate(_header: &str) -> Option<String> {
    None
}

/// No client was told that messages may be compressed.
pub(crate) fn compress(_payload: &[u8]) -> Vec<u8> {
    unreachable!("a server with compression was refused")
}

pub(crate) fn decompress(_payload: &[u8], _limit: usize) -> Result<Vec<u8>, InflateError> {
    Err(InflateError::Corrupt)
}

pub(crate) fn encode(_encoding: &str, _body: &[u8]) -> Vec<u8> {
    unreachable!("a server with compression was refused")
}
