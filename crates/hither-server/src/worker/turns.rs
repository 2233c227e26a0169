//! How long the worker's turns on the CPU are.

use std::time::Duration;

/// Short turns, unless keys come so fast that serving many in one turn matters more.
#[derive(Debug, Default)]
pub(super) struct Turns {
    short: bool,
    /// Keystrokes counted so far.
    inputs: u64,
}

/// Programs that keep the cores busy have turns of milliseconds, and a key must not wait for those:
/// 100 µs is the least that the kernel takes.
const SHORT: Duration = Duration::from_micros(100);
/// With more keystrokes a second than a few hundred people type, a worker that is woken for each
/// one spends its time on waking up.
const INPUTS_MAX: u64 = 4000;

impl Turns {
    /// Fits the turns to the keystrokes since the last call, a second ago. Called with what the
    /// worker has counted since its start.
    pub(super) fn fit(&mut self, inputs: u64) {
        let short = inputs - std::mem::replace(&mut self.inputs, inputs) <= INPUTS_MAX;
        if std::mem::replace(&mut self.short, short) == short {
            return;
        }
        let result =
            if short { hither_pty::shorten_turns(SHORT) } else { hither_pty::usual_turns() };
        if let Err(error) = result {
            tracing::debug!(%error, "fitting turns on the CPU");
        }
    }
}
