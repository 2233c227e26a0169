//! The PTY host: forks the shells, keeps their PTYs, survives the gateway.
//!
//! A host is a tiny process with one thread that holds duplicates of everything a session needs to
//! outlive the gateway. It never reads a PTY and never maps a session's memory. The gateway talks
//! to it over a [`HostConnection`]; [`start_detached`] starts one when none runs.
//!
//! Who may talk to it: processes of the same user, by the credentials of the socket, in a directory
//! that only that user can enter ([`RuntimeDir`]).

mod client;
mod detach;
mod error;
pub mod limits;
pub mod message;
mod peer;
mod runtime_dir;
mod server;
mod socket;
pub mod wire;

pub use client::{ClientError, HostConnection};
pub use detach::{StartError, Started, serve_detached, start_detached};
pub use error::HostError;
pub use hither_pty::{ExitStatus, Pid, Signal, SpawnError, Stage};
pub use message::{FromHost, ToHost};
pub use runtime_dir::{RuntimeDir, RuntimeDirError};
pub use server::{Tracing, probe_cgroups, serve};
