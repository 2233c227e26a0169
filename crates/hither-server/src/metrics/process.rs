//! What the kernel knows of this process.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Use of the machine by this process; zero where the kernel does not say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Process {
    pub(crate) cpu: Duration,
    pub(crate) resident_bytes: u64,
    pub(crate) open_files: usize,
}

impl Process {
    /// As it is now.
    pub(crate) fn read() -> Self {
        Self {
            cpu: cpu(ClockId::ProcessCPUTime),
            resident_bytes: resident_pages().unwrap_or(0) * page_bytes(),
            open_files: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
        }
    }
}

/// CPU time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    cpu(ClockId::ThreadCPUTime)
}

fn cpu(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// The second field of /proc/self/statm (proc(5)).
fn resident_pages() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    statm.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn page_bytes() -> u64 {
    rustix::param::page_size() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_uses_something() {
        let process = Process::read();
        assert!(process.resident_bytes > 1 << 20, "{process:?}");
        assert!(process.open_files > 2 && process.cpu > Duration::ZERO, "{process:?}");
        assert!(thread_cpu() > Duration::ZERO);
    }
}
