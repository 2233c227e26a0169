//! Pure core of Hither: everything that decides something and nothing that does I/O.
//!
//! No clock, no randomness, no environment, no runtime: `now` and random bits are arguments.
#![forbid(unsafe_code)]

pub mod flow;
mod history;
mod id;
pub mod journal;
mod offset;
mod role;
mod size;

pub use history::{History, InvalidCapacity, Spans};
pub use id::{ClientId, InvalidSessionId, SessionId, ViewerId};
pub use offset::Offset;
pub use role::Role;
pub use size::{InvalidWindowSize, WindowSize};
