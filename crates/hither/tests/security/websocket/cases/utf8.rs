//! Cases 6: text must be UTF-8 (RFC 3629), and bytes pass as they are.
//!
//! The sequences of 6.5 to 6.23 are those of Markus Kuhn's decoder stress test.

use super::{Case, Expect, echoed, failed};
use crate::websocket::peer::{FIN, TEXT, frame};

const GREETING: &str = "Hello-µ@ßöäüàá-UTF-8!!";
const KOSME: &[u8] = "κ\u{1f79}σμε".as_bytes();

pub(super) fn cases() -> Vec<Case> {
    let mut cases = fragmented();
    cases.extend(invalid_in_pieces());
    for (group, sequences) in (5..).zip(sequences()) {
        for (at, sequence) in sequences.iter().enumerate() {
            let valid = std::str::from_utf8(sequence).is_ok();
            let expect = if valid { echoed(sequence.clone()) } else { failed(&[1007]) };
            let number = format!("6.{group}.{}", at + 1);
            cases.push(Case::new(number, vec![frame(FIN | TEXT, sequence)], expect));
        }
    }
    cases
}

/// One frame for each piece, the last one with FIN.
fn in_fragments<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut frames: Vec<Vec<u8>> = Vec::new();
    for piece in pieces {
        frames.push(frame(if frames.is_empty() { TEXT } else { 0 }, piece));
    }
    if let Some(last) = frames.last_mut() {
        last[0] |= FIN;
    }
    frames
}

fn fragmented() -> Vec<Case> {
    let nothing = || Expect::Events(Vec::new());
    let (head, tail) = GREETING.as_bytes().split_at(12);
    let invalid: Vec<u8> = [KOSME, b"\xed\xa0\x80edited"].concat();
    vec![
        Case::new("6.1.1", vec![frame(FIN | TEXT, b"")], nothing()),
        Case::new("6.1.2", in_fragments([&b""[..], b"", b""]), nothing()),
        Case::new(
            "6.1.3",
            in_fragments([&b""[..], b"middle frame payload", b""]),
            echoed(b"middle frame payload"),
        ),
        Case::new("6.2.1", vec![frame(FIN | TEXT, GREETING.as_bytes())], echoed(GREETING)),
        Case::new("6.2.2", in_fragments([head, tail]), echoed(GREETING)),
        Case::new("6.2.3", in_fragments(GREETING.as_bytes().chunks(1)), echoed(GREETING)),
        Case::new("6.2.4", in_fragments(KOSME.chunks(1)), echoed(KOSME)),
        Case::new("6.3.1", vec![frame(FIN | TEXT, &invalid)], failed(&[1007])),
        Case::new("6.3.2", in_fragments(invalid.chunks(1)), failed(&[1007])),
    ]
}

/// Cases 6.4: the connection fails although the end of the message never comes: at once when the
/// wrong byte came in a fragment, and at the end of the frame when it came in a part of one, which
/// the suite calls not strict and accepts.
fn invalid_in_pieces() -> Vec<Case> {
    let wrong = b"\xf4\x90\x80\x80";
    let all = [KOSME, wrong, b"edited"].concat();
    let (before, after) = all.split_at(12);
    let one_frame = frame(FIN | TEXT, &all);
    let start = one_frame.len() - all.len();
    let unended = |parts: [&[u8]; 2]| vec![frame(TEXT, parts[0]), frame(0, parts[1])];
    let chops = |cuts: [usize; 2]| {
        let (head, rest) = one_frame.split_at(start + cuts[0]);
        let (middle, tail) = rest.split_at(cuts[1]);
        vec![head.to_vec(), middle.to_vec(), tail.to_vec()]
    };
    let case = |number: &str, pieces| Case { pieces, ..Case::new(number, vec![], failed(&[1007])) };
    vec![
        case("6.4.1", unended([KOSME, wrong])),
        case("6.4.2", unended([before, &after[..1]])),
        case("6.4.3", chops([KOSME.len(), wrong.len()])),
        case("6.4.4", chops([12, 1])),
    ]
}

