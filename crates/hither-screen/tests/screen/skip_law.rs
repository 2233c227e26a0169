//! Skipping plain output that has scrolled away gives what feeding it gives.

use crate::common::{Output, difference, output, window};
use hither_screen::{Scanner, Screen, find_skip};
use proptest::prelude::*;

const SCROLLBACK: usize = 10;

/// Ends what forbids skipping, and nothing else.
const ORDINARY: &[u8] =
    b"\x18\x1b[?1047l\x1b[r\x1b[?6l\x1b[4l\x1b[?45l\x1b(B\x1b)B\x1b*B\x1b+B\x0f";

/// Plain output: lines of text and colours.
fn plain() -> impl Strategy<Value = Output> {
    let piece = prop::sample::select(
        &[
            "\r\n",
            "\r\n",
            "\r\n",
            "\r\n",
            "\n",
            "text",
            "a much longer line of text that wraps",
            "\t",
            "\x08",
            "\r",
            "日本語",
            "e\u{301}",
            "👩\u{200d}👧",
            "\x1b[31m",
            "\x1b[0m",
            "\x1b[m",
            "\x1b[1;44m",
            "\x1b[38;5;9m",
            "\x1b[4:3;58:5:3m",
            "\x1b[K",
            "\x1b[2K",
            "\x1b[10G",
            "\x1b[5C",
            "\x1b[3X",
            "\x07",
            "\x1b(B",
            "\x0b",
            "\x1b[3b",
            "\x1b[2@",
            "\x1b[P",
        ][..],
    );
    prop::collection::vec(piece, 0..300).prop_map(|pieces| Output(pieces.concat().into_bytes()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn skipping_equals_feeding(
        size in window(),
        before in output(30),
        plain in plain(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut slow = Screen::new(size, SCROLLBACK);
        slow.feed(&before.0);
        slow.feed(ORDINARY);
        prop_assert!(slow.may_skip());
        let mut fast = slow.clone();
        slow.feed(&plain.0);
        let pieces = plain.0.split_at(cut.index(plain.0.len() + 1));
        if let Some(end) = find_skip(&[pieces.0, pieces.1], size, SCROLLBACK) {
            let first = end.min(pieces.0.len());
            fast.skip_plain(&[&pieces.0[..first], &pieces.1[..end - first]]);
            fast.feed(&plain.0[end..]);
            prop_assert_eq!(difference(&fast, &slow), None);
        }
    }

    #[test]
    fn what_the_scanner_calls_plain_can_be_skipped(size in window(), bytes in output(20), plain in plain()) {
        let mut scanner = Scanner::new();
        scanner.scan(&bytes.0, &mut |_| {});
        scanner.scan(&plain.0, &mut |_| {});
        let since = usize::try_from(scanner.plain_since()).unwrap();
        let all = [bytes.0, plain.0].concat();
        let mut slow = Screen::new(size, SCROLLBACK);
        slow.feed(&all[..since]);
        let mut fast = slow.clone();
        slow.feed(&all[since..]);
        if let Some(end) = find_skip(&[&all[since..]], size, SCROLLBACK)
            && fast.may_skip()
        {
            fast.skip_plain(&[&all[since..since + end]]);
            fast.feed(&all[since + end..]);
            prop_assert_eq!(difference(&fast, &slow), None);
        }
    }
}

/// The gateway's use: a checkpoint that is moved over a flood as the ring is written over.
#[test]
fn a_checkpoint_moves_over_a_flood() {
    let size = hither_core::WindowSize::DEFAULT;
    let line = |n: usize| format!("\x1b[3{}mline {n}\x1b[0m of a flood\r\n", n % 8);
    let flood: String = (0..20_000).map(line).collect();
    let (flood, ring_len) = (flood.as_bytes(), 64 * 1024);
    let limits = hither_screen::SnapshotLimits { scrollback_lines_max: 0, bytes_max: 1 << 20 };
    let mut checkpoint = (Screen::new(size, 100).snapshot(limits), 0);
    let mut moved = 0;
    for head in (0..flood.len()).step_by(32 * 1024) {
        if head - checkpoint.1 < ring_len / 2 {
            continue;
        }
        let mut screen = Screen::new(size, 100);
        screen.feed(&checkpoint.0);
        let plain = &flood[checkpoint.1..head];
        let skip = find_skip(&[plain], size, 100).expect("the flood has many lines");
        assert!(screen.may_skip());
        screen.skip_plain(&[&plain[..skip]]);
        checkpoint = (screen.snapshot(limits), checkpoint.1 + skip);
        moved += 1;
        assert!(head - checkpoint.1 < 16 * 1024, "what must be emulated is little");
    }
    assert!(moved > 5);
    let (mut slow, mut fast) = (Screen::new(size, 100), Screen::new(size, 100));
    slow.feed(flood);
    fast.feed(&checkpoint.0);
    fast.feed(&flood[checkpoint.1..]);
    assert_eq!(difference(&fast, &slow), None);
}
