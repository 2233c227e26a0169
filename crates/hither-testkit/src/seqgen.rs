//! The writer in a session: output that is known beforehand, and an account of every `write`.

use std::io;
use std::path::PathBuf;

use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::account::{Account, Written};
use crate::pattern::{Discipline, Kind, Pattern};
use crate::random::Random;

/// What `testkit seqgen` writes.
#[derive(Clone, Debug, Args)]
pub struct SeqgenArgs {
    /// Tells this stream from all others
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Bytes of all values instead of records
    #[arg(long)]
    pub noise: bool,
    /// Leave the terminal's output processing on, so that line feeds become two bytes
    #[arg(long)]
    pub cooked: bool,
    /// Account of what was written; its limit says where to end
    #[arg(long)]
    pub account: PathBuf,
    /// Most bytes of one write
    #[arg(long, default_value_t = 4096)]
    pub chunk: usize,
    /// Wait until somebody opens this named pipe for writing
    #[arg(long)]
    pub start: Option<PathBuf>,
    /// Exit status at the end
    #[arg(long, default_value_t = 0)]
    pub exit: u8,
}

impl SeqgenArgs {
    /// The stream as it leaves the PTY's master.
    #[must_use]
    pub const fn pattern(&self) -> Pattern {
        Pattern {
            seed: self.seed,
            kind: if self.noise { Kind::Noise } else { Kind::Records },
            discipline: if self.cooked { Discipline::Cooked } else { Discipline::Raw },
        }
    }

    /// Writes to standard output until the account's limit is reached. Returns the exit status.
    ///
    /// # Errors
    /// When the terminal, its output or the account fail.
    pub fn run(&self) -> io::Result<u8> {
        let out = io::stdout();
        set_modes(&out, self.pattern().discipline)?;
        let source = Pattern { discipline: Discipline::Raw, ..self.pattern() };
        let account = Account::open(&self.account)?;
        if let Some(start) = &self.start {
            drop(std::fs::File::open(start)?);
        }
        let mut random = Random::new(self.seed);
        let mut written = Written { bytes: 0, calls: 0, ended: false };
        let mut buffer = vec![0; self.chunk.max(1)];
        loop {
            // Sizes of all kinds, so that no boundary of the path under test is met every time.
            let size = random.below(buffer.len() as u64) + 1;
            let left = account.limited_to()?.saturating_sub(written.bytes);
            let len = usize::try_from(size.min(left)).expect("a chunk fits");
            if len == 0 {
                break;
            }
            source.fill(written.bytes, &mut buffer[..len]);
            let taken = rustix::io::retry_on_intr(|| rustix::io::write(&out, &buffer[..len]))?;
            written.bytes += taken as u64;
            written.calls += 1;
            account.note(written)?;
        }
        account.note(Written { ended: true, ..written })?;
        Ok(self.exit)
    }
}

/// Takes echo away, and for raw output all processing.
pub(crate) fn set_modes(terminal: impl rustix::fd::AsFd, discipline: Discipline) -> io::Result<()> {
    if !rustix::termios::isatty(&terminal) {
        return Ok(());
    }
    let mut modes = tcgetattr(&terminal)?;
    match discipline {
        Discipline::Raw => modes.make_raw(),
        Discipline::Cooked => modes.local_modes -= LocalModes::ECHO,
    }
    Ok(tcsetattr(&terminal, OptionalActions::Now, &modes)?)
}
