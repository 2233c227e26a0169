//! What one worker counts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::echo::EchoParts;
use super::histogram::Histogram;

/// Counters of one worker: plain numbers that only its thread touches. Whoever wants to know asks
/// for a copy, so nothing on the path of a keystroke is shared.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkerMetrics {
    /// Moves with each turn of the event loop.
    pub(crate) turns: u64,
    /// CPU time of the worker's thread; read when a copy is asked for.
    pub(crate) cpu: Duration,
    /// Moves with each keystroke, paste or other input message of a viewer.
    pub(crate) inputs: u64,
    /// Moves with each byte written to a PTY, whoever typed it.
    pub(crate) input_bytes: u64,
    /// Moves with each byte read from a PTY.
    pub(crate) output_bytes: u64,
    /// Moves with each byte read from a viewer's socket.
    pub(crate) received_bytes: u64,
    /// Moves with each byte that a viewer's socket took.
    pub(crate) sent_bytes: u64,
    /// Moves when a viewer comes.
    pub(crate) attached: u64,
    /// Moves when a viewer goes on exactly where its last connection ended.
    pub(crate) resumed: u64,
    /// Moves when a viewer is given up, or held up, for being too slow.
    pub(crate) skips: u64,
    /// Moves with each gap that is announced.
    pub(crate) gaps: u64,
    /// Moves with each byte of output in such a gap.
    pub(crate) gap_bytes: u64,
    /// Moves with each snapshot that is sent.
    pub(crate) snapshots: u64,
    /// Moves with each frame of a type that is not known.
    pub(crate) unknown_frames: u64,
    /// Moves with each viewer that is sent away for what it did, by close code.
    pub(crate) refused: BTreeMap<u16, u64>,
    /// Moves with each limit that is hit, by its name.
    pub(crate) limits: BTreeMap<&'static str, u64>,
    /// Moves with each keystroke that is timed and echoed.
    pub(crate) echo_server: Histogram,
    /// The same.
    pub(crate) echo_pty: Histogram,
    /// Moves about every ten seconds for each viewer that types.
    pub(crate) echo_network: Histogram,
    /// Moves with each keystroke that is timed and has no echo in time.
    pub(crate) unechoed: u64,
    /// Viewers by protocol and state; counted when a copy is asked for.
    pub(crate) viewers: BTreeMap<(&'static str, &'static str), u64>,
    /// Bytes held for viewers; counted when a copy is asked for.
    pub(crate) held_bytes: u64,
}

impl WorkerMetrics {
    /// A keystroke that was timed has its echo.
    pub(crate) fn observe_echo(&mut self, parts: EchoParts) {
        self.echo_server.observe(parts.server);
        self.echo_pty.observe(parts.pty);
    }

    /// Output `from..to` was announced as a gap, so many bytes.
    pub(crate) const fn count_gap(&mut self, bytes: u64) {
        self.gaps += 1;
        self.gap_bytes += bytes;
    }

    /// A limit has been hit.
    pub(crate) fn hit(&mut self, limit: &'static str) {
        *self.limits.entry(limit).or_default() += 1;
    }

    /// A viewer was sent away with this close code.
    pub(crate) fn count_refusal(&mut self, code: u16) {
        *self.refused.entry(code).or_default() += 1;
    }
}
