//! The command line of `hither bench`.

use std::ffi::CString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::child::Program;
use crate::floor::FloorMode;
use crate::link::LinkSpec;
use crate::loads::Pace;
use crate::scenario::{Asking, Scenario};
use crate::target::Target;

/// Measure web terminals: this one, others, and the floor beneath them all
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Type, and time the echo
    Echo(EchoArgs),
    /// Let programs write as fast as they can, and check every byte
    Flood(FloodArgs),
    /// Type while other sessions flood
    Mixed(MixedArgs),
    /// Press Ctrl-C in a flood, and time the prompt
    CtrlC(CtrlCArgs),
    /// Open many connections at once
    Connect(ConnectArgs),
    /// Measure the memory of sessions that do nothing
    Idle(IdleArgs),
    /// Join a session, and time the complete screen
    Attach(RunArgs),
    /// Make, list and delete sessions over HTTP
    Http(HttpArgs),
    /// Check that the last output of a program that exits at once arrives
    Tail(RunArgs),
    /// Measure memory while a slow reader watches endless output
    SlowReader(RunArgs),
    /// Run all of the above
    All(RunArgs),
    /// Run the performance plan's own test, phase by phase
    Plan(PlanArgs),
    /// Compare with a budget, in less than two minutes
    Smoke(SmokeArgs),
    /// Be the floor: a bare relay between TCP and a terminal
    #[command(hide = true)]
    Floor {
        /// How it speaks
        mode: FloorMode,
        /// The program that each connection gets
        #[arg(last = true, required = true)]
        command: Vec<CString>,
    },
    /// Be the program in a session
    #[command(hide = true, subcommand)]
    Child(Program),
}

