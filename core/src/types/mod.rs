//! Plain types without behaviour, which every folder may use.

pub(crate) mod change;
pub(crate) mod error;
pub(crate) mod flags;
pub(crate) mod headers;
pub(crate) mod ids;
pub(crate) mod raw_message;
pub mod reason;
pub(crate) mod request;
pub(crate) mod target;
