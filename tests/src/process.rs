//! This process as the kernel shows it. Each test has a process of its own under nextest.

use std::fs;

/// Open descriptors.
pub fn descriptors() -> usize {
    // The directory itself is open while it is read.
    fs::read_dir("/proc/self/fd").expect("/proc").count() - 1
}

/// Thread ids of the shards that run.
pub fn shards() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").expect("/proc");
    tasks
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|tid| {
            fs::read_to_string(format!("/proc/self/task/{tid}/comm"))
                .is_ok_and(|name| name.starts_with("kraken-shard-"))
        })
        .collect()
}

/// Calls to `write` and its kin by this thread, ever. Those that send to sockets are not among them.
pub fn own_writes() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/io").expect("io");
    text.lines().find_map(|line| line.strip_prefix("syscw: ")?.parse().ok()).expect("syscw")
}

/// Resident memory in bytes.
pub fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("kB") * 1024
}
