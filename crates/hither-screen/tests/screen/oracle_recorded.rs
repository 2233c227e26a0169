//! Recorded programs, cut anywhere: a snapshot fed to the page's terminal gives what the whole
//! stream gives, now and after the rest of the recording.

use crate::common::{SESSIONS, recording};
use crate::oracle::{Job, Op, Oracle, Tally};
use hither_core::WindowSize;
use hither_screen::{Screen, SnapshotLimits};

const CUTS: usize = 20;
const SCROLLBACK: usize = 1000;

/// Shows what cannot be seen: tab stops, saved cursor, character set, scroll region, pen.
const PROBE: &[u8] =
    b"\x1b[10;1H\t1\t2\x1b8saved\x1b[5;1Hq\x0eq\x0f\x1b[24;79Hwrap\r\n\n\nend\x1bM\x1bMup";

/// Cuts at fixed but irregular places.
fn cuts(len: usize) -> impl Iterator<Item = usize> {
    (0..CUTS).map(move |at| (at * 2_654_435_761 + 40_503) % (len + 1)).chain([len])
}

#[test]
fn snapshots_of_recorded_programs() {
    let Some(mut oracle) = Oracle::start() else {
        return;
    };
    let mut sum = Tally::default();
    for name in SESSIONS {
        let bytes = recording(name);
        let mut session = Tally::default();
        for cut in cuts(bytes.len()) {
            let mut screen = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
            screen.feed(&bytes[..cut]);
            let snapshot = screen.snapshot(SnapshotLimits::default());
            for rest in [&bytes[cut..cut], &bytes[cut..]] {
                let tally = oracle.compare(&Job {
                    size: WindowSize::DEFAULT,
                    scrollback: SCROLLBACK,
                    left: &[Op::Write(&bytes[..cut + rest.len()])],
                    right: &[Op::Write(&snapshot), Op::Write(rest)],
                    probe: PROBE,
                });
                if !tally.is_equal() {
                    println!("{name} cut at {cut}: {:?}", tally.differences);
                }
                session.add(&tally);
            }
        }
        println!("{name}: {session:?}");
        sum.add(&session);
    }
    println!("all: {sum:?}");
    let (cells, different) = sum.cells;
    assert!(different * 1000 <= cells, "{different} of {cells} cells differ");
    assert_eq!((sum.wraps.1, sum.cursors.1, sum.modes.1), (0, 0, 0));
}

#[test]
fn recorded_programs_after_a_resize() {
    let Some(mut oracle) = Oracle::start() else {
        return;
    };
    let mut sum = Tally::default();
    for name in SESSIONS {
        let bytes = recording(name);
        for (cut, (cols, rows)) in cuts(bytes.len())
            .zip([(60, 24), (100, 30), (33, 10), (80, 40), (120, 12)].into_iter().cycle())
        {
            let size = WindowSize::clamped(cols, rows);
            let mut screen = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
            screen.feed(&bytes[..cut]);
            screen.resize(size);
            let tally = oracle.compare(&Job {
                size: WindowSize::DEFAULT,
                scrollback: SCROLLBACK,
                left: &[Op::Write(&bytes[..cut]), Op::Resize(size)],
                right: &[Op::Resize(size), Op::Write(&screen.snapshot(SnapshotLimits::default()))],
                probe: b"",
            });
            if !tally.is_equal() {
                println!("{name} cut at {cut}, {size}: {:?}", tally.differences);
            }
            sum.add(&tally);
        }
    }
    println!("resized: {sum:?}");
    let (cells, different) = sum.cells;
    assert!(different * 1000 <= cells, "{different} of {cells} cells differ");
    assert_eq!((sum.cursors.1, sum.modes.1), (0, 0));
}
