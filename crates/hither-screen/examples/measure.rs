//! Measures what the screen costs: `cargo run --release -p hither-screen --example measure`.
#![allow(clippy::print_stdout, reason = "it is there to print")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use hither_core::WindowSize;
use hither_screen::{Scanner, Screen, SnapshotLimits, find_skip};

const MIB: usize = 1 << 20;
const ROUNDS: usize = 5;
const LOGS: &str = "\x1b[32mINFO\x1b[0m 12:34:56 request served ok\r\n";

/// The fastest of a few rounds.
fn fastest(mut work: impl FnMut()) -> Duration {
    let round = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..ROUNDS).map(|_| round(&mut work)).min().unwrap_or_default()
}

fn rate(len: usize, time: Duration) -> f64 {
    len as f64 / time.as_secs_f64() / 1e6
}

fn repeated(bytes: &[u8], len: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(len).collect()
}

/// Names and bytes: made up ones, and recordings.
fn inputs() -> Vec<(String, Vec<u8>)> {
    let plain = "a line of quite ordinary output that a program writes without colours\r\n";
    let unicode = "日本語のテキスト、한국어 텍스트 and 😀👍🏽 emoji e\u{301}\r\n";
    let mut inputs: Vec<(String, Vec<u8>)> =
        [("plain", plain), ("logs", LOGS), ("unicode", unicode)]
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .into();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/sessions");
    for name in ["vim", "htop", "less", "tmux", "git-log"] {
        if let Ok(bytes) = std::fs::read(folder.join(format!("{name}.raw"))) {
            inputs.push((name.to_owned(), bytes));
        }
    }
    inputs
}

fn main() {
    println!(
        "{:10} {:>9} {:>9} {:>11} {:>11} {:>6}",
        "", "scan MB/s", "feed MB/s", "1 MiB in ms", "snapshot us", "bytes"
    );
    for (name, bytes) in inputs() {
        measure(&name, &bytes);
    }
    measure_flood(LOGS.as_bytes());
    measure_full_scrollback(LOGS.as_bytes());
}

fn measure(name: &str, bytes: &[u8]) {
    let input = repeated(bytes, 8 * MIB);
    let scan = fastest(|| {
        let mut scanner = Scanner::new();
        for chunk in input.chunks(65_536) {
            scanner.scan(chunk, &mut |notice| drop(black_box(notice)));
        }
        black_box(scanner.plain_since());
    });
    let feed = fastest(|| {
        let mut screen = Screen::new(WindowSize::DEFAULT, 1000);
        input.chunks(65_536).for_each(|chunk| screen.feed(chunk));
        black_box(screen.cursor());
    });
    let mut screen = Screen::new(WindowSize::DEFAULT, 1000);
    screen.feed(&bytes[..bytes.len() * 9 / 10]);
    let limits = SnapshotLimits { scrollback_lines_max: 0, ..SnapshotLimits::default() };
    let snapshot = fastest(|| {
        for _ in 0..100 {
            black_box(screen.snapshot(limits));
        }
    }) / 100;
    println!(
        "{name:10} {:9.0} {:9.0} {:11.2} {:11.1} {:6}",
        rate(input.len(), scan),
        rate(input.len(), feed),
        feed.as_secs_f64() * 1e3 / 8.0,
        snapshot.as_secs_f64() * 1e6,
        screen.snapshot(limits).len(),
    );
}

/// CPU for each GB of a plain flood: scanning everything, moving the checkpoint twice a MiB.
fn measure_flood(logs: &[u8]) {
    let ring = repeated(logs, MIB);
    let limits = SnapshotLimits { scrollback_lines_max: 0, ..SnapshotLimits::default() };
    let mut checkpoint = Screen::new(WindowSize::DEFAULT, 1000).snapshot(limits);
    let time = fastest(|| {
        let mut scanner = Scanner::new();
        for _ in 0..64 {
            for chunk in ring.chunks(65_536) {
                scanner.scan(chunk, &mut |notice| drop(black_box(notice)));
            }
            for _ in 0..2 {
                let mut screen = Screen::new(WindowSize::DEFAULT, 1000);
                screen.feed(&checkpoint);
                let end = find_skip(&[&ring], WindowSize::DEFAULT, 1000).unwrap_or_default();
                screen.skip_plain(&[&ring[..end]]);
                checkpoint = screen.snapshot(limits);
            }
        }
    });
    println!("flood: {:.3} s CPU per GB", time.as_secs_f64() / (64.0 * MIB as f64 / 1e9));
}

fn measure_full_scrollback(logs: &[u8]) {
    let mut screen = Screen::new(WindowSize::DEFAULT, 1000);
    screen.feed(&repeated(logs, MIB));
    let limits = SnapshotLimits::default();
    let time = fastest(|| {
        black_box(screen.snapshot(limits));
    });
    println!(
        "snapshot with 1,000 lines: {:.0} us, {} bytes",
        time.as_secs_f64() * 1e6,
        screen.snapshot(limits).len()
    );
}
