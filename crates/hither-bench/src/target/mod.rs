//! The servers under test: how they are started, reached, watched and ended.

mod certificate;
mod proc_fs;
mod process;
mod spec;
mod start;

pub(crate) use process::{OwnProcesses, ServerProcess, Usage};
pub(crate) use spec::{Guard, Hither, InvalidTarget, Target, TargetKind};
pub(crate) use start::{Running, Setup};
