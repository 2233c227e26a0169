//! Why a gateway cannot run.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use hither_host::RuntimeDirError;
use hither_store::StoreError;

use super::BequestError;

/// Why a gateway cannot run. Each text names the cure where there is one.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The runtime directory cannot be used.
    #[error(transparent)]
    RuntimeDir(#[from] RuntimeDirError),
    /// The audit log cannot be written.
    #[error("audit log: {0}; mend that, choose another --state-dir, or use --audit-log off")]
    Audit(io::Error),
    /// There is no place for the certificates of an authority.
    #[error("{0}; mend that, or choose another --state-dir")]
    Acme(String),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {cause}; choose another with --port")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the kernel says.
        cause: io::Error,
    },
    /// The address of the metrics cannot be listened on.
    #[error("cannot listen on {address} for metrics: {cause}; choose another with --metrics")]
    BindMetrics {
        /// The address.
        address: SocketAddr,
        /// What the kernel says.
        cause: io::Error,
    },
    /// A socket that the service manager passed cannot be served.
    #[error("descriptor {number}, which the service manager passed, {problem}")]
    Passed {
        /// Number of the descriptor.
        number: std::os::fd::RawFd,
        /// What is wrong with it, and the cure.
        problem: String,
    },
    /// A Unix socket cannot be listened on.
    #[error("cannot listen on {}: {cause}", path.display())]
    BindUnix {
        /// Path of the socket.
        path: PathBuf,
        /// What the kernel says.
        cause: io::Error,
    },
    /// Another gateway serves the sessions of this directory.
    #[error(
        "another gateway (process {0}) serves these sessions; stop it, or choose another --runtime-dir"
    )]
    Claimed(u32),
    /// The PTY host cannot be had.
    #[error("{0}")]
    Host(String),
    /// What the running gateway left cannot be taken over.
    #[error(transparent)]
    Bequest(#[from] BequestError),
    /// The gateway had stopped for a successor that could not be executed, and neither could it
    /// itself.
    #[error("{0}; start a gateway again: the sessions live on")]
    Upgrade(String),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Anything else that the kernel refused.
    #[error("{doing}: {cause}")]
    Kernel {
        /// What was being done.
        doing: &'static str,
        /// What the kernel says.
        cause: io::Error,
    },
}

/// What a refusal of the kernel is called, with what was being done.
pub(super) fn kernel(doing: &'static str) -> impl Fn(io::Error) -> GatewayError {
    move |cause| GatewayError::Kernel { doing, cause }
}
