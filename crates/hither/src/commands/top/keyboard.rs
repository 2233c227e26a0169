//! The key that leaves `hither top`.

use std::io::{self, Stdin};

use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;

use crate::commands::watched::{read_keys, watched};

/// The keys of the user's terminal, each as it is pressed and none shown; as it was before when
/// dropped. Ctrl-C stays a signal.
pub(super) struct Keyboard(Option<Keys>);

struct Keys {
    stdin: AsyncFd<Stdin>,
    before: Termios,
}

impl Keyboard {
    /// Has keys come at once. Where standard input is no terminal, no key ever comes.
    pub(super) fn enter() -> io::Result<Self> {
        if !isatty(io::stdin()) {
            return Ok(Self(None));
        }
        let before = tcgetattr(io::stdin())?;
        let stdin = watched(io::stdin())?;
        let mut at_once = before.clone();
        at_once.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &at_once)?;
        Ok(Self(Some(Keys { stdin, before })))
    }

    /// Waits until q was pressed, or the terminal is gone.
    pub(super) async fn leaves(&self) {
        let Some(keys) = &self.0 else { return std::future::pending().await };
        while let Ok(read) = read_keys(&keys.stdin).await {
            if read.contains(&b'q') {
                return;
            }
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        if let Some(keys) = &self.0 {
            // Nobody is left to be told when the terminal is gone.
            tcsetattr(io::stdin(), OptionalActions::Drain, &keys.before).ok();
        }
    }
}
