use hither_core::WindowSize;
use proptest::prelude::*;

use super::*;
use crate::Screen;

fn scan_pieces(pieces: &[&[u8]]) -> (Vec<Notice>, Scanner) {
    let (mut notices, mut scanner) = (Vec::new(), Scanner::new());
    let mut from = 0;
    for piece in pieces {
        scanner.scan(piece, &mut |notice| {
            notices.push(match notice {
                Notice::Query { kind, end } => Notice::Query { kind, end: from + end },
                Notice::Mark { mark, end } => Notice::Mark { mark, end: from + end },
                other @ (Notice::Title(_) | Notice::Bell | Notice::Directory(_)) => other,
            });
        });
        from += piece.len();
    }
    (notices, scanner)
}

const QUERIES: &[(&str, QueryKind, &str)] = &[
    ("\x1b[c", QueryKind::PrimaryAttributes, "\x1b[?1;2c"),
    ("\x1b[0c", QueryKind::PrimaryAttributes, "\x1b[?1;2c"),
    ("\u{9b}c", QueryKind::PrimaryAttributes, "\x1b[?1;2c"),
    ("\x1b[>c", QueryKind::SecondaryAttributes, "\x1b[>0;276;0c"),
    ("\x1b[5n", QueryKind::Status, "\x1b[0n"),
    ("\x1b[6n", QueryKind::CursorPosition, "\x1b[1;2R"),
    ("\x1b[?6n", QueryKind::CursorPosition, "\x1b[?1;2R"),
    ("\x1b[4$p", QueryKind::Mode, "\x1b[4;2$y"),
    ("\x1b[?2026$p", QueryKind::Mode, "\x1b[?2026;2$y"),
    ("\x1b[?31337$p", QueryKind::Mode, "\x1b[?31337;0$y"),
    ("\x1bP$qm\x1b\\", QueryKind::Setting, "\x1bP1$r0m\x1b\\"),
    ("\x1bP$qr\u{9c}", QueryKind::Setting, "\x1bP1$r1;24r\x1b\\"),
    ("\x1bP$qhello\x1b\\", QueryKind::Setting, "\x1bP0$r\x1b\\"),
    ("\x1b]10;?\x07", QueryKind::Color, "\x1b]10;rgb:ffff/ffff/ffff\x1b\\"),
    ("\x1b]11;?\x1b\\", QueryKind::Color, "\x1b]11;rgb:0000/0000/0000\x1b\\"),
    ("\x1b]12;?\x07", QueryKind::Color, "\x1b]12;rgb:ffff/ffff/ffff\x1b\\"),
    ("\x1b]4;1;?\x07", QueryKind::Color, "\x1b]4;1;rgb:cccc/0000/0000\x1b\\"),
    ("\x1b[>q", QueryKind::Version, "\x1bP>|xterm.js(6.0.0)\x1b\\"),
    ("\x1b[18t", QueryKind::WindowSize, "\x1b[8;24;80t"),
];

/// Looks like a query and is none here.
const SILENT: &[&str] = &[
    "\x1b[1c",
    "\x1b[=c",
    "\x1b[>1c",
    "\x1b[?u",
    "\x1b[21t",
    "\x1b[14t",
    "\x1b[7n",
    "\x1b[?15n",
    "\x1b]52;c;?\x07",
    "\x1b]4;300;?\x07",
    "\x1b]4;?\x07",
    "\x1b]10;red\x07",
    "\x1bP+q544e\x1b\\",
    "\x1b]13;?\x07",
    "\x1b]11;?\x18",
    "\x1b]60\x07",
    "\x1b[6\x18n",
    "\x1b_\x1b]x;11;?\x07",
];

#[test]
fn every_query_is_noticed_and_answered_once_wherever_it_is_cut() {
    for &(query, kind, answer) in QUERIES {
        let text = format!("a{query}b");
        // A string is over when ESC comes, whatever follows it.
        let end = 1 + query.trim_end_matches('\\').len();
        for cut in 0..=text.len() {
            let (before, after) = text.as_bytes().split_at(cut);
            let (notices, _) = scan_pieces(&[before, after]);
            let queries: Vec<&Notice> =
                notices.iter().filter(|notice| matches!(notice, Notice::Query { .. })).collect();
            assert_eq!(queries, [&Notice::Query { kind, end }], "{query:?} cut at {cut}");
            let mut screen = Screen::new(WindowSize::DEFAULT, 0);
            screen.feed(before);
            screen.feed(after);
            assert_eq!(String::from_utf8(screen.take_replies()).unwrap(), answer, "{query:?}");
            assert!(screen.take_replies().is_empty());
        }
    }
}

