//! `hither top`: a live table of the sessions.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::sessions::{self, Session};
use super::table::{columns, shown};
use crate::failure::{Exit, Failure};
use crate::gateway::{Gateway, GatewayArgs};
use crate::{output, values};

/// Alternate screen, no cursor; and back (xterm control sequences).
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// To the upper left corner, over what was there; and the rest of the screen emptied.
const HOME: &str = "\x1b[H";
const CLEAR_BELOW: &str = "\x1b[J";
const CLEAR_RIGHT: &str = "\x1b[K";

/// Options of `hither top`.
#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Print one table and end
    #[arg(long)]
    once: bool,
    /// Time between two tables
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = values::time)]
    interval: Duration,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// What was counted last, to tell how fast it grows.
#[derive(Debug, Default)]
struct Rates {
    bytes: HashMap<String, u64>,
    at: Option<Instant>,
}

/// Shows tables until somebody presses Ctrl-C.
pub(crate) fn run(args: &TopArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let mut rates = Rates::default();
    if args.once {
        output::print(&page(&gateway, &mut rates, Instant::now())?.join("\n"))?;
        output::print("\n")?;
        return Ok(Exit::Success);
    }
    if !std::io::stdout().is_terminal() {
        return Err(Failure::new(Exit::Usage, "standard output is not a terminal")
            .cure("use --once, or `hither ls --json`"));
    }
    output::print(ENTER)?;
    let result = watch(args, &gateway, &mut rates);
    output::print(LEAVE)?;
    result
}

fn watch(args: &TopArgs, gateway: &Gateway, rates: &mut Rates) -> Result<Exit, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Internal, error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let mut signals = runtime.block_on(async { Signals::new() }).map_err(failed)?;
    let interval = args.interval.max(Duration::from_millis(100));
    loop {
        let lines = page(gateway, rates, Instant::now())?;
        draw(&lines)?;
        let wait = async { tokio::time::timeout(interval, signals.next()).await.is_ok() };
        if runtime.block_on(wait) {
            return Ok(Exit::Success);
        }
    }
}

/// The signals that end a table.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Draws over the last table as much as fits.
fn draw(lines: &[String]) -> Result<(), Failure> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let (rows, cols) = size.map_or((24, 80), |size| (size.ws_row.into(), size.ws_col.into()));
    let mut text = HOME.to_owned();
    for (index, line) in lines.iter().take(rows).enumerate() {
        if index > 0 {
            text += "\r\n";
        }
        text.extend(line.chars().take(cols));
        text += CLEAR_RIGHT;
    }
    text += CLEAR_BELOW;
    output::print(&text)?;
    std::io::stdout().flush().ok();
    Ok(())
}

fn page(gateway: &Gateway, rates: &mut Rates, now: Instant) -> Result<Vec<String>, Failure> {
    let sessions = sessions::read(&sessions::list(gateway)?)?;
    Ok(table(&sessions, rates, now))
}

fn table(sessions: &[Session], rates: &mut Rates, now: Instant) -> Vec<String> {
    let running = sessions.iter().filter(|session| session.status == "running").count();
    let viewers: u32 = sessions.iter().map(|session| session.clients).sum();
    let summary =
        format!("{running} running, {} ended, {viewers} viewers", sessions.len() - running);
    let headings = ["SESSION", "STATE", "VIEWERS", "OUTPUT", "RATE", "ECHO", "NETWORK", "COMMAND"];
    let elapsed = rates.at.map(|at| now.saturating_duration_since(at));
    let rows = sessions.iter().map(|session| row(session, rates, elapsed));
    let lines = columns(headings.map(str::to_owned), rows);
    let bytes = sessions.iter().map(|session| (session.id.clone(), session.output_bytes));
    *rates = Rates { bytes: bytes.collect(), at: Some(now) };
    [summary, String::new()].into_iter().chain(lines).collect()
}

fn row(session: &Session, rates: &Rates, elapsed: Option<Duration>) -> [String; 8] {
    let before = rates.bytes.get(&session.id).zip(elapsed.filter(|time| !time.is_zero()));
    let rate = before.map_or_else(
        || "-".to_owned(),
        |(before, elapsed)| {
            let grown = session.output_bytes.saturating_sub(*before);
            let micros = elapsed.as_micros().max(1);
            let rate = u128::from(grown) * 1_000_000 / micros;
            format!("{}/s", size(u64::try_from(rate).unwrap_or(u64::MAX)))
        },
    );
    let time = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}ms"));
    [
        shown(&session.id),
        shown(if session.lost { "lost" } else { &session.status }),
        session.clients.to_string(),
        size(session.output_bytes),
        rate,
        time(session.echo_ms),
        time(session.round_trip_ms),
        shown(&session.command),
    ]
}

/// A number of bytes with at most four digits and its unit.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut unit = 0;
    let mut rest = bytes;
    while rest >= 10_000 && unit + 1 < units.len() {
        rest /= 1024;
        unit += 1;
    }
    format!("{rest}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_rate_is_what_came_since_the_last_table() {
        let list = |bytes: u64| {
            let list = json!([{"id": "aaaa", "status": "running", "clients": 2, "command": "cat\u{1b}",
                "outputBytes": bytes, "echoMs": 0.25}]);
            sessions::read(&list).unwrap()
        };
        let (mut rates, start) = (Rates::default(), Instant::now());
        let first = table(&list(1000), &mut rates, start);
        assert_eq!(first[0], "1 running, 0 ended, 2 viewers");
        assert!(first[3].contains("1000B") && first[3].contains(" - "), "{first:?}");
        let second = table(&list(41_960), &mut rates, start + Duration::from_secs(2));
        assert!(second[3].contains("40KiB"), "{second:?}");
        let rest = second[3].split("40KiB").nth(1).unwrap();
        let cells: Vec<_> = rest.split_whitespace().collect();
        assert_eq!(cells, ["20KiB/s", "0.2ms", "-", "cat\\x1b"]);
    }

    #[test]
    fn sizes_have_few_digits() {
        for (bytes, expect) in
            [(0, "0B"), (9999, "9999B"), (10_240, "10KiB"), (u64::MAX, "16383PiB")]
        {
            assert_eq!(size(bytes), expect);
        }
    }
}
