//! Recorded programs: the law of the snapshot at every kind of place, and what a checkpoint costs.

use hither_core::WindowSize;
use hither_screen::{BufferKind, Screen, SnapshotLimits};

use crate::common::{SESSIONS, difference, recording};

const SCROLLBACK: usize = 1000;

fn cuts(len: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(len / 150 + 1).chain([len])
}

#[test]
fn a_snapshot_rebuilds_the_screen_and_goes_on() {
    for name in SESSIONS {
        let bytes = recording(name);
        for cut in cuts(bytes.len()) {
            let mut original = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
            original.feed(&bytes[..cut]);
            let mut rebuilt = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
            rebuilt.feed(&original.snapshot(SnapshotLimits::default()));
            assert_eq!(difference(&rebuilt, &original), None, "{name} cut at {cut}");
            original.feed(&bytes[cut..]);
            rebuilt.feed(&bytes[cut..]);
            assert_eq!(difference(&rebuilt, &original), None, "{name} after a cut at {cut}");
        }
    }
}

/// An idle session keeps this instead of a live screen.
#[test]
fn a_checkpoint_takes_a_few_kilobytes() {
    let limits = SnapshotLimits { scrollback_lines_max: 0, ..SnapshotLimits::default() };
    for name in SESSIONS {
        let bytes = recording(name);
        let mut screen = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
        let (mut largest, mut from) = (0, 0);
        for cut in cuts(bytes.len()) {
            screen.feed(&bytes[from..cut]);
            from = cut;
            largest = largest.max(screen.snapshot(limits).len());
        }
        println!("{name}: at most {largest} bytes");
        assert!(largest < 6 * 1024, "{name}: {largest} bytes");
    }
}

#[test]
fn no_snapshot_asks_anything() {
    for name in SESSIONS {
        let mut screen = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
        screen.feed(&recording(name));
        let mut rebuilt = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
        rebuilt.feed(&screen.snapshot(SnapshotLimits::default()));
        assert_eq!(rebuilt.take_replies(), b"", "{name}");
    }
}

/// What a person would read, at a glance: full-screen programs leave the shell's screen alone.
#[test]
fn full_screen_programs_use_the_alternate_buffer() {
    for name in ["vim", "htop", "less", "man", "tmux"] {
        let bytes = recording(name);
        let mut screen = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
        screen.feed(&bytes[..bytes.len() / 2]);
        assert_eq!(screen.active_buffer(), BufferKind::Alternate, "{name}");
        screen.feed(&bytes[bytes.len() / 2..]);
        assert_eq!(screen.active_buffer(), BufferKind::Normal, "{name}");
        assert_eq!(screen.scrollback_lines(), 0, "{name}");
    }
}
