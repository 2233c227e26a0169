//! Why a host cannot run.

use std::io;

use crate::RuntimeDirError;

/// Why a host cannot run or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The runtime directory cannot be used.
    #[error(transparent)]
    Directory(#[from] RuntimeDirError),
    /// Another host serves this directory; it is listening.
    #[error("a PTY host is already running")]
    AlreadyRunning,
    /// The kernel refused something.
    #[error("{doing}: {cause}")]
    Kernel {
        /// What was being done.
        doing: &'static str,
        /// The kernel's word.
        cause: io::Error,
    },
}

impl HostError {
    /// For `map_err`: what was being done when the kernel refused.
    pub(crate) fn when<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |cause| Self::Kernel { doing, cause: cause.into() }
    }
}
