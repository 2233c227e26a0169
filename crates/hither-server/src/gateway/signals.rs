//! The signals that ask a gateway for something.

use std::fs::File;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// SIGTERM, SIGINT, or the end of the terminal that the gateway was started in.
    Stop,
    /// SIGUSR2, or SIGHUP that nobody's closing terminal explains.
    Upgrade,
}

/// The signals of a gateway.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    user: Signal,
    terminal: bool,
}

impl Signals {
    /// Listens from now on. What an earlier program in this process held back comes now.
    pub(super) fn new() -> io::Result<Self> {
        let signals = Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined2())?,
            terminal: has_terminal(),
        };
        hither_pty::release_signals();
        Ok(signals)
    }

    /// The next wish.
    pub(super) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.user.recv() => Asked::Upgrade,
            // The kernel sends it when a terminal closes, an administrator to reload.
            _ = self.hang_up.recv() => {
                if self.terminal && !has_terminal() { Asked::Stop } else { Asked::Upgrade }
            }
        }
    }

    /// Waits until the gateway is asked, once more, to stop.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Asked::Stop {}
    }
}

/// Whether this process has a controlling terminal (tty(4)).
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}
