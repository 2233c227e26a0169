//! Snapshots of random output, fed to the page's terminal.

use crate::common::{output, window};
use std::path::Path;
use std::process::Command;

use crate::oracle::{Job, Op, Oracle, Tally};
use hither_core::WindowSize;
use hither_screen::{Screen, SnapshotLimits};
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const CASES: usize = 1000;
const SCROLLBACK: usize = 30;
const LIMITS: SnapshotLimits =
    SnapshotLimits { scrollback_lines_max: SCROLLBACK, bytes_max: 1 << 20 };

/// What `EXCEPTIONS.md` calls rare: sums over ordinary output and over output that uses it.
#[derive(Debug, Default)]
struct Sums {
    ordinary: Tally,
    exceptional: Tally,
}

impl Sums {
    fn add(&mut self, bytes: &[u8], tally: &Tally) {
        if is_exceptional(bytes) { &mut self.exceptional } else { &mut self.ordinary }.add(tally);
    }

    /// Cells in ten thousand that may differ; no cursor and no mode may.
    fn check(&self, cells_max: u64) {
        println!("ordinary: {:?}", self.ordinary);
        println!("exceptional: {:?}", self.exceptional);
        let (cells, different) = self.ordinary.cells;
        assert!(different * 10_000 <= cells * cells_max, "{different} of {cells} cells differ");
        assert_eq!((self.ordinary.cursors.1, self.ordinary.modes.1), (0, 0));
        let (cells, different) = self.exceptional.cells;
        assert!(different * 100 <= cells * 3, "{different} of {cells} cells differ");
    }
}

/// Wraparound off, repeating, and the underline colour's end: exceptions 3 to 5.
fn is_exceptional(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let repeats = text.split("\x1b[").skip(1).any(|rest| {
        rest.trim_start_matches(|ch: char| ch.is_ascii_digit() || ch == ';').starts_with('b')
    });
    repeats || text.contains("[?7l") || text.contains("59m")
}

struct Cases(TestRunner);

impl Cases {
    fn new() -> Self {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        Self(TestRunner::new_with_rng(Config::default(), rng))
    }

    fn draw<T: std::fmt::Debug>(&mut self, strategy: &impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.0).expect("the strategy rejects nothing").current()
    }
}

fn show(tally: &Tally, size: WindowSize, bytes: &[u8]) {
    if !tally.is_equal() && !is_exceptional(bytes) {
        println!("{size} {:?}\n    {:?}", String::from_utf8_lossy(bytes), tally.differences);
    }
}

#[test]
fn a_snapshot_gives_what_the_stream_gives() {
    let Some(mut oracle) = Oracle::start() else {
        return;
    };
    let (mut cases, mut sums) = (Cases::new(), Sums::default());
    for _ in 0..CASES {
        let (size, bytes) = (cases.draw(&window()), cases.draw(&output(40)).0);
        let mut screen = Screen::new(size, SCROLLBACK);
        screen.feed(&bytes);
        let snapshot = screen.snapshot(LIMITS);
        let tally = oracle.compare(&Job {
            size,
            scrollback: SCROLLBACK,
            left: &[Op::Write(&bytes)],
            right: &[Op::Write(&snapshot)],
            probe: b"",
        });
        show(&tally, size, &bytes);
        sums.add(&bytes, &tally);
    }
    sums.check(5);
}

#[test]
fn a_snapshot_goes_on_like_the_stream() {
    let Some(mut oracle) = Oracle::start() else {
        return;
    };
    let (mut cases, mut sums) = (Cases::new(), Sums::default());
    for _ in 0..CASES {
        let (size, bytes) = (cases.draw(&window()), cases.draw(&output(40)).0);
        let cut = cases.draw(&(0..=bytes.len()));
        let mut screen = Screen::new(size, SCROLLBACK);
        screen.feed(&bytes[..cut]);
        let snapshot = screen.snapshot(LIMITS);
        let tally = oracle.compare(&Job {
            size,
            scrollback: SCROLLBACK,
            left: &[Op::Write(&bytes)],
            right: &[Op::Write(&snapshot), Op::Write(&bytes[cut..])],
            probe: b"",
        });
        show(&tally, size, &bytes);
        sums.add(&bytes, &tally);
    }
    sums.check(30);
}

