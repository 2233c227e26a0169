//! Output made to hurt: time and memory stay bounded, nothing panics.

use hither_core::WindowSize;
use hither_screen::{Scanner, Screen, SnapshotLimits, TITLE_CHARS_MAX};

use crate::common::difference;

const SCROLLBACK: usize = 100;

/// Feeds `bytes` in pieces, and checks what must hold whatever they are.
fn survive(bytes: &[u8]) -> Screen {
    let mut screen = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
    for piece in bytes.chunks(65_521) {
        screen.feed(piece);
    }
    assert!(screen.take_replies().len() <= 4096);
    assert!(screen.title().chars().count() <= TITLE_CHARS_MAX);
    let snapshot = screen.snapshot(SnapshotLimits::default());
    assert!(snapshot.len() <= SnapshotLimits::default().bytes_max);
    let mut rebuilt = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
    rebuilt.feed(&snapshot);
    assert_eq!(difference(&rebuilt, &screen), None);
    let mut scanner = Scanner::new();
    scanner.scan(bytes, &mut |_| {});
    screen
}

#[test]
fn endless_strings() {
    for start in [
        "\x1b]2;",
        "\x1b]8;;",
        "\x1b]52;c;",
        "\x1bP$q",
        "\x1bPq",
        "\x1b_G",
        "\x1b^",
        "\x1bX",
        "\x1b]",
        "\x1b]x",
    ] {
        let mut bytes = start.as_bytes().to_vec();
        bytes.resize(8 << 20, b'A');
        let screen = survive(&bytes);
        assert!(screen.state().pending.len() <= 8 * 1024);
        bytes.extend_from_slice(b"\x07\x1b\\done");
        assert!(survive(&bytes).text().contains("done"), "{start:?}");
    }
}

#[test]
fn endless_parameters() {
    for separator in [";", ":"] {
        let bytes = format!("\x1b[{}mtext", format!("1{separator}").repeat(1_000_000));
        assert_eq!(survive(bytes.as_bytes()).text().trim_end(), "text");
    }
    let digits = format!("\x1b[{}Htext", "9".repeat(1_000_000));
    assert!(survive(digits.as_bytes()).text().contains('t'));
}

#[test]
fn huge_counts() {
    for last in [
        "b", "@", "P", "X", "L", "M", "S", "T", "A", "B", "C", "D", "I", "Z", "r", "H", " @", " A",
        "'}", "'~", "d", "G", "J", "K",
    ] {
        let bytes =
            format!("text\x1b[2147483647;2147483647{last}x\x1b[99999999999999999999{last}y");
        survive(bytes.repeat(20).as_bytes());
    }
}

#[test]
fn marks_without_end() {
    for mark in ["\u{301}", "\u{200d}", "\u{fe0f}", "\u{200d}👩", "\u{1f3fd}"] {
        let bytes = format!("a{}b", mark.repeat(100_000));
        survive(bytes.as_bytes());
    }
}

#[test]
fn more_clusters_and_links_than_fit() {
    let mut bytes = String::new();
    for at in 0..200_000_u32 {
        let mark = char::from_u32(0x300 + at % 0x60).unwrap();
        let base = char::from_u32(0x4e00 + at / 0x60).unwrap();
        bytes.push(base);
        bytes.push(mark);
    }
    for at in 0..20_000 {
        bytes.push_str(&format!(
            "\x1b]8;;https://example.org/{at}\x1b\\x\x1b[58;2;{};{};1;4mu",
            at % 256,
            at / 256
        ));
    }
    survive(bytes.as_bytes());
}

#[test]
fn titles_of_a_megabyte() {
    let bytes = format!("\x1b]0;{}\x07", "é\u{202e}<".repeat(1 << 18));
    let screen = survive(bytes.as_bytes());
    assert_eq!(screen.title().chars().count(), TITLE_CHARS_MAX);
    assert!(!screen.title().contains('\u{202e}'));
}

/// Answers contain nothing that the output chose but numbers.
#[test]
fn answers_repeat_nothing() {
    let text = "INJECTED";
    let mut bytes = format!("\x1b]0;{text}\x07\x1b]2;{text}\x1b\\{text}");
    for query in [
        "\x1b[21t",
        "\x1b[20t",
        "\x1bP$q{}\x1b\\",
        "\x1b]4;1;{}\x07",
        "\x1b]10;{};?\x07",
        "\x1bP+q{}\x1b\\",
        "\x1b]52;c;?\x07",
        "\x1b[>0;{}q",
        "\x1b]60;{}\x07",
        "\x1b[?1$p",
        "\x1b[c",
        "\x1b[6n",
        "\x1b]l\x1b\\",
        "\x05",
        "\x1bZ",
        "\x1b[x",
    ] {
        bytes.push_str(&query.replace("{}", text));
    }
    let mut screen = Screen::new(WindowSize::DEFAULT, SCROLLBACK);
    screen.feed(bytes.as_bytes());
    let replies = String::from_utf8(screen.take_replies()).unwrap();
    assert!(!replies.is_empty() && !replies.contains("INJ"), "{replies:?}");
    let flood = b"\x1b[c".repeat(1 << 18);
    screen.feed(&flood);
    assert!(screen.take_replies().len() <= 4096);
}

/// The largest window, every cell of another colour: the limit holds, and the text goes last.
#[test]
fn a_snapshot_obeys_its_limit() {
    let size = WindowSize::clamped(1000, 500);
    let mut screen = Screen::new(size, SCROLLBACK);
    let mut bytes = String::new();
    for row in 0..510 {
        for col in 0..1000 {
            bytes.push_str(&format!("\x1b[38;2;{};{};7m\u{20ac}", col % 256, row % 256));
        }
        bytes.push_str("\r\n");
    }
    screen.feed(bytes.as_bytes());
    for bytes_max in [1 << 20, 256 * 1024, 64 * 1024] {
        let snapshot = screen.snapshot(SnapshotLimits { scrollback_lines_max: 100, bytes_max });
        assert!(snapshot.len() <= bytes_max, "{} > {bytes_max}", snapshot.len());
        let mut rebuilt = Screen::new(size, SCROLLBACK);
        rebuilt.feed(&snapshot);
        assert_eq!(rebuilt.cursor(), screen.cursor());
    }
}

/// The oldest lines go first.
#[test]
fn a_snapshot_drops_the_oldest_lines_first() {
    let mut screen = Screen::new(WindowSize::DEFAULT, 1000);
    for line in 0..900 {
        screen.feed(format!("line number {line}\r\n").as_bytes());
    }
    let whole = screen.snapshot(SnapshotLimits::default());
    let limits = SnapshotLimits { bytes_max: whole.len() / 2, ..SnapshotLimits::default() };
    let half = screen.snapshot(limits);
    assert!(half.len() <= limits.bytes_max && half.len() > limits.bytes_max * 3 / 4);
    let mut rebuilt = Screen::new(WindowSize::DEFAULT, 1000);
    rebuilt.feed(&half);
    assert_eq!(rebuilt.text(), screen.text());
    let kept = rebuilt.scrollback_lines();
    assert!(kept > 300 && kept < screen.scrollback_lines());
    let (rebuilt, original) = (rebuilt.state().normal, screen.state().normal);
    assert_eq!(
        rebuilt.lines[1..],
        original.lines[original.lines.len() - rebuilt.lines.len() + 1..]
    );
}
