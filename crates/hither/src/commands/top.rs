//! `hither top`: a live table of the sessions.

mod keyboard;
mod table;

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::keyboard::Keyboard;
use self::table::{HEADINGS_AT, Rates, table};
use super::sessions;
use crate::escape::Escaped;
use crate::failure::{Exit, Failure};
use crate::gateway::{Gateway, GatewayArgs};
use crate::{output, values};

/// Bold, and back to normal.
const BOLD: &str = "\x1b[1m";
const NORMAL: &str = "\x1b[0m";
/// Alternate screen, no cursor; and back (xterm control sequences).
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// To the upper left corner, over what was there; and the rest of the screen emptied.
const HOME: &str = "\x1b[H";
const CLEAR_BELOW: &str = "\x1b[J";
const CLEAR_RIGHT: &str = "\x1b[K";

/// Options of `hither top`.
#[derive(Debug, Args)]
#[command(after_help = "\
The sessions that write most come first. ECHO is the time between a keystroke and its echo inside of
the gateway's machine, NETWORK the round trip to whoever typed last. q or Ctrl-C leaves.")]
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

/// Shows tables until somebody presses q or Ctrl-C.
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
    // One that cannot be asked at all is a failure; one that goes away while it is watched comes back.
    let first = page(&gateway, &mut rates, Instant::now())?;
    output::print(ENTER)?;
    let result = watch(args, &gateway, &mut rates, first);
    output::print(LEAVE)?;
    result
}

fn watch(
    args: &TopArgs,
    gateway: &Gateway,
    rates: &mut Rates,
    first: Vec<String>,
) -> Result<Exit, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Internal, error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let ways_out = runtime.block_on(async { Ok((Signals::new()?, Keyboard::enter()?)) });
    let (mut signals, keyboard) = ways_out.map_err(failed)?;
    let interval = args.interval.max(Duration::from_millis(100));
    let mut lines = first;
    loop {
        draw(&lines)?;
        let leaves = async {
            tokio::select! {
                () = signals.next() => true,
                () = keyboard.leaves() => true,
                () = tokio::time::sleep(interval) => false,
            }
        };
        if runtime.block_on(leaves) {
            return Ok(Exit::Success);
        }
        lines = page(gateway, rates, Instant::now())
            .unwrap_or_else(|failure| vec![Escaped(&failure.to_string()).to_string()]);
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
        let is_heading = index == HEADINGS_AT;
        text += if is_heading { BOLD } else { "" };
        text.extend(line.chars().take(cols));
        text += if is_heading { NORMAL } else { "" };
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
