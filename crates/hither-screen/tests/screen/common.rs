//! Random output of programs, made of real control functions.

use hither_core::WindowSize;
use hither_screen::{BufferKind, CellStyle, Line, Screen, ScreenState, StyledCell};
use proptest::prelude::*;

/// A text that terminals disagree about more than about others.
const TEXTS: &[&str] = &[
    "a",
    "Hello, world",
    " ",
    "        ",
    "日本語",
    "한글",
    "한",
    "é",
    "e\u{301}",
    "\u{301}",
    "😀",
    "👩\u{200d}👩\u{200d}👧",
    "👍🏽",
    "🇩🇪🇫🇷",
    "🇩",
    "❤\u{fe0f}",
    "❤",
    "1\u{fe0f}\u{20e3}",
    "नि",
    "\u{200d}",
    "\u{fe0f}",
    "─│┌",
    "x\u{336}y",
    "\u{3000}",
    "\u{ad}",
    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
    "ﷺ",
    "\u{600}1",
];

/// Sequences without parameters.
const FIXED: &[&str] = &[
    "\r",
    "\n",
    "\r\n",
    "\r\n",
    "\n\n\n",
    "\x08",
    "\t",
    "\x0b",
    "\x0e",
    "\x0f",
    "\x1b7",
    "\x1b8",
    "\x1bD",
    "\x1bE",
    "\x1bH",
    "\x1bM",
    "\x1bM",
    "\x1b=",
    "\x1b>",
    "\x1b(0",
    "\x1b(B",
    "\x1b)0",
    "\x1b)A",
    "\x1b*K",
    "\x1bn",
    "\x1bo",
    "\x1b#8",
    "\x1b%@",
    "\x1b[!p",
    "\x1b[s",
    "\x1b[u",
    "\x1b[3g",
    "\x1b[g",
    "\x1b[1\"q",
    "\x1b[2\"q",
    "\u{84}",
    "\u{85}",
    "\u{88}",
    "\x07",
    "\x7f",
    "\x1b[m",
    "\x1b[0m",
    "\x1b\\",
    "\x1bc",
];

/// Finals of control sequences with up to two small parameters.
const FINALS: &[&str] = &[
    "A", "B", "C", "D", "E", "F", "G", "H", "H", "I", "J", "?J", "K", "K", "?K", "L", "M", "P",
    "S", "T", "X", "Z", "@", "`", "a", "b", "d", "e", "f", "r", "r", " @", " A", " q", "'}", "'~",
];

const MODES: &[u16] = &[
    1, 6, 7, 9, 12, 25, 45, 47, 66, 1000, 1002, 1003, 1004, 1006, 1016, 1047, 1048, 1049, 2004,
    2026,
];

const SGR: &[&str] = &[
    "1",
    "2",
    "3",
    "4",
    "4:3",
    "4:5",
    "5",
    "7",
    "8",
    "9",
    "21",
    "22",
    "23",
    "24",
    "27",
    "29",
    "31",
    "38;5;200",
    "38;2;1;2;3",
    "39",
    "44",
    "48;5;17",
    "48:2::9:8:7",
    "49",
    "53",
    "55",
    "58:5:9",
    "58;2;4;5;6",
    "59",
    "91",
    "103",
    "0;7",
    "1;33;44",
];

const STRINGS: &[&str] = &[
    "\x1b]0;title\x07",
    "\x1b]2;other\u{202e} title\x1b\\",
    "\x1b]8;;https://example.org/\x1b\\",
    "\x1b]8;id=1;file:///x\x1b\\",
    "\x1b]8;;\x1b\\",
    "\x1b]4;3;rgb:12/34/56\x07",
    "\x1b]104;3\x07",
    "\x1b]10;#123456;#abcdef\x07",
    "\x1b]111\x07",
    "\x1b]52;c;aGk=\x07",
    "\x1bPq#0\x1b\\",
    "\x1b_Gx\x1b\\",
];

/// One piece of output.
pub(crate) fn piece() -> impl Strategy<Value = Vec<u8>> {
    let small =
        || prop_oneof![Just(String::new()), (0..40_u16).prop_map(|value| value.to_string())];
    let sequence =
        (small(), small(), prop::sample::select(FINALS)).prop_map(|(first, second, last)| {
            let (prefix, last) = last.strip_prefix('?').map_or(("", last), |last| ("?", last));
            if second.is_empty() {
                format!("\x1b[{prefix}{first}{last}")
            } else {
                format!("\x1b[{prefix}{first};{second}{last}")
            }
        });
    let mode = (prop::sample::select(MODES), prop::sample::select(&["h", "l"][..]))
        .prop_map(|(mode, switch)| format!("\x1b[?{mode}{switch}"));
    let text = |texts: &'static [&'static str]| prop::sample::select(texts).prop_map(str::to_owned);
    prop_oneof![
        8 => text(TEXTS),
        4 => text(FIXED),
        6 => sequence,
        1 => mode,
        1 => prop::sample::select(&["\x1b[4h", "\x1b[4l", "\x1b[20h", "\x1b[20l"][..]).prop_map(str::to_owned),
        3 => text(SGR).prop_map(|sgr| format!("\x1b[{sgr}m")),
        1 => text(STRINGS),
    ]
    .prop_map(String::into_bytes)
}

