//! The fuzz targets without a fuzzer: each runs its seeds and random mutations of them for a few seconds. The random
//! numbers are the same in each run. `make fuzz` runs the real fuzzer.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

#[path = "../fuzz/targets/mod.rs"]
mod targets;

/// Limits of the time and the number of inputs for a target.
const MOMENT: Duration = Duration::from_secs(4);
const INPUTS: usize = 50_000;

/// Limits of the number and the size of a target's seeds.
const MAX_SEEDS: usize = 64;
const MAX_SEED: usize = 4096;

/// Bytes that change the state of the parsers.
const TURNS: &[u8] = b"\0\x01\x1e\x7e\x7f\x80\x81\x82\x88\x89\xc1\xed\xf4\xff\r\n\"\\{}[]:,-/0123456789$*%>|";

/// xorshift64*.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end.max(1)
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        match self.below(7) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = TURNS[self.below(TURNS.len())],
            2 => input.insert(at, TURNS[self.below(TURNS.len())]),
            3 => input.truncate(at),
            4 => {
                let end = (at + self.below(16)).min(input.len());
                input.drain(at..end);
            }
            5 => {
                let end = (at + self.below(64)).min(input.len());
                let again = input[at..end].to_vec();
                input.splice(at..at, again);
            }
            _ => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
        input.truncate(MAX_SEED);
    }
}

fn run(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("seeds").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!((1..=MAX_SEEDS).contains(&seeds.len()), "{} seeds of {name}", seeds.len());
    assert!(seeds.iter().all(|seed| seed.len() <= MAX_SEED), "a seed of {name} is too long");
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let begin = Instant::now();
    let mut done = 0;
    let mut last = Vec::new();
    for input in &seeds {
        targets::run(name, input);
        done += 1;
    }
    while done < INPUTS && begin.elapsed() < MOMENT {
        // Half of the time, mutate the last input further.
        if last.is_empty() || chance.below(2) == 0 {
            last = seeds[chance.below(seeds.len())].clone();
        }
        for _ in 0..=chance.below(4) {
            chance.change(&mut last, &seeds);
        }
        let input = last.clone();
        let failed = std::panic::catch_unwind(|| targets::run(name, &input)).is_err();
        assert!(!failed, "{name} fails at {}", last.escape_ascii());
        done += 1;
    }
    println!("{name}: {done} inputs in {:?}", begin.elapsed());
}

macro_rules! moments {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn every_target_has_its_moment() {
            let here = [$(stringify!($name)),*];
            assert_eq!(targets::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>(), here);
        }
    };
}

moments! { cluster_wire engine http_query http_request msgpack packet polling_payload resp ws_frames }
