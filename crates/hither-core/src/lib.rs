//! Pure core of Hither: everything that decides something and nothing that does I/O.
//!
//! No clock, no randomness, no environment, no runtime: `now` and random bits are arguments.
#![forbid(unsafe_code)]

mod exit;
pub mod flow;
mod history;
mod id;
mod input;
pub mod journal;
pub mod liveness;
mod offset;
mod pace;
mod role;
mod shell;
mod size;
mod size_policy;
pub mod viewer;

pub use exit::{ExitStatus, signal_name};
pub use history::{History, InvalidCapacity, Spans};
pub use id::{ClientId, InvalidSessionId, SessionId, ViewerId};
pub use input::{Admission, InputNumber};
pub use offset::Offset;
pub use pace::Pace;
pub use role::Role;
pub use shell::{COMMANDS_MAX, Shell, ShellCommand, ShellMark, ShellPhase};
pub use size::{InvalidWindowSize, WindowSize};
pub use size_policy::{SIZE_INTERVAL, SizePolicy};