/// Names of the recordings in `testdata/sessions`.
pub(crate) const SESSIONS: &[&str] =
    &["bash", "vim", "htop", "top", "less", "man", "tmux", "git-log", "unicode", "progress"];

/// A recording.
pub(crate) fn recording(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/sessions");
    std::fs::read(folder.join(format!("{name}.raw"))).expect("the recording is in the repository")
}

/// Output that shows itself readably when a test fails.
#[derive(Clone)]
pub(crate) struct Output(pub(crate) Vec<u8>);

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// Output of up to `pieces_max` pieces.
pub(crate) fn output(pieces_max: usize) -> impl Strategy<Value = Output> {
    prop::collection::vec(piece(), 0..pieces_max).prop_map(|pieces| Output(pieces.concat()))
}

/// The first difference between a rebuilt screen and its original, in words; exceptions 1 and 13 of
/// `EXCEPTIONS.md` are none.
pub(crate) fn difference(rebuilt: &Screen, original: &Screen) -> Option<String> {
    let (mut left, right) = (rebuilt.state(), original.state());
    excuse(&mut left, &right);
    if left == right {
        return None;
    }
    for (name, left, right) in
        [("normal", &left.normal, &right.normal), ("alternate", &left.alternate, &right.alternate)]
    {
        for at in 0..left.lines.len().max(right.lines.len()) {
            let (left, right) = (left.lines.get(at), right.lines.get(at));
            if left != right {
                return Some(format!("{name} line {at}:\n  {left:?}\n  {right:?}"));
            }
        }
    }
    let words = |state: ScreenState| {
        let saved = (&state.normal.saved, &state.alternate.saved);
        let tabs = (&state.normal.tab_stops, &state.alternate.tab_stops);
        let regions = (state.normal.scroll_region, state.alternate.scroll_region);
        vec![
            format!("{:?} {:?} {:?}", state.active, state.cursor, state.pen),
            format!("{:?} {:?}", state.modes, state.charsets),
            format!("{:?} {:?} {:?}", state.palette, state.title, state.joinable),
            format!("{:?}", String::from_utf8_lossy(&state.pending)),
            format!("{regions:?} {tabs:?}"),
            format!("{saved:?}"),
        ]
    };
    let pairs = words(left).into_iter().zip(words(right));
    let different: Vec<_> = pairs.filter(|(left, right)| left != right).collect();
    Some(format!("{different:#?}"))
}

/// Makes `left` equal where it may differ.
fn excuse(left: &mut ScreenState, right: &ScreenState) {
    for (left, right) in
        [(&mut left.normal, &right.normal), (&mut left.alternate, &right.alternate)]
    {
        for (left, right) in left.lines.iter_mut().zip(&right.lines) {
            if all_torn(right) {
                left.clone_from(right);
            }
        }
    }
    let charsets = &mut left.charsets;
    let (left, right) = match right.active {
        BufferKind::Normal => (&mut left.normal, (&right.normal, right)),
        BufferKind::Alternate => (&mut left.alternate, (&right.alternate, right)),
    };
    let (buffer, state) = right;
    let (designated, level, active_set) = state.charsets;
    if active_set != designated[level] && buffer.saved.charset != active_set {
        charsets.clone_from(&state.charsets);
    }
    if state.cursor.col < state.size.cols() {
        return;
    }
    let at = buffer.scrollback_lines + usize::from(state.cursor.row);
    let last = usize::from(state.size.cols()) - 1;
    let empty = buffer.lines[at].cells.get(last).is_none_or(|cell| cell.text.is_empty());
    if empty && let Some(line) = left.lines.get_mut(at) {
        line.clone_from(&buffer.lines[at]);
    }
}

/// A line of nothing but torn halves of wide characters.
fn all_torn(line: &Line) -> bool {
    let plain = |cell: &StyledCell| CellStyle { bg: cell.style.bg, ..CellStyle::default() };
    let torn = |cell: &StyledCell| cell.text.is_empty() && cell.style != plain(cell);
    !line.cells.is_empty() && line.cells.iter().all(torn)
}

/// A small window, where edges are met often.
pub(crate) fn window() -> impl Strategy<Value = WindowSize> {
    (2..24_u32, 1..8_u32).prop_map(|(cols, rows)| WindowSize::clamped(cols, rows))
}
