//! Feeding a snapshot into a fresh screen gives an equal screen.

use crate::common::{Output, difference, output, window};
use hither_core::WindowSize;
use hither_screen::{Screen, SnapshotLimits};
use proptest::prelude::*;

const SCROLLBACK: usize = 20;
const LIMITS: SnapshotLimits =
    SnapshotLimits { scrollback_lines_max: SCROLLBACK, bytes_max: 1 << 20 };

fn rebuilt(screen: &Screen) -> Screen {
    let mut fresh = Screen::new(screen.size(), SCROLLBACK);
    fresh.feed(&screen.snapshot(LIMITS));
    fresh
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rebuilds_an_equal_screen(size in window(), bytes in output(60), cut in any::<prop::sample::Index>()) {
        let mut screen = Screen::new(size, SCROLLBACK);
        screen.feed(&bytes.0[..cut.index(bytes.0.len() + 1)]);
        prop_assert_eq!(difference(&rebuilt(&screen), &screen), None);
    }

    #[test]
    fn a_cropped_copy_is_the_screen_with_less_scrollback(
        size in window(), bytes in output(60), lines in 0..=SCROLLBACK,
    ) {
        let mut screen = Screen::new(size, SCROLLBACK);
        screen.feed(&bytes.0);
        let copy = screen.cropped(lines);
        prop_assert_eq!(copy.scrollback_lines(), screen.scrollback_lines().min(lines));
        let limits = SnapshotLimits { scrollback_lines_max: lines, ..LIMITS };
        let mut fresh = Screen::new(size, SCROLLBACK);
        fresh.feed(&screen.snapshot(limits));
        prop_assert_eq!(difference(&fresh, &rebuilt(&copy)), None);
        for index in 0..copy.scrollback_lines() {
            let same = screen.scrollback_lines() - copy.scrollback_lines() + index;
            prop_assert_eq!(copy.scrollback_line(index).cells, screen.scrollback_line(same).cells);
        }
    }

    #[test]
    fn splitting_changes_nothing(size in window(), bytes in output(60), cut in any::<prop::sample::Index>()) {
        let mut whole = Screen::new(size, SCROLLBACK);
        whole.feed(&bytes.0);
        let (before, after) = bytes.0.split_at(cut.index(bytes.0.len() + 1));
        let mut split = Screen::new(size, SCROLLBACK);
        split.feed(before);
        split.feed(after);
        prop_assert_eq!(difference(&split, &whole), None);
    }

    #[test]
    fn takes_any_bytes_and_any_resize(
        bytes in prop::collection::vec(any::<u8>(), 0..400).prop_map(Output),
        more in output(40),
        sizes in prop::collection::vec(window(), 1..4),
    ) {
        let mut screen = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
        for size in sizes {
            screen.feed(&bytes.0);
            screen.resize(size);
            prop_assert_eq!(difference(&rebuilt(&screen), &screen), None);
            screen.feed(&more.0);
        }
        prop_assert_eq!(difference(&rebuilt(&screen), &screen), None);
    }
}
