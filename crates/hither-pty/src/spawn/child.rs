//! What the child does between clone and execve.
//!
//! It shares the memory of the caller, whose thread is suspended meanwhile. So this code makes
//! system calls and nothing else: no allocation, no lock, no panic, no destructor. The functions
//! of the C library used here are bare system calls on glibc and musl alike.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::Rlimit;

use super::{SpawnError, Stage};
use crate::signals::{self, SignalSet};

/// What the child needs; the pointers stay valid while the caller is suspended.
pub(super) struct Plan {
    pub(super) program: *const c_char,
    pub(super) argv: *const *const c_char,
    pub(super) env: *const *const c_char,
    pub(super) cwd: *const c_char,
    pub(super) umask: u32,
    pub(super) open_files: Option<libc::rlimit>,
    pub(super) slave: c_int,
    pub(super) failure: Failure,
}

/// Where the child leaves what went wrong.
pub(super) struct Failure {
    /// Index into [`Stage::ALL`], or -1.
    stage: AtomicI32,
    errno: AtomicI32,
}

impl Failure {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "a fresh one for every plan is what is wanted"
    )]
    pub(super) const NONE: Self = Self { stage: AtomicI32::new(-1), errno: AtomicI32::new(0) };

    /// What the child has left; to be called when it executes or has exited.
    pub(super) fn reported(&self) -> Option<SpawnError> {
        let stage = usize::try_from(self.stage.load(Ordering::Relaxed)).ok()?;
        Some(SpawnError {
            stage: *Stage::ALL.get(stage)?,
            errno: self.errno.load(Ordering::Relaxed),
        })
    }
}

/// Entry point of the child; `plan` points to a [`Plan`].
pub(super) extern "C" fn main(plan: *mut c_void) -> c_int {
    // SAFETY: `clone_child` passes a pointer to a `Plan` that outlives the child's use of it.
    let plan = unsafe { &*plan.cast_const().cast::<Plan>() };
    let Err((stage, errno)) = execute(plan);
    plan.failure.errno.store(errno, Ordering::Relaxed);
    plan.failure.stage.store(stage as i32, Ordering::Relaxed);
    // SAFETY: ends this process without running anything of the caller's.
    unsafe { libc::_exit(127) }
}

type Failed = (Stage, c_int);

fn execute(plan: &Plan) -> Result<std::convert::Infallible, Failed> {
    take_terminal(plan.slave)?;
    arrange_descriptors(plan.slave)?;
    reset_signals()?;
    enter_environment(plan)?;
    // SAFETY: both arrays are null-terminated and hold pointers to C strings.
    unsafe { libc::execve(plan.program, plan.argv, plan.env) };
    Err((Stage::Exec, errno()))
}

fn take_terminal(slave: c_int) -> Result<(), Failed> {
    // SAFETY: no memory is involved in either call.
    check(Stage::Session, unsafe { libc::setsid() }.into())?;
    // SAFETY: as above; the argument 0 means not to steal the terminal from another session.
    let taken = unsafe { libc::ioctl(slave, libc::TIOCSCTTY, 0) };
    check(Stage::ControllingTerminal, taken.into())
}

/// Leaves the slave as descriptors 0, 1 and 2 and nothing else.
///
/// Up to here the table is the caller's own (`CLONE_FILES`), so the first call must be the one
/// that takes a private copy. It copies only the part that it does not close: a host that holds
/// thousands of descriptors pays for the few below the slave's.
fn arrange_descriptors(slave: c_int) -> Result<(), Failed> {
    close_from(slave.wrapping_add(1), libc::CLOSE_RANGE_UNSHARE)?;
    for standard in 0..3 {
        // SAFETY: the table is this process' own now, and the slave's number is above 2.
        let copied = unsafe { libc::dup2(slave, standard) };
        check(Stage::Descriptors, copied.into())?;
    }
    close_from(3, 0)
}

fn close_from(first: c_int, flags: libc::c_uint) -> Result<(), Failed> {
    let (first, last) = (c_long::from(first), c_long::from(c_int::MAX));
    // SAFETY: closes descriptors of this process only: the table is private, or becomes so first.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
    check(Stage::Descriptors, closed)
}

/// An ignored signal stays ignored across execve, and so does a blocked one blocked; a handler of
/// the caller must not run once the mask is empty.
fn reset_signals() -> Result<(), Failed> {
    if let Err(result) = signals::set_all_default() {
        check(Stage::Signals, result)?;
    }
    SignalSet::EMPTY.install(None);
    Ok(())
}

fn enter_environment(plan: &Plan) -> Result<(), Failed> {
    if let Some(limit) = &plan.open_files {
        // SAFETY: `limit` is a valid struct for the length of the call.
        let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, limit) };
        check(Stage::Limits, set.into())?;
    }
    // SAFETY: umask takes a number and cannot fail.
    unsafe { libc::umask(plan.umask) };
    // SAFETY: `cwd` points to a C string.
    check(Stage::Directory, unsafe { libc::chdir(plan.cwd) }.into())
}

fn check(stage: Stage, result: c_long) -> Result<(), Failed> {
    if result < 0 { Err((stage, errno())) } else { Ok(()) }
}

/// The error of the last call: the suspended thread's errno, since its thread area is shared.
fn errno() -> c_int {
    // SAFETY: the pointer is valid, and the thread that it belongs to is suspended.
    unsafe { *libc::__errno_location() }
}

pub(super) fn raw_limit(limit: Rlimit) -> libc::rlimit {
    libc::rlimit {
        rlim_cur: limit.current.unwrap_or(libc::RLIM_INFINITY),
        rlim_max: limit.maximum.unwrap_or(libc::RLIM_INFINITY),
    }
}
