//! What the kernel says about the server's process and about our own.

use std::fs;
use std::time::Duration;

/// CPU time of a whole process, ended threads included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    pub user: Duration,
    pub system: Duration,
}

impl Cpu {
    /// The total comes from the process's CPU clock, exact to the nanosecond; `/proc/PID/stat`, which
    /// counts in 10 ms ticks, gives only the split into user and system.
    pub fn of(pid: u32) -> Result<Self, String> {
        let total = cpu_clock(pid)?;
        let stat = read(pid, "stat")?;
        // The command name is in parentheses and may hold spaces; utime and stime are fields 14 and 15.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let mut fields = after_name.split_whitespace().skip(11);
        let mut ticks = || fields.next().and_then(|field| field.parse::<f64>().ok());
        let (Some(user), Some(system)) = (ticks(), ticks()) else {
            return Err(format!("/proc/{pid}/stat is not understood"));
        };
        let user_share = if user + system > 0.0 { user / (user + system) } else { 1.0 };
        let user = total.mul_f64(user_share);
        Ok(Self { user, system: total.saturating_sub(user) })
    }

    pub fn total(self) -> Duration {
        self.user + self.system
    }

    pub fn since(self, earlier: Self) -> Self {
        // The split is an estimate and may step back by a fraction of a tick; the total cannot.
        let total = self.total().saturating_sub(earlier.total());
        let system = self.system.saturating_sub(earlier.system).min(total);
        Self { user: total - system, system }
    }
}

fn cpu_clock(pid: u32) -> Result<Duration, String> {
    let mut clock: libc::clockid_t = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both out-pointers are valid for the length of their call.
    let failed = unsafe {
        libc::clock_getcpuclockid(pid as libc::pid_t, &mut clock) != 0
            || libc::clock_gettime(clock, &mut time) != 0
    };
    if failed {
        return Err(format!("no CPU clock for process {pid}: has it ended?"));
    }
    Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

/// Resident memory in KiB.
pub fn rss_kib(pid: u32) -> Result<u64, String> {
    let rollup = read(pid, "smaps_rollup")?;
    rollup
        .lines()
        .find_map(|line| line.strip_prefix("Rss:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
        .ok_or_else(|| format!("/proc/{pid}/smaps_rollup has no Rss"))
}

fn read(pid: u32, name: &str) -> Result<String, String> {
    fs::read_to_string(format!("/proc/{pid}/{name}")).map_err(|error| format!("/proc/{pid}/{name}: {error}"))
}

/// The clock in which the servers stamp their messages.
pub fn monotonic_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec that outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Raises the descriptor limit as far as it goes; the server started later inherits it.
pub fn raise_descriptor_limit(wanted: u64) -> Result<(), String> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit that outlives both calls.
    let ok = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 && {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit) == 0
        }
    };
    if !ok || limit.rlim_cur < wanted {
        return Err(format!("{wanted} descriptors are needed, the limit is {}", limit.rlim_cur));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_cpu_time_grows_with_work() {
        let pid = std::process::id();
        let before = Cpu::of(pid).unwrap();
        let began = std::time::Instant::now();
        let mut sum = 0u64;
        while began.elapsed() < Duration::from_millis(30) {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        let spent = Cpu::of(pid).unwrap().since(before).total();
        assert!(spent > Duration::from_millis(2), "{spent:?}");
    }

    #[test]
    fn own_memory_is_seen() {
        let pid = std::process::id();
        let before = rss_kib(pid).unwrap();
        let block = vec![1u8; 32 << 20];
        std::hint::black_box(&block);
        assert!(rss_kib(pid).unwrap() >= before + 30_000);
    }
}