/// What all measurements have in common.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// Servers to measure: floor, floor-ws, floor-http, hither, hither-guarded (which wants its
    /// token), hither-tls (the same over TLS), hither-ttyd, hither-plan, ttyd=PATH, gotty=PATH, or
    /// PROTOCOL:ws://HOST:PORT/PATH for one that runs already (raw, hither, ttyd, gotty, terminado,
    /// plan); `hither+--spin=50` adds an option to `hither serve`
    #[arg(
        short,
        long = "target",
        value_name = "TARGET",
        value_delimiter = ',',
        default_value = "floor,floor-ws,floor-http,hither"
    )]
    pub(crate) targets: Vec<Target>,
    /// The binary whose `serve` is measured [default: this one]
    #[arg(long, value_name = "PATH")]
    pub(crate) hither: Option<PathBuf>,
    /// How often each measurement is made, the targets taking turns [default: 5; with --quick 2]
    #[arg(short, long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: Option<u32>,
    /// Short measurements: to try it out, not to publish
    #[arg(long)]
    pub(crate) quick: bool,
    /// Put a slow link in front of every server: rtt=200ms,rate=1mbit,stall=2s@5s,drop=10s
    #[arg(long, value_name = "LINK")]
    pub(crate) link: Option<LinkSpec>,
    /// Value of the header Authorization for servers that run already, as in `Bearer …`
    #[arg(long, value_name = "VALUE", env = "HITHER_BENCH_AUTHORIZATION", hide_env_values = true)]
    pub(crate) authorization: Option<String>,
    /// Write the report as JSON
    #[arg(long, value_name = "PATH")]
    pub(crate) json: Option<PathBuf>,
    /// Write the report as one HTML page
    #[arg(long, value_name = "PATH")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EchoArgs {
    /// How many people type
    #[arg(short, long, default_value_t = 1, value_parser = count)]
    pub(crate) connections: usize,
    /// Keys a second on each connection, typed by timetable; without it the next key is typed when
    /// the last is echoed
    #[arg(short, long, value_name = "RATE", value_parser = rate)]
    pub(crate) keys_per_second: Option<f64>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FloodArgs {
    /// How many sessions flood at once
    #[arg(short, long, default_value_t = 1, value_parser = count)]
    pub(crate) connections: usize,
    /// Megabytes of each flood
    #[arg(long, value_name = "MB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) megabytes: u32,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MixedArgs {
    /// How many people type
    #[arg(long, default_value_t = 10, value_parser = count)]
    pub(crate) typists: usize,
    /// How many sessions flood meanwhile
    #[arg(long, default_value_t = 10, value_parser = count)]
    pub(crate) flooders: usize,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CtrlCArgs {
    /// Kilobytes a second that the reader reads; 0 is no limit, which makes sense with --link
    #[arg(long, value_name = "KB", default_value_t = 1000)]
    pub(crate) reader: u32,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ConnectArgs {
    /// How many at once
    #[arg(short, long, default_value_t = 100, value_parser = count)]
    pub(crate) connections: usize,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct IdleArgs {
    /// How many sessions
    #[arg(short, long, default_value_t = 1000, value_parser = count)]
    pub(crate) sessions: usize,
    /// How many more storms of 100 come and go
    #[arg(long, default_value_t = 10)]
    pub(crate) cycles: usize,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HttpArgs {
    /// How many clients ask at once
    #[arg(short, long, default_value_t = 4, value_parser = count)]
    pub(crate) connections: usize,
    /// How many sessions are there already, to be listed too
    #[arg(short, long, default_value_t = 0)]
    pub(crate) sessions: usize,
    /// Requests a second, all clients together, by timetable; without it each asks when it was
    /// answered
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) requests_per_second: Option<f64>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// How many connections, opened over a third of the time
    #[arg(short, long, default_value_t = 100, value_parser = count)]
    pub(crate) connections: usize,
    /// How many seconds each phase lasts once all are connected
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) seconds: u32,
    /// Command lines a second on each connection
    #[arg(long, value_name = "RATE", default_value_t = 1.0, value_parser = rate)]
    pub(crate) lines_per_second: f64,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SmokeArgs {
    /// The budget
    #[arg(long, value_name = "PATH")]
    pub(crate) budget: PathBuf,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

impl Command {
    /// The scenarios that are asked for, and how; `None` for what is no list of scenarios.
    pub(crate) fn scenarios(&self) -> Option<(Vec<Scenario>, &RunArgs)> {
        let scenario = |run: &RunArgs| -> Scenario { self.scenario(run) };
        match self {
            Self::Echo(EchoArgs { run, .. })
            | Self::Flood(FloodArgs { run, .. })
            | Self::Mixed(MixedArgs { run, .. })
            | Self::CtrlC(CtrlCArgs { run, .. })
            | Self::Connect(ConnectArgs { run, .. })
            | Self::Idle(IdleArgs { run, .. })
            | Self::Attach(run)
            | Self::Http(HttpArgs { run, .. })
            | Self::Tail(run)
            | Self::SlowReader(run) => Some((vec![scenario(run)], run)),
            Self::All(run) => Some((all(run.quick), run)),
            Self::Plan(_) | Self::Smoke(_) | Self::Floor { .. } | Self::Child(_) => None,
        }
    }

    fn scenario(&self, run: &RunArgs) -> Scenario {
        let length = run.length();
        match self {
            Self::Echo(args) => {
                let pace = args.keys_per_second.map_or(Pace::Closed, Pace::Open);
                Scenario::Echo { connections: args.connections, pace, length }
            }
            Self::Flood(args) => Scenario::Flood {
                connections: args.connections,
                bytes: u64::from(args.megabytes) * if run.quick { 100_000 } else { 1_000_000 },
            },
            Self::Mixed(MixedArgs { typists, flooders, .. }) => {
                Scenario::Mixed { typists: *typists, flooders: *flooders, rate: 10.0, length }
            }
            Self::CtrlC(args) => ctrl_c(args.reader),
            Self::Connect(args) => Scenario::Connect { connections: args.connections },
            Self::Idle(args) => Scenario::Idle { sessions: args.sessions, cycles: args.cycles },
            Self::Http(args) => Scenario::Http(Asking {
                connections: args.connections,
                sessions: args.sessions,
                pace: args.requests_per_second.map_or(Pace::Closed, Pace::Open),
                length,
            }),
            Self::Attach(_) => ATTACH,
            Self::Tail(_) => TAIL,
            Self::SlowReader(_)
            | Self::All(_)
            | Self::Plan(_)
            | Self::Smoke(_)
            | Self::Floor { .. }
            | Self::Child(_) => Scenario::Slow { reads_per_second: 100e3, length },
        }
    }
}

impl RunArgs {
    /// How long a measurement by time lasts.
    pub(crate) const fn length(&self) -> Duration {
        Duration::from_secs(if self.quick { 2 } else { 10 })
    }

    /// How many rounds are run.
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 2 } else { 5 })
    }
}

const ATTACH: Scenario = Scenario::Attach { bytes: 1_000_000, times: 20 };
const TAIL: Scenario = Scenario::Tail { bytes: 256 * 1024, times: 20 };

fn ctrl_c(kilobytes: u32) -> Scenario {
    let rate = f64::from(kilobytes) * 1e3;
    let reads_per_second = (kilobytes > 0).then_some(rate);
    Scenario::CtrlC { reads_per_second, after: Duration::from_secs(3) }
}

/// The scenarios of `docs/performance.md`.
fn all(quick: bool) -> Vec<Scenario> {
    let length = Duration::from_secs(if quick { 2 } else { 10 });
    let flood = if quick { 32_000_000 } else { 512_000_000 };
    let many = if quick { 300 } else { 1000 };
    vec![
        Scenario::Echo { connections: 1, pace: Pace::Closed, length },
        Scenario::Echo { connections: 100, pace: Pace::Open(10.0), length },
        Scenario::Echo { connections: 500, pace: Pace::Closed, length },
        Scenario::Flood { connections: 1, bytes: flood },
        Scenario::Flood { connections: 20, bytes: flood / 20 },
        Scenario::Mixed { typists: 10, flooders: 10, rate: 10.0, length },
        ctrl_c(1000),
        ctrl_c(100),
        Scenario::Connect { connections: 100 },
        Scenario::Connect { connections: many },
        Scenario::Idle { sessions: many, cycles: if quick { 1 } else { 10 } },
        ATTACH,
        Scenario::Http(Asking { connections: 4, sessions: 0, pace: Pace::Closed, length }),
        TAIL,
        Scenario::Slow { reads_per_second: 100e3, length },
    ]
}

fn count(text: &str) -> Result<usize, String> {
    let valid = text.parse().ok().filter(|count| (1..=100_000).contains(count));
    valid.ok_or_else(|| "a number from 1 to 100000 is needed".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let valid = text.parse().ok().filter(|rate| (0.01..=1000.0).contains(rate));
    valid.ok_or_else(|| "a number from 0.01 to 1000 is needed".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        bench: BenchArgs,
    }

    fn scenarios(words: &str) -> Vec<String> {
        let cli = Cli::try_parse_from(words.split(' ')).unwrap();
        let (scenarios, _) = cli.bench.command.scenarios().unwrap();
        scenarios.iter().map(Scenario::name).collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_become_scenarios() {
        assert_eq!(scenarios("bench echo"), ["echo-1-closed"]);
        assert_eq!(scenarios("bench echo -c 100 -k 10"), ["echo-100x10"]);
        assert_eq!(scenarios("bench flood -c 20 --quick"), ["flood-20"]);
        assert_eq!(scenarios("bench ctrl-c --reader 100"), ["ctrl-c-100kBps"]);
        assert_eq!(scenarios("bench ctrl-c --reader 0 --link rtt=200ms"), ["ctrl-c"]);
        assert_eq!(scenarios("bench slow-reader"), ["slow-reader"]);
        for words in ["bench all", "bench all --quick"] {
            let all = scenarios(words);
            let names: std::collections::BTreeSet<_> = all.iter().collect();
            assert_eq!(names.len(), all.len(), "every scenario has a name of its own: {all:?}");
        }
        assert!(Cli::try_parse_from(["bench", "echo", "-c", "0"]).is_err());
    }
}
