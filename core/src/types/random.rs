//! Random numbers from the system's CSPRNG.

use ring::rand::{SecureRandom, SystemRandom};

/// Fills `bytes`. Panics if the system has no random numbers, because session ids must be secret.
pub(crate) fn fill(bytes: &mut [u8]) {
    SystemRandom::new().fill(bytes).expect("the system's random generator works");
}

/// A random number.
pub(crate) fn u32() -> u32 {
    let mut bytes = [0; 4];
    fill(&mut bytes);
    u32::from_ne_bytes(bytes)
}
