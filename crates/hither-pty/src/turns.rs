//! How long a thread's turns on the CPU are.

use std::io;
use std::time::Duration;

/// The kernel's `struct sched_attr` in its first version (sched_setattr(2)).
#[repr(C)]
#[derive(Debug, Default)]
struct SchedAttr {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime_ns: u64,
    deadline_ns: u64,
    period_ns: u64,
}

const SCHED_ATTR_SIZE_VER0: u32 = 48;
const SCHED_OTHER: u32 = 0;
/// What the thread starts does not inherit its turns.
const SCHED_FLAG_RESET_ON_FORK: u64 = 1;

/// Asks for turns of `slice` for the calling thread, instead of the usual few milliseconds.
///
/// Its share of the CPU stays the same. But a thread with shorter turns has them sooner: when it
/// wakes up, it need not wait until those with longer ones are through with theirs (EEVDF, Linux 6.12
/// and later; the kernel takes 100 µs to 100 ms). Earlier kernels do nothing.
///
/// # Errors
/// Where the thread is confined to other system calls.
pub fn shorten_turns(slice: Duration) -> io::Result<()> {
    set_turns(u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX))
}

/// Takes [`shorten_turns`] back.
///
/// # Errors
/// Where the thread is confined to other system calls.
pub fn usual_turns() -> io::Result<()> {
    set_turns(0)
}

fn set_turns(runtime_ns: u64) -> io::Result<()> {
    let attributes = SchedAttr {
        size: SCHED_ATTR_SIZE_VER0,
        policy: SCHED_OTHER,
        flags: SCHED_FLAG_RESET_ON_FORK,
        // Whoever was started with less than the usual share may not take the usual one.
        nice: rustix::process::getpriority_process(None)?,
        runtime_ns,
        ..SchedAttr::default()
    };
    // SAFETY: the structure has the size that it names and lives through the call.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_shortens_the_turns_of_this_thread_only() {
        shorten_turns(Duration::from_micros(100)).unwrap();
        let short = told();
        usual_turns().unwrap();
        let usual = told();
        let elsewhere = std::thread::spawn(told).join().unwrap();
        let version = rustix::system::uname().release().to_string_lossy().into_owned();
        let mut numbers = version.split('.').filter_map(|part| part.parse::<u32>().ok());
        if (numbers.next(), numbers.next()) >= (Some(6), Some(12)) {
            assert_eq!(short, 100_000);
            assert!(usual > short && elsewhere == usual, "{usual} ns, elsewhere {elsewhere} ns");
        }
    }

    fn told() -> u64 {
        let mut told = SchedAttr::default();
        // SAFETY: the kernel writes at most as many bytes as it is told that there are.
        let result = unsafe {
            let size = SCHED_ATTR_SIZE_VER0;
            libc::syscall(libc::SYS_sched_getattr, 0, &raw mut told, size, 0)
        };
        assert_eq!((result, told.policy), (0, SCHED_OTHER));
        told.runtime_ns
    }
}
