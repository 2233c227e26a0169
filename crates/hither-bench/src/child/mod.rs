//! The programs that run in the sessions under test.
//!
//! They are part of the bench, so that what a session writes can be checked byte by byte whatever
//! shell the machine has. Each is also known as a line for a POSIX shell, to be typed into servers
//! that the bench did not start.

mod program;
mod run;

pub use program::Program;
pub use run::run;