#[test]
fn what_is_not_noticed_is_not_answered() {
    for text in SILENT {
        let (notices, _) = scan_pieces(&[text.as_bytes()]);
        assert!(!notices.iter().any(|notice| matches!(notice, Notice::Query { .. })), "{text:?}");
        let mut screen = Screen::new(WindowSize::DEFAULT, 0);
        screen.feed(text.as_bytes());
        assert_eq!(screen.take_replies(), b"", "{text:?}");
    }
}

#[test]
fn titles_and_bells_are_reported() {
    let (notices, _) =
        scan_pieces(&[b"x\x07\x1b]0;a\x1b", b"\\\x1b]2;b\xe2\x80", b"\xaec\x07\x1b]1;icon\x07"]);
    assert_eq!(notices, [Notice::Bell, Notice::Title("a".into()), Notice::Title("bc".into())]);
}

#[test]
fn marks_and_directories_of_shells_are_reported_wherever_they_are_cut() {
    let text =
        "\x1b]133;A\x07$ \x1b]133;B\x1b\\\x1b]133;D;3\x07\x1b]7;file://h/a%20b\x07\x1b]133;X\x07";
    let directory = Directory { host: "h".into(), path: "/a b".into() };
    let expect = [
        Notice::Mark { mark: ShellMark::Prompt, end: 8 },
        Notice::Mark { mark: ShellMark::Input, end: 18 },
        Notice::Mark { mark: ShellMark::End(Some(3)), end: 29 },
        Notice::Directory(directory),
    ];
    for cut in 0..=text.len() {
        let (before, after) = text.as_bytes().split_at(cut);
        assert_eq!(scan_pieces(&[before, after]).0, expect, "cut at {cut}");
    }
}

#[test]
fn plain_output_is_told_from_the_rest() {
    for (text, plain_since) in [
        ("plain\r\n\tte\x08xt\x07", 0),
        ("\x1b[1;38;5;9mcolour\x1b[0m\x1b[K é ©\r\n", 0),
        ("ab\x1b[", 0),
        ("ab\x1b[Hcd", 5),
        ("ab\x1b[?25lcd", 8),
        ("ab\x1b]2;t\x07cd", 8),
        ("ab\x1b]2;t\r\n", 9),
        ("ab\x0ecd", 3),
        ("\x1b(Bcd", 0),
        ("\x1b(0cd", 3),
        ("ab\u{85}cd", 4),
        ("a\x1b[3\nmb", 5),
    ] {
        for cut in 0..=text.len() {
            let (before, after) = text.as_bytes().split_at(cut);
            let (_, scanner) = scan_pieces(&[before, after]);
            assert_eq!(scanner.plain_since(), plain_since, "{text:?} cut at {cut}");
            assert_eq!(scanner.position(), text.len() as u64);
        }
    }
}

#[test]
fn endless_strings_cost_nothing() {
    let mut scanner = Scanner::new();
    scanner.scan(b"\x1b]2;", &mut |_| {});
    for _ in 0..256 {
        scanner.scan(&[b'x'; 65_536], &mut |_| {});
    }
    let mut titles = Vec::new();
    scanner.scan(b"\x07", &mut |notice| titles.push(notice));
    assert_eq!(titles, [Notice::Title("x".repeat(crate::TITLE_CHARS_MAX))]);
}

proptest! {
    #[test]
    fn splitting_changes_nothing(bytes in crate::parser::tests::soup(), cut in any::<prop::sample::Index>()) {
        let (before, after) = bytes.split_at(cut.index(bytes.len() + 1));
        let (whole, scanner) = scan_pieces(&[&bytes]);
        let (pieces, split) = scan_pieces(&[before, after]);
        prop_assert_eq!(whole, pieces);
        prop_assert_eq!(scanner.plain_since(), split.plain_since());
    }

    #[test]
    fn the_screen_answers_exactly_when_a_query_is_noticed(bytes in crate::parser::tests::soup()) {
        let (notices, _) = scan_pieces(&[&bytes]);
        let asked = notices.iter().any(|notice| matches!(notice, Notice::Query { .. }));
        let mut screen = Screen::new(WindowSize::DEFAULT, 0);
        screen.feed(&bytes);
        prop_assert_eq!(asked, !screen.take_replies().is_empty());
    }
}
