//! Why something was not done with a session, with the stable codes of the API.

/// How many characters of a program's name an error repeats.
const PROGRAM_CHARS_MAX: usize = 100;

/// Why a session could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// No such program, or it may not be executed. Its name, at most 100 characters of it,
    /// is shown escaped: whoever reads it may read it in a terminal.
    #[error("program {:?} not found or not executable", beginning(.0))]
    ProgramNotFound(String),
    /// No such directory, or it may not be entered.
    #[error("directory not found or not accessible")]
    DirectoryNotFound,
    /// The command is empty, holds a NUL byte or is too long for the kernel.
    #[error("command cannot be executed")]
    InvalidCommand,
    /// A limit is reached.
    #[error("limit of {max} {what} is reached")]
    LimitReached {
        /// What there is too much of, as in `sessions`.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The system has no more of something.
    #[error("the system has no more {}: {}", .0.what(), .0.cure())]
    Exhausted(Resource),
    /// The PTY host does not answer.
    #[error("the PTY host is not available")]
    HostUnavailable,
    /// Anything else; the log has the reason.
    #[error("session could not be started")]
    Failed,
}

fn beginning(program: &str) -> &str {
    program.char_indices().nth(PROGRAM_CHARS_MAX).map_or(program, |(end, _)| &program[..end])
}

impl CreateError {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ProgramNotFound(_) => "program_not_found",
            Self::DirectoryNotFound => "directory_not_found",
            Self::InvalidCommand => "invalid_command",
            Self::LimitReached { .. } => "limit_reached",
            Self::Exhausted(resource) => resource.code(),
            Self::HostUnavailable => "host_unavailable",
            Self::Failed => "create_failed",
        }
    }
}

/// Something that the system, or the user's share of it, can run out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Pseudo-terminals: `kernel.pty.max`, or the mount option `max` of /dev/pts.
    Terminals,
    /// Processes: `ulimit -u`, or a control group's `pids.max`.
    Processes,
    /// Memory, or room in the file system that sessions' memory is in.
    Memory,
    /// Open files: `ulimit -n`, or `fs.file-max`.
    Files,
}

impl Resource {
    /// The word for people.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Terminals => "terminals",
            Self::Processes => "processes",
            Self::Memory => "memory",
            Self::Files => "open files",
        }
    }

    /// What somebody can do about it.
    #[must_use]
    pub const fn cure(self) -> &'static str {
        match self {
            Self::Terminals => "end sessions, or raise kernel.pty.max",
            Self::Processes => "end sessions, or raise the limit of processes (ulimit -u)",
            Self::Memory => "end sessions, or start the gateway with a smaller --history-bytes",
            Self::Files => "end sessions, or raise the limit of open files (ulimit -n)",
        }
    }

    /// The stable code of the API.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Terminals => "pty_limit",
            Self::Processes => "process_limit",
            Self::Memory => "memory_limit",
            Self::Files => "file_limit",
        }
    }
}

/// Why an operation on a session was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// No such session.
    #[error("session not found")]
    NotFound,
    /// Its child has ended.
    #[error("session has exited")]
    Exited,
    /// The program does not read and the input queue is full; nothing of it was taken.
    #[error("program does not read its input and the queue is full")]
    InputFull,
    /// It has as many viewers as it may have.
    #[error("limit of {max} viewers is reached")]
    TooManyViewers {
        /// The limit.
        max: usize,
    },
    /// As many requests as may be wait for its output.
    #[error("limit of {max} requests that wait for output is reached")]
    TooManyWaiting {
        /// The limit.
        max: usize,
    },
    /// It would have more labels than it may have.
    #[error("limit of {max} labels is reached")]
    TooManyLabels {
        /// The limit.
        max: usize,
    },
    /// Nothing of it can be signalled.
    #[error("there is no process to signal")]
    NoProcess,
    /// What runs in it belongs to another user.
    #[error("not permitted to signal these processes")]
    NotPermitted,
    /// The PTY host does not answer.
    #[error("the PTY host is not available")]
    HostUnavailable,
    /// No such viewer in the session.
    #[error("viewer not found")]
    NoViewer,
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopping,
}

impl SessionError {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "session_not_found",
            Self::Exited => "session_exited",
            Self::InputFull => "input_full",
            Self::TooManyViewers { .. } => "too_many_viewers",
            Self::TooManyWaiting { .. } => "too_many_waiting",
            Self::TooManyLabels { .. } => "too_many_labels",
            Self::NoProcess => "no_process",
            Self::NotPermitted => "not_permitted",
            Self::HostUnavailable => "host_unavailable",
            Self::NoViewer => "viewer_not_found",
            Self::Stopping => "stopping",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named_without_doing_anything_to_a_terminal() {
        let text = |name: &str| CreateError::ProgramNotFound(name.to_owned()).to_string();
        assert_eq!(text("htopp"), "program \"htopp\" not found or not executable");
        assert_eq!(
            text("\u{1b}]0;x\u{7}"),
            r#"program "\u{1b}]0;x\u{7}" not found or not executable"#
        );
        assert_eq!(text(&"ä".repeat(5000)), text(&"ä".repeat(PROGRAM_CHARS_MAX)));
    }
}
