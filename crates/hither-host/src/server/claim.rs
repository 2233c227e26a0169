//! Which process is the gateway, the one reader of every PTY.

use hither_pty::{Pid, PidFd};

/// The claim of a process; it holds until that process is dead, not until it disconnects: a process
/// that lives may still read.
pub(super) struct Claim {
    pid: Pid,
    pidfd: PidFd,
    connection: Option<u64>,
}

impl Claim {
    pub(super) fn new(pid: Pid, pidfd: PidFd, connection: u64) -> Self {
        Self { pid, pidfd, connection: Some(connection) }
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether the process `pid` may take over: the claimant is dead, or is this very process and
    /// has lost its connection. (As long as it lives, no other process has its number.)
    pub(super) fn yields_to(&self, pid: Pid) -> bool {
        self.is_dead() || (self.pid == pid && self.connection.is_none())
    }

    /// Whether the claimant is dead: what it had asked for is still to be read.
    pub(super) fn is_dead(&self) -> bool {
        self.pidfd.has_ended().unwrap_or(false)
    }

    /// The claimant's connection, unless that has ended.
    pub(super) fn connection(&self) -> Option<u64> {
        self.connection
    }

    pub(super) fn is_by(&self, connection: u64) -> bool {
        self.connection == Some(connection)
    }

    pub(super) fn forget_connection(&mut self, connection: u64) {
        if self.is_by(connection) {
            self.connection = None;
        }
    }
}
