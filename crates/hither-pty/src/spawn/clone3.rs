//! clone3(2), for what clone(2) cannot do: start a process in a cgroup.
//!
//! Moving a process there afterwards makes the kernel wait for every processor (measured: up to
//! 23 ms); this does not.

use std::ffi::{c_int, c_long, c_void};
use std::io;

/// A function that a child runs on a stack of its own, and that never returns.
pub(super) type Entry = extern "C" fn(*mut c_void) -> c_int;

/// `struct clone_args`, up to the member for the cgroup.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct Args {
    pub(super) flags: u64,
    /// Address of the number that gets the handle of the child.
    pub(super) pidfd: u64,
    pub(super) child_tid: u64,
    pub(super) parent_tid: u64,
    pub(super) exit_signal: u64,
    /// Lowest address of the stack.
    pub(super) stack: u64,
    pub(super) stack_size: u64,
    pub(super) tls: u64,
    pub(super) set_tid: u64,
    pub(super) set_tid_size: u64,
    /// Directory of the cgroup.
    pub(super) cgroup: u64,
}

/// Makes a child that runs `entry(argument)`; its number.
///
/// # Errors
/// The kernel's, ENOSYS on processors for which this is not written among them.
///
/// # Safety
/// As for clone(2): what `args` point to is valid, the upper end of the stack is aligned to 16
/// bytes, nothing else uses the stack while the child does, and `entry` does nothing that the flags
/// forbid and does not return.
pub(super) unsafe fn clone3(args: &Args, entry: Entry, argument: *mut c_void) -> io::Result<i32> {
    // SAFETY: the caller's promises are those of `raw`.
    let result = unsafe { raw(args, entry, argument) };
    match i32::try_from(result) {
        Ok(pid) if pid > 0 => Ok(pid),
        Ok(errno) => Err(io::Error::from_raw_os_error(-errno)),
        Err(_) => Err(io::Error::from_raw_os_error(libc::EIO)),
    }
}

#[cfg(target_arch = "x86_64")]
unsafe fn raw(args: &Args, entry: Entry, argument: *mut c_void) -> c_long {
    let mut result: c_long = libc::SYS_clone3;
    // SAFETY: the child has the new stack from the system call on and leaves by the call of `entry`,
    // which does not return. In the caller only the registers named here have changed.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, {argument}",
            "call {entry}",
            "ud2",
            "2:",
            entry = in(reg) entry,
            argument = in(reg) argument,
            inout("rax") result,
            in("rdi") std::ptr::from_ref(args),
            in("rsi") size_of::<Args>(),
            out("rcx") _,
            out("r11") _,
        );
    }
    result
}

#[cfg(target_arch = "aarch64")]
unsafe fn raw(args: &Args, entry: Entry, argument: *mut c_void) -> c_long {
    let result: c_long;
    // SAFETY: as on the other processor.
    unsafe {
        std::arch::asm!(
            "svc #0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, {argument}",
            "blr {entry}",
            "brk #1",
            "2:",
            entry = in(reg) entry,
            argument = in(reg) argument,
            in("x8") libc::SYS_clone3,
            inout("x0") std::ptr::from_ref(args) => result,
            in("x1") size_of::<Args>(),
        );
    }
    result
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn raw(_: &Args, _: Entry, _: *mut c_void) -> c_long {
    -c_long::from(libc::ENOSYS)
}
