//! Random numbers of the system's CSPRNG.

use ring::rand::{SecureRandom, SystemRandom};

/// Fills `bytes`. A system without random numbers can't serve: session ids are secrets.
pub(crate) fn fill(bytes: &mut [u8]) {
    SystemRandom::new().fill(bytes).expect("the system's random generator works");
}

/// Any number.
pub(crate) fn u32() -> u32 {
    let mut bytes = [0; 4];
    fill(&mut bytes);
    u32::from_ne_bytes(bytes)
}
