//! How a command ends when it does not do what was asked.

use std::fmt;
use std::process::ExitCode;

/// Exit codes of the program; those above 63 are from `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// What was asked for is done.
    Success = 0,
    /// `hither doctor` found something that must be changed, or `hither audit verify` a flaw.
    Unhealthy = 1,
    /// The command line is wrong (`EX_USAGE`).
    Usage = 64,
    /// No gateway, or no such session (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// Something inside went wrong (`EX_SOFTWARE`).
    Internal = 70,
    /// The time was over before what was waited for (`EX_TEMPFAIL`).
    TimeOver = 75,
    /// The gateway or the system does not allow it (`EX_NOPERM`).
    Refused = 77,
    /// A setting is wrong or unsafe (`EX_CONFIG`).
    Configuration = 78,
}

/// What went wrong and what to do about it: two phrases of one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    cure: Option<String>,
}

impl Failure {
    /// A failure that ends the program with `exit`. The message has no full stop and no newline.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), cure: None }
    }

    /// Adds what the reader can do about it, in the imperative.
    pub(crate) fn cure(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..self }
    }

    /// The code to end the program with.
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.cure {
            Some(cure) => write!(f, "; {cure}"),
            None => Ok(()),
        }
    }
}
