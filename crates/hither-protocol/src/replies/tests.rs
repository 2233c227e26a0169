#![expect(clippy::disallowed_methods, reason = "no other way to make an Instant to count from")]

use super::*;

const REPLIES: [(QueryKind, &str); 20] = [
    (QueryKind::PrimaryAttributes, "\x1b[?62;4c"),
    (QueryKind::SecondaryAttributes, "\x1b[>0;276;0c"),
    (QueryKind::TertiaryAttributes, "\x1bP!|00000000\x1b\\"),
    (QueryKind::Status, "\x1b[0n"),
    (QueryKind::Status, "\x1b[?997;1n"),
    (QueryKind::CursorPosition, "\x1b[12;1R"),
    (QueryKind::CursorPosition, "\x1b[?12;1;1R"),
    (QueryKind::Mode, "\x1b[?2026;2$y"),
    (QueryKind::Mode, "\x1b[4;2$y"),
    (QueryKind::Color, "\x1b]4;255;rgb:ffff/ffff/ffff\x07"),
    (QueryKind::Color, "\x1b]10;rgb:0000/0000/0000\x1b\\"),
    (QueryKind::Color, "\x1b]11;rgb:0000/0000/0000\x07"),
    (QueryKind::Color, "\x1b]12;rgb:0000/0000/0000\x07"),
    (QueryKind::Setting, "\x1bP1$r0m\x1b\\"),
    (QueryKind::Setting, "\x1bP0$r\x1b\\"),
    (QueryKind::Capability, "\x1bP1+r544e=787465726d\x1b\\"),
    (QueryKind::Capability, "\x1bP0+r\x1b\\"),
    (QueryKind::Version, "\x1bP>|xterm.js(6.0.0)\x1b\\"),
    (QueryKind::KeyboardFlags, "\x1b[?1u"),
    (QueryKind::WindowReport, "\x1b[8;24;80t"),
];

fn owing(kind: QueryKind, count: u16, now: Instant) -> ReplyFilter {
    let mut filter = ReplyFilter::default();
    filter.handle_answered(kind, count, now);
    filter
}

#[test]
fn drops_as_many_replies_as_are_owed() {
    let now = Instant::now();
    for (kind, reply) in REPLIES {
        let mut filter = owing(kind, 2, now);
        for expect in [Verdict::Drop, Verdict::Drop, Verdict::Pass] {
            assert_eq!(filter.handle_input(reply.as_bytes(), now), expect, "{reply:?}");
        }
    }
}

#[test]
fn passes_replies_of_other_kinds() {
    let now = Instant::now();
    for (kind, _) in REPLIES {
        for (other, reply) in REPLIES {
            let mut filter = owing(kind, 1, now);
            let expect = if kind == other { Verdict::Drop } else { Verdict::Pass };
            assert_eq!(filter.handle_input(reply.as_bytes(), now), expect, "{reply:?}");
        }
    }
}

#[test]
fn drops_several_replies_in_one_message() {
    let now = Instant::now();
    let mut filter = ReplyFilter::default();
    let mut all = String::new();
    for (kind, reply) in REPLIES {
        filter.handle_answered(kind, 1, now);
        all.push_str(reply);
    }
    assert_eq!(filter.handle_input(all.as_bytes(), now), Verdict::Drop);
    assert_eq!(filter.handle_input(all.as_bytes(), now), Verdict::Pass);
}

#[test]
fn a_message_with_anything_else_passes_whole_and_pays_nothing() {
    let now = Instant::now();
    let mut filter = owing(QueryKind::CursorPosition, 1, now);
    for input in ["\x1b[1;1Rx", "x\x1b[1;1R", "\x1b[1;1R\x1b[1;1R", "\x1b[1;1", ""] {
        assert_eq!(filter.handle_input(input.as_bytes(), now), Verdict::Pass, "{input:?}");
    }
    assert_eq!(filter.handle_input(b"\x1b[1;1R", now), Verdict::Drop);
}

#[test]
fn keys_pass_whatever_is_owed() {
    let now = Instant::now();
    let mut filter = ReplyFilter::default();
    for (kind, _) in REPLIES {
        filter.handle_answered(kind, u16::MAX, now);
    }
    for key in [
        "\x1b",
        "\x1b[A",
        "\x1bOP",
        "\x1b[15~",
        "\x1b[15;2~",
        "\x1b[1;5C",
        "\x1b[R",
        "\x1b[5R",
        "\x1b[97;5u",
        "\x1b[Z",
        "\x1b[I",
        "\x1b[<0;1;1M",
        "\x1b[200~c\x1b[201~",
        "\x1bP",
        "\x1b]0;x\x07",
        "\x1b\x1b",
        "\x1bc",
        "\x1b[M !!",
        "\x1b]4;1;x\x18",
        "\x1b[?c ",
    ] {
        assert_eq!(filter.handle_input(key.as_bytes(), now), Verdict::Pass, "{key:?}");
    }
}

#[test]
fn shift_f3_is_a_key_unless_a_cursor_position_is_owed() {
    let now = Instant::now();
    let mut filter = ReplyFilter::default();
    assert_eq!(filter.handle_input(b"\x1b[1;2R", now), Verdict::Pass);
    filter.handle_answered(QueryKind::CursorPosition, 0, now);
    assert_eq!(filter.handle_input(b"\x1b[1;2R", now), Verdict::Pass);
    filter.handle_answered(QueryKind::CursorPosition, 1, now);
    assert_eq!(filter.handle_input(b"\x1b[1;2R", now), Verdict::Drop);
}

#[test]
fn debts_expire() {
    let start = Instant::now();
    let mut filter = owing(QueryKind::CursorPosition, u16::MAX, start);
    let just_before = start + REPLY_TIMEOUT - Duration::from_nanos(1);
    assert_eq!(filter.handle_input(b"\x1b[1;2R", just_before), Verdict::Drop);
    assert_eq!(filter.handle_input(b"\x1b[1;2R", start + REPLY_TIMEOUT), Verdict::Pass);
    filter.handle_answered(QueryKind::CursorPosition, 1, start + REPLY_TIMEOUT);
    assert_eq!(filter.handle_input(b"\x1b[1;2R", start + REPLY_TIMEOUT), Verdict::Drop);
    assert_eq!(filter.handle_input(b"\x1b[1;2R", start + REPLY_TIMEOUT), Verdict::Pass);
}

proptest::proptest! {
    #[test]
    fn any_input_is_decided(input: Vec<u8>, kinds in "[\\[\\]P?>0-9;$yRcn+r|\x1b\x07\\\\]*") {
        let now = Instant::now();
        let mut filter = ReplyFilter::default();
        for (kind, _) in REPLIES {
            filter.handle_answered(kind, 1, now);
        }
        filter.handle_input(&input, now);
        filter.handle_input(format!("\x1b{kinds}").as_bytes(), now);
    }
}
