//! Compression in a build without the feature `compression`. Options that enable it are refused, so nothing is
//! compressed.

/// The reason why a message can't be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(dead_code)] // the same names, whether they are needed or not
pub enum InflateError {
    /// The result would be longer than the limit.
    TooBig,
    /// The input is not a deflate stream.
    Corrupt,
}

pub(crate) fn negotiate(_header: &str) -> Option<String> {
    None
}

/// Never called: no client negotiated compression.
pub(crate) fn compress(_payload: &[u8]) -> Vec<u8> {
    unreachable!("a server with compression was refused")
}

pub(crate) fn decompress(_payload: &[u8], _limit: usize) -> Result<Vec<u8>, InflateError> {
    Err(InflateError::Corrupt)
}

pub(crate) fn encode(_encoding: &str, _body: &[u8]) -> Vec<u8> {
    unreachable!("a server with compression was refused")
}