/// Groups 6.5 to 6.23.
fn sequences() -> Vec<Vec<Vec<u8>>> {
    let list = |sequences: &[&[u8]]| sequences.iter().map(|bytes| bytes.to_vec()).collect();
    let lonely = |(from, to): (u8, u8)| (from..to).flat_map(|byte| [byte, b' ']).collect();
    let starts = [(0xc0, 0xdf), (0xe0, 0xef), (0xf0, 0xf7), (0xf8, 0xfb), (0xfc, 0xfd)];
    let mut unexpected: Vec<Vec<u8>> = list(UNEXPECTED);
    unexpected.push((0x80..0xbf).collect());
    let mut groups =
        vec![list(VALID), (1..=KOSME.len()).map(|len| KOSME[..len].to_vec()).collect()];
    groups.extend(BOUNDARIES.iter().map(|group| list(group)));
    groups.push(unexpected);
    groups.push(starts.into_iter().map(lonely).collect());
    groups.push(list(INCOMPLETE));
    groups.push(vec![INCOMPLETE.concat()]);
    groups.extend(IMPOSSIBLE.iter().map(|group| list(group)));
    groups.push(non_characters());
    groups.push(list(SPECIALS));
    groups
}

const VALID: &[&[u8]] = &[
    b"hello$world",
    b"hello\xc2\xa2world",
    b"hello\xe2\x82\xacworld",
    b"hello\xf0\xa4\xad\xa2world",
    KOSME,
];

/// First and last sequences of each length, and what lies around the borders.
const BOUNDARIES: [&[&[u8]]; 5] = [
    &[b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"],
    &[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"],
    &[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"],
    &[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"],
    &[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80"],
];

/// Continuation bytes without a start.
const UNEXPECTED: &[&[u8]] = &[
    b"\x80",
    b"\xbf",
    b"\x80\xbf",
    b"\x80\xbf\x80",
    b"\x80\xbf\x80\xbf",
    b"\x80\xbf\x80\xbf\x80",
    b"\x80\xbf\x80\xbf\x80\xbf",
];

/// Sequences of each length without their last byte.
const INCOMPLETE: &[&[u8]] = &[
    b"\xc0",
    b"\xe0\x80",
    b"\xf0\x80\x80",
    b"\xf8\x80\x80\x80",
    b"\xfc\x80\x80\x80\x80",
    b"\xdf",
    b"\xef\xbf",
    b"\xf7\xbf\xbf",
    b"\xfb\xbf\xbf\xbf",
    b"\xfd\xbf\xbf\xbf\xbf",
];

/// Impossible bytes, overlong forms (of `/`, the longest, of NUL), and surrogates, single and paired.
const IMPOSSIBLE: [&[&[u8]]; 6] = [
    &[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"],
    &[
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x80\x80\x80\xaf",
        b"\xfc\x80\x80\x80\x80\xaf",
    ],
    &[
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xf8\x87\xbf\xbf\xbf",
        b"\xfc\x83\xbf\xbf\xbf\xbf",
    ],
    &[
        b"\xc0\x80",
        b"\xe0\x80\x80",
        b"\xf0\x80\x80\x80",
        b"\xf8\x80\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80\x80",
    ],
    &[
        b"\xed\xa0\x80",
        b"\xed\xad\xbf",
        b"\xed\xae\x80",
        b"\xed\xaf\xbf",
        b"\xed\xb0\x80",
        b"\xed\xbe\x80",
        b"\xed\xbf\xbf",
    ],
    &[
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xed\xa0\x80\xed\xbf\xbf",
        b"\xed\xad\xbf\xed\xb0\x80",
        b"\xed\xad\xbf\xed\xbf\xbf",
        b"\xed\xae\x80\xed\xb0\x80",
        b"\xed\xae\x80\xed\xbf\xbf",
        b"\xed\xaf\xbf\xed\xb0\x80",
        b"\xed\xaf\xbf\xed\xbf\xbf",
    ],
];

const SPECIALS: &[&[u8]] = &[
    b"\xef\xbf\xb9",
    b"\xef\xbf\xba",
    b"\xef\xbf\xbb",
    b"\xef\xbf\xbc",
    b"\xef\xbf\xbd",
    b"\xef\xbf\xbe",
    b"\xef\xbf\xbf",
];

/// The last two code points of each plane: no characters, and valid all the same.
fn non_characters() -> Vec<Vec<u8>> {
    let planes = (0..=0x10_u32).flat_map(|plane| [plane << 16 | 0xfffe, plane << 16 | 0xffff]);
    let encode = |code| char::from_u32(code).expect("not a surrogate").to_string().into_bytes();
    planes.map(encode).collect()
}