#[test]
fn a_resized_screen_is_the_page_resized() {
    let Some(mut oracle) = Oracle::start() else {
        return;
    };
    let (mut cases, mut sums) = (Cases::new(), Sums::default());
    for _ in 0..CASES {
        let (size, bytes) = (cases.draw(&window()), cases.draw(&output(40)).0);
        let then = cases.draw(&window());
        let mut screen = Screen::new(size, SCROLLBACK);
        screen.feed(&bytes);
        screen.resize(then);
        let snapshot = screen.snapshot(LIMITS);
        let tally = oracle.compare(&Job {
            size,
            scrollback: SCROLLBACK,
            left: &[Op::Write(&bytes), Op::Resize(then)],
            right: &[Op::Resize(then), Op::Write(&snapshot)],
            probe: b"",
        });
        show(&tally, size, &bytes);
        sums.add(&bytes, &tally);
    }
    sums.check(100);
}

#[test]
fn the_answers_are_the_page_s() {
    let Some(mut oracle) = Oracle::start() else {
        return;
    };
    let mut cases = Cases::new();
    let queries = [
        "\x1b[c",
        "\x1b[0c",
        "\x1b[1c",
        "\x1b[>c",
        "\x1b[=c",
        "\x1b[5n",
        "\x1b[6n",
        "\x1b[?6n",
        "\x1b[?15n",
        "\x1b[4$p",
        "\x1b[20$p",
        "\x1b[3$p",
        "\x1b[2$p",
        "\x1b[?2004$p",
        "\x1b[?2026$p",
        "\x1b[?25$p",
        "\x1b[?7$p",
        "\x1b[?1049$p",
        "\x1b[?1006$p",
        "\x1b[?1002$p",
        "\x1b[?12$p",
        "\x1b[?66$p",
        "\x1b[?3$p",
        "\x1b[?8$p",
        "\x1b[?67$p",
        "\x1b[?9999$p",
        "\x1bP$qm\x1b\\",
        "\x1bP$qr\x1b\\",
        "\x1bP$q\"q\x1b\\",
        "\x1bP$q\"p\x1b\\",
        "\x1bP$q q\x1b\\",
        "\x1bP$qz\x1b\\",
        "\x1b[?u",
        "\x1b[21t",
        "\x1b[14t",
        "\x1bP+q544e\x1b\\",
        "\x1b]52;c;?\x07",
    ]
    .concat();
    for _ in 0..200 {
        let (size, mut bytes) = (cases.draw(&window()), cases.draw(&output(20)).0);
        bytes.extend_from_slice(queries.as_bytes());
        let mut screen = Screen::new(size, SCROLLBACK);
        screen.feed(&bytes);
        let job = Job {
            size,
            scrollback: SCROLLBACK,
            left: &[Op::Write(&bytes)],
            right: &[],
            probe: b"",
        };
        let tally = oracle.compare(&job);
        if !tally.failed && !is_exceptional(&bytes) {
            assert_eq!(String::from_utf8(screen.take_replies()).unwrap(), tally.replies);
        }
    }
}

/// Widths and clusters are measured from the page's terminal; the measurement is up to date.
#[test]
fn the_width_table_is_current() {
    if Oracle::start().is_none() {
        return;
    }
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let measured = Command::new("node")
        .arg(crate_folder.join("oracle/widths.mjs"))
        .output()
        .expect("node runs");
    assert!(measured.status.success());
    let table = std::fs::read(crate_folder.join("src/width/table.rs")).expect("it is there");
    assert!(measured.stdout == table, "node oracle/widths.mjs > src/width/table.rs");
}
