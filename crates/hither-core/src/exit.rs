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
    /// The session cannot be reached: the PTY host died with it, or could not hand it over.
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

/// Name of a signal by its number on Linux (signal(7)), such as `SIGKILL`.
#[must_use]
pub fn signal_name(number: u8) -> String {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    match usize::from(number).checked_sub(1).and_then(|index| NAMES.get(index)) {
        Some(name) => format!("SIG{name}"),
        None => format!("signal {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_signals() {
        assert_eq!([1, 9, 15, 31].map(signal_name), ["SIGHUP", "SIGKILL", "SIGTERM", "SIGSYS"]);
        assert_eq!([0, 34].map(signal_name), ["signal 0", "signal 34"]);
    }

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
