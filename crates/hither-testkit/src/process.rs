//! What the kernel says about a process, in proc(5).

use std::fs;
use std::io;
use std::path::Path;

/// Resources of a process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Open descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
    /// Memory of its own in KiB: what is shared with files or other processes is not counted.
    pub memory_kib: u64,
}

/// What a process uses.
///
/// # Errors
/// When it is gone, or its descriptors are hidden from this user.
pub fn usage(pid: rustix::process::Pid) -> io::Result<Usage> {
    let folder = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    let status = fs::read_to_string(folder.join("status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    Ok(Usage {
        descriptors: fs::read_dir(folder.join("fd"))?.count(),
        threads: usize::try_from(field("Threads")).unwrap_or(0),
        memory_kib: field("RssAnon"),
    })
}

/// Processes whose command line has `word` among its words.
///
/// # Errors
/// When proc(5) cannot be read.
pub fn find(word: &str) -> io::Result<Vec<rustix::process::Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let number = entry.file_name().to_string_lossy().parse::<i32>();
        let Some(pid) = number.ok().and_then(rustix::process::Pid::from_raw) else { continue };
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if words.split(|&byte| byte == 0).any(|found| found == word.as_bytes()) {
            found.push(pid);
        }
    }
    Ok(found)
}
