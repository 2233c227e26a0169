//! The scenarios: what is measured on each target, one round at a time.

mod attach;
mod connect;
mod ctrl_c;
mod echo;
mod flood;
mod http;
mod idle;
mod meter;
mod mixed;
mod round;
mod slow;
mod tail;

pub(crate) use http::Asking;
pub(crate) use meter::Meter;
pub(crate) use round::{Bench, Round, latency_metrics};

use std::time::Duration;

use crate::loads::Pace;
use crate::report::Outcome;
use crate::target::Target;

/// What is measured, with its size.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scenario {
    /// Typing and its echo.
    Echo { connections: usize, pace: Pace, length: Duration },
    /// Programs that write as fast as they can.
    Flood { connections: usize, bytes: u64 },
    /// Typing among floods.
    Mixed { typists: usize, flooders: usize, rate: f64, length: Duration },
    /// From Ctrl-C to the prompt, with a slow reader or a slow link.
    CtrlC { reads_per_second: Option<f64>, after: Duration },
    /// A storm of connections.
    Connect { connections: usize },
    /// Memory of sessions that do nothing, and whether it comes back.
    Idle { sessions: usize, cycles: usize },
    /// From attaching to a complete screen.
    Attach { bytes: u64, times: usize },
    /// The HTTP API.
    Http(Asking),
    /// The last words of a program that exits at once.
    Tail { bytes: u64, times: usize },
    /// Memory while a slow reader watches endless output.
    Slow { reads_per_second: f64, length: Duration },
}

impl Scenario {
    /// Stable name, with the size where there may be several.
    pub(crate) fn name(&self) -> String {
        match *self {
            Self::Echo { connections, pace: Pace::Closed, .. } => {
                format!("echo-{connections}-closed")
            }
            Self::Echo { connections, pace: Pace::Open(rate), .. } => {
                format!("echo-{connections}x{rate}")
            }
            Self::Flood { connections, .. } => format!("flood-{connections}"),
            Self::Mixed { typists, flooders, .. } => format!("mixed-{typists}+{flooders}"),
            Self::CtrlC { reads_per_second: Some(rate), .. } => {
                format!("ctrl-c-{}kBps", rate / 1e3)
            }
            Self::CtrlC { reads_per_second: None, .. } => "ctrl-c".to_owned(),
            Self::Connect { connections } => format!("connect-{connections}"),
            Self::Idle { sessions, .. } => format!("idle-{sessions}"),
            Self::Attach { .. } => "attach".to_owned(),
            Self::Http(Asking { sessions: 0, pace: Pace::Closed, .. }) => "http".to_owned(),
            Self::Http(Asking { sessions, pace: Pace::Closed, .. }) => format!("http-{sessions}"),
            Self::Http(Asking { sessions, pace: Pace::Open(rate), .. }) => {
                format!("http-{sessions}x{rate}")
            }
            Self::Tail { .. } => "tail".to_owned(),
            Self::Slow { .. } => "slow-reader".to_owned(),
        }
    }

    /// What is done, in a sentence.
    pub(crate) fn about(&self) -> String {
        match *self {
            Self::Echo { connections, pace: Pace::Closed, length } => format!(
                "{}, {}typing the next key when the last is echoed, {} s",
                people(connections),
                each(connections),
                length.as_secs()
            ),
            Self::Echo { connections, pace: Pace::Open(rate), length } => format!(
                "{}, {}typing {rate} keys a second by timetable, {} s; a key's age counts from when \
                 it was due",
                people(connections),
                each(connections),
                length.as_secs()
            ),
            Self::Flood { connections, bytes } => format!(
                "{}, {}writing {} MB as fast as it can; every byte is checked",
                programs(connections),
                each(connections),
                bytes / 1_000_000
            ),
            Self::Mixed { typists, flooders, rate, length } => format!(
                "{}, {}typing {rate} keys a second, and {} flooding, {} s",
                people(typists),
                each(typists),
                programs(flooders),
                length.as_secs()
            ),
            Self::CtrlC { reads_per_second, after } => {
                let reader = reads_per_second.map_or_else(
                    || "a reader without limit".to_owned(),
                    |rate| format!("a reader at {} kB/s", rate / 1e3),
                );
                format!("Ctrl-C after {} s of flood to {reader}, until the prompt", after.as_secs())
            }
            Self::Connect { connections } => {
                format!("{connections} connections at once, until each program has spoken")
            }
            Self::Idle { sessions, cycles } => format!(
                "memory with 0 and {sessions} sessions that do nothing, after they are gone, and \
                 after {cycles} more storms of 100"
            ),
            Self::Attach { bytes, .. } => format!(
                "a new viewer joins a session that has written {} kB, until its screen is complete",
                bytes / 1000
            ),
            Self::Http(asking) => about_http(&asking),
            Self::Tail { bytes, times } => format!(
                "{times} programs write {} KiB and exit at once: is the last byte there?",
                bytes / 1024
            ),
            Self::Slow { reads_per_second, length } => format!(
                "memory of the server while a reader at {} kB/s watches endless output, {} s",
                reads_per_second / 1e3,
                length.as_secs()
            ),
        }
    }

    /// Whether it can be run on this target at all.
    pub(crate) const fn fits(&self, target: &Target) -> bool {
        match self {
            Self::Attach { .. } => target.has_sessions(),
            Self::Http(_) => target.has_requests(),
            Self::Echo { .. }
            | Self::Flood { .. }
            | Self::Mixed { .. }
            | Self::CtrlC { .. }
            | Self::Connect { .. }
            | Self::Idle { .. }
            | Self::Tail { .. }
            | Self::Slow { .. } => target.has_terminals(),
        }
    }

    /// Measures one round on a server of its own.
    pub(crate) fn run(&self, round: &Round<'_>) -> Result<Outcome, String> {
        match *self {
            Self::Echo { connections, pace, length } => echo::run(round, connections, pace, length),
            Self::Flood { connections, bytes } => flood::run(round, connections, bytes),
            Self::Mixed { typists, flooders, rate, length } => {
                mixed::run(round, [typists, flooders], rate, length)
            }
            Self::CtrlC { reads_per_second, after } => ctrl_c::run(round, reads_per_second, after),
            Self::Connect { connections } => connect::run(round, connections),
            Self::Idle { sessions, cycles } => idle::run(round, sessions, cycles),
            Self::Attach { bytes, times } => attach::run(round, bytes, times),
            Self::Http(asking) => http::run(round, asking),
            Self::Tail { bytes, times } => tail::run(round, bytes, times),
            Self::Slow { reads_per_second, length } => slow::run(round, reads_per_second, length),
        }
    }
}

fn about_http(asking: &Asking) -> String {
    let Asking { connections, sessions, pace, length } = asking;
    let pace = match pace {
        Pace::Closed => "each when the last was answered".to_owned(),
        Pace::Open(rate) => format!("{rate} requests a second by timetable"),
    };
    format!(
        "{connections} clients make, list and delete sessions and ask for health beside {sessions} \
         sessions, {pace}, {} s; only 2xx is success",
        length.as_secs()
    )
}

fn people(count: usize) -> String {
    if count == 1 { "one person".to_owned() } else { format!("{count} people") }
}

/// What is said of each of several.
const fn each(count: usize) -> &'static str {
    if count == 1 { "" } else { "each " }
}

fn programs(count: usize) -> String {
    if count == 1 { "one program".to_owned() } else { format!("{count} programs") }
}
