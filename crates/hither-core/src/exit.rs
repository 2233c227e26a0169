//! How a child ended.

use std::fmt;

/// How the child of a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It exited with this status, as in `exit(3)`.
    Code(u8),
    /// It was ended by this signal number, as in `signal(7)`.
    Signal(u8),
    /// It ended, but its status could not be learned.
    Unknown,
    /// The PTY host died and took the session with it.
    Lost,
}

impl ExitStatus {
    /// The status that a shell would show for it in `$?`, where there is one.
    #[must_use]
    pub fn shell_code(self) -> Option<u8> {
        match self {
            Self::Code(code) => Some(code),
            Self::Signal(signal) => Some(signal.saturating_add(128)),
            Self::Unknown | Self::Lost => None,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with status {code}"),
            Self::Signal(signal) => write!(f, "ended by signal {signal}"),
            Self::Unknown => f.write_str("ended with an unknown status"),
            Self::Lost => f.write_str("lost with its host"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_a_shell_would_show() {
        for (status, code) in [
            (ExitStatus::Code(0), Some(0)),
            (ExitStatus::Code(255), Some(255)),
            (ExitStatus::Signal(9), Some(137)),
            (ExitStatus::Signal(255), Some(255)),
            (ExitStatus::Unknown, None),
            (ExitStatus::Lost, None),
        ] {
            assert_eq!(status.shell_code(), code, "{status}");
        }
    }
}
