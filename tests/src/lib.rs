//! Black-box tests of the Rust host API live in `tests/`; this crate itself is empty.
