//! How much there may be of everything, and for how long.

use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use hither_server::gateway::{Limits, OnClose};

use crate::values;

/// Limits of the gateway.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Most sessions at a time, running and exited, 1 to 65536
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 4096,
        value_parser = RangedU64ValueParser::<u32>::new().range(1..=65_536)
    )]
    max_sessions: u32,
    /// Most viewers of one session, 1 to 4096
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 64,
        value_parser = RangedU64ValueParser::<u32>::new().range(1..=4096)
    )]
    max_viewers: u32,
    /// Most input that waits in one session for its program to read it, 64KiB to 64MiB
    #[arg(long, value_name = "BYTES", default_value = "8MiB", value_parser = values::queue_bytes)]
    max_input_queue: u32,
    /// Close sessions with neither input nor output for so long; 0 is never
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = values::span)]
    idle_timeout: Duration,
    /// Close sessions that nobody watches for so long; 0 is never
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = values::span)]
    grace: Duration,
    /// How long exited sessions stay listed, with their last screen
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = values::span)]
    keep_exited: Duration,
}

impl LimitArgs {
    /// The settings of the gateway.
    pub(super) fn limits(&self) -> Limits {
        let some = |time: Duration| (!time.is_zero()).then_some(time);
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        Limits {
            sessions_max: count(self.max_sessions),
            viewers_max: count(self.max_viewers),
            input_queue_bytes_max: count(self.max_input_queue),
            idle_max: some(self.idle_timeout),
            grace: some(self.grace),
            exited_kept: self.keep_exited,
        }
    }
}

/// What becomes of processes that a session's program leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnCloseArg {
    /// As with a terminal: hung up; a session that is closed is ended whole
    Hup,
    /// Hung up, and killed after 2 s, also when the program exits by itself
    Kill,
    /// Left alone; a close ends the program only
    Keep,
}

impl From<OnCloseArg> for OnClose {
    fn from(word: OnCloseArg) -> Self {
        match word {
            OnCloseArg::Hup => Self::Hup,
            OnCloseArg::Kill => Self::Kill,
            OnCloseArg::Keep => Self::Keep,
        }
    }
}
