//! Getting at a PTY host: the one that runs, or a new one.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hither_host::{ClientError, FromHost, HostConnection, RuntimeDir, ToHost};

/// How a PTY host is started.
#[derive(Clone, Debug)]
pub(crate) struct HostStarter {
    pub(crate) dir: Arc<RuntimeDir>,
    /// Program that becomes the host, with its arguments.
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
}

/// Why there is no host to talk to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(
        "another gateway (process {0}) serves these sessions: stop it, or choose another --runtime-dir"
    )]
    Claimed(u32),
    #[error("PTY host answered the claim with something else")]
    Unexpected,
    #[error("watching the PTY host: {0}")]
    Kernel(#[from] std::io::Error),
}

/// How long the host may take over one message of an adoption.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

impl HostStarter {
    /// Connects to the host, starting one if none runs, and becomes its gateway.
    pub(super) fn claim(&self) -> Result<HostConnection, LinkError> {
        let mut host = HostConnection::connect_or_start(&self.dir, &self.program, &self.args)?;
        #[cfg(feature = "mutants")]
        crate::worker::mutant::greet_host(&self.dir)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            host.send(&ToHost::<OwnedFd>::Claim)?;
            let answer = host.recv(PATIENCE)?;
            let FromHost::ClaimRefused { pid } = answer else {
                let claimed = matches!(answer, FromHost::Claimed);
                return if claimed { Ok(host) } else { Err(LinkError::Unexpected) };
            };
            // The program that was in this process until now may still seem to be connected: the
            // host has not yet read that its connection is closed.
            if pid != std::process::id() || Instant::now() > deadline {
                return Err(LinkError::Claimed(pid));
            }
        }
    }
}
