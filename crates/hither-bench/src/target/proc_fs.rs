//! What `/proc` says about processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A process number.
pub(super) type ProcessId = i32;

/// The processes whose environment has the entry `tag`, or an argument of which begins with `dir`:
/// a server may give those that outlive it an environment of their own.
pub(super) fn processes_of(tag: &str, dir: &Path) -> Vec<ProcessId> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let names_dir = |id| arguments(id).iter().any(|argument| Path::new(argument).starts_with(dir));
    ids.filter(|id| has_entry(*id, tag) || names_dir(*id)).collect()
}

fn has_entry(id: ProcessId, tag: &str) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{id}/environ")) else { return false };
    environment.split(|byte| *byte == 0).any(|entry| entry == tag.as_bytes())
}

/// The file that a process executes.
pub(super) fn executable(id: ProcessId) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{id}/exe")).ok()
}

/// The arguments of a process.
pub(super) fn arguments(id: ProcessId) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let arguments = bytes.split(|byte| *byte == 0);
    arguments.map(|argument| String::from_utf8_lossy(argument).into_owned()).collect()
}

/// CPU time of all threads that the process has now, to the nanosecond.
pub(super) fn cpu_time(id: ProcessId) -> Duration {
    let Ok(tasks) = fs::read_dir(format!("/proc/{id}/task")) else { return Duration::ZERO };
    let times = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}

/// Proportional set size in bytes: shared pages count by the share.
pub(super) fn pss(id: ProcessId) -> u64 {
    field(&format!("/proc/{id}/smaps_rollup"), "Pss:")
}

/// Largest resident set so far in bytes.
pub(super) fn peak_rss(id: ProcessId) -> u64 {
    field(&format!("/proc/{id}/status"), "VmHWM:")
}

fn field(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_this_process() {
        let id = std::process::id().try_into().unwrap();
        assert_eq!(executable(id), std::env::current_exe().ok());
        assert!(!arguments(id).is_empty());
        assert!(pss(id) > 100_000 && peak_rss(id) >= pss(id) / 2);
        let before = cpu_time(id);
        let mut sum = 0_u64;
        while cpu_time(id) <= before {
            sum = std::hint::black_box(sum + 1);
        }
    }

    #[test]
    fn a_process_that_is_not_there_has_nothing() {
        assert_eq!(cpu_time(-1), Duration::ZERO);
        assert_eq!(pss(-1), 0);
        assert_eq!(executable(-1), None);
        assert!(processes_of("HITHER_BENCH_NOBODY=1", Path::new("/nowhere/at/all")).is_empty());
    }
}
