//! Thin, safe wrapper over the kernel's PTY, memfd, pipe and pidfd calls.
#![allow(unsafe_code)] // what unsafe code there is in Hither lives here and in hither-host

mod journal;
mod mapping;

pub use journal::{Journal, RawIntent};
pub use mapping::{Mapping, sealed_memory};
