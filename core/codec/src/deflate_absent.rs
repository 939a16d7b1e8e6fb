//! Compression in a build without the feature `compression`. Options that enable it are refused, so nothing is
//! compressed.

/// The reason why a message can't be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InflateError {
    /// The result would be longer than the limit.
    TooBig,
    /// The input is not a deflate stream.
    Corrupt,
}

/// No offer is taken.
pub fn negotiate(_header: &str) -> Option<String> {
    None
}

/// Never called: no client negotiated compression.
pub fn compress(_payload: &[u8]) -> Vec<u8> {
    unreachable!("a server with compression was refused")
}

/// No frame can be compressed, as none was agreed on.
pub fn decompress(_payload: &[u8], _limit: usize) -> Result<Vec<u8>, InflateError> {
    Err(InflateError::Corrupt)
}

/// Never called: `httpCompression` was refused.
pub fn encode(_encoding: &str, _body: &[u8]) -> Vec<u8> {
    unreachable!("a server with compression was refused")
}
