//! The terminal that `hither attach` runs in.

use std::io;

use hither_core::WindowSize;
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

use crate::failure::{Exit, Failure};
use crate::output;

/// Leaves what the program may have switched on: alternate screen, mouse, focus, bracketed paste and
/// key modes; a soft reset (DECSTR) for the rest; and a fresh line at the bottom.
const LEAVE: &str = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?2004l\
                     \x1b[!p\x1b[?25h\x1b[0m\x1b[999;1H\r\n";

/// The user's terminal while its keys go to a session; as it was before when dropped.
#[derive(Debug)]
pub(super) struct RawTerminal {
    before: Termios,
}

impl RawTerminal {
    /// Has every key passed on as it is.
    pub(super) fn enter() -> Result<Self, Failure> {
        if !isatty(io::stdin()) || !isatty(io::stdout()) {
            return Err(Failure::new(Exit::Usage, "attach needs a terminal").cure(
                "without one, use `hither screen`, `hither send` and `hither logs --follow`",
            ));
        }
        let failed = |error: rustix::io::Errno| {
            Failure::new(Exit::Internal, format!("the terminal cannot be set up: {error}"))
        };
        let before = tcgetattr(io::stdin()).map_err(failed)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw).map_err(failed)?;
        Ok(Self { before })
    }

    /// Its window.
    pub(super) fn size(&self) -> Option<WindowSize> {
        let size = tcgetwinsize(io::stdout()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0)
            .then(|| WindowSize::clamped(size.ws_col.into(), size.ws_row.into()))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // Nobody is left to be told when the terminal is gone.
        output::print(LEAVE).ok();
        tcsetattr(io::stdin(), OptionalActions::Drain, &self.before).ok();
    }
}
