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
    /// Another upgrade was asked for while the gateway was leaving.
    upgrade: bool,
}

/// What was asked for while a gateway left for its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Nothing.
    Nothing,
    /// To stop: there shall be no successor.
    Stop,
    /// To be replaced once more: the program may be another one by now.
    Upgrade,
}

impl Signals {
    /// Holds every signal back until [`Self::release`]: threads that are started meanwhile never get
    /// one, so that what is held back again at the end waits for the successor.
    pub(super) fn new() -> io::Result<Self> {
        hither_pty::hold_signals();
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined2())?,
            terminal: has_terminal(),
            upgrade: false,
        })
    }

    /// Listens from now on. What an earlier program in this process held back comes now.
    pub(super) fn release() {
        hither_pty::release_signals();
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

    /// Waits until the gateway is asked, once more, to stop. An upgrade that is asked for meanwhile is
    /// remembered.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Asked::Stop {
            tracing::info!("another upgrade is asked for: it is for the successor");
            self.upgrade = true;
        }
    }

    /// Holds signals back from now on, for the successor, and tells what came before.
    pub(super) async fn hold(&mut self) -> Late {
        hither_pty::hold_signals();
        // The runtime reads what its handlers have noted when it has nothing else to do.
        for _ in 0..2 {
            tokio::select! {
                biased;
                () = self.stop() => return Late::Stop,
                () = tokio::task::yield_now() => {}
            }
        }
        if self.upgrade { Late::Upgrade } else { Late::Nothing }
    }
}

/// Whether this process has a controlling terminal (tty(4)).
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}
