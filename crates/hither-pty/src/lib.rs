//! Thin, safe wrapper over the kernel's PTY, memfd, pipe and pidfd calls.
//!
//! This crate knows nothing of sessions: it opens a PTY ([`Master`]), puts a program on it
//! ([`Spawner`]), says how that program ended ([`PidFd`]), and moves output into shared memory so
//! that its reader can be killed ([`Journal`], [`Mapping`]).
#![allow(unsafe_code)] // what unsafe code there is in Hither lives here and in hither-host

mod heap;
mod inherited;
mod journal;
mod mapping;
mod master;
mod orphans;
mod pidfd;
mod resolve;
mod signals;
mod spawn;
mod turns;

pub use heap::{give_back_free_memory, keep_large_memory_apart};
pub use inherited::take_inherited;
pub use journal::{Journal, RawIntent};
pub use mapping::{Mapping, sealed_memory};
pub use master::{EchoFlags, Master, Size};
pub use orphans::ChildSignals;
pub use pidfd::{ExitStatus, PidFd};
pub use resolve::{DEFAULT_PATH, ResolveError, resolve_program};
pub use rustix::process::{Pid, Rlimit, Signal};
pub use signals::{hold_signals, release_signals, reset_signals, survive_full_files};
pub use spawn::{Child, Command, SpawnError, Spawner, Stage};
pub use turns::{shorten_turns, usual_turns};
