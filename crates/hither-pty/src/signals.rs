//! Signal dispositions and masks, by bare system calls.
//!
//! The C library refuses to touch the signals that it uses itself (32 and 33 on glibc), but a
//! process may have inherited even these ignored or blocked.

#![allow(unsafe_code, reason = "rt_sigaction and rt_sigprocmask have no safe wrapper")]

use std::ffi::{c_int, c_long, c_void};
use std::ptr;

/// Number of the last signal.
const LAST: c_int = 64;

/// Puts every signal at its default disposition and lets all through, as execve(2) should find it;
/// but SIGPIPE is ignored, as the Rust runtime has it, and so is SIGXFSZ.
pub fn reset_signals() {
    for signal in 1..=LAST {
        set_default(signal);
    }
    // SAFETY: ignoring a signal runs no code.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    survive_full_files();
    SignalSet::EMPTY.install(None);
}

/// Ignores SIGXFSZ: a write beyond the limit of file sizes is an error (EFBIG), as one to a full disk
/// is, and no reason to end (setrlimit(2), `RLIMIT_FSIZE`). Children start with the default again.
pub fn survive_full_files() {
    // SAFETY: ignoring a signal runs no code.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// Lets no signal through to the calling thread until [`release_signals`]; what comes meanwhile
/// waits, even across execve(2). For a program that hands its process over to another one.
pub fn hold_signals() {
    SignalSet::ALL.install(None);
}

/// Lets all signals through to the calling thread.
pub fn release_signals() {
    SignalSet::EMPTY.install(None);
}

/// Puts every signal at its default disposition; for a child before execve, so it makes system
/// calls only.
pub(crate) fn set_all_default() -> Result<(), c_long> {
    for signal in 1..=LAST {
        let unchangeable = signal == libc::SIGKILL || signal == libc::SIGSTOP;
        let result = set_default(signal);
        if result < 0 && !unchangeable {
            return Err(result);
        }
    }
    Ok(())
}

fn set_default(signal: c_int) -> c_long {
    // The kernel's struct sigaction, of whatever layout: all zero is SIG_DFL, no flags, no mask.
    let default = [0_u64; 8];
    // SAFETY: `default` is larger than the struct on every architecture, and only read.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            c_long::from(signal),
            default.as_ptr(),
            ptr::null_mut::<c_void>(),
            size_of::<SignalSet>(),
        )
    }
}

/// The kernel's own signal set.
#[repr(transparent)]
pub(crate) struct SignalSet(u64);

impl SignalSet {
    pub(crate) const ALL: Self = Self(!0);
    pub(crate) const EMPTY: Self = Self(0);

    /// One signal, by its number.
    pub(crate) const fn only(signal: c_int) -> Self {
        Self(1 << (signal - 1))
    }

    /// Makes this the mask of the calling thread. It cannot fail: the arguments are constants.
    pub(crate) fn install(&self, before: Option<&mut Self>) {
        let before = before.map_or(ptr::null_mut(), ptr::from_mut);
        // SAFETY: both pointers are valid for the eight bytes of a set, or null.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigprocmask,
                c_long::from(libc::SIG_SETMASK),
                ptr::from_ref(self),
                before,
                size_of::<Self>(),
            )
        };
    }
}
