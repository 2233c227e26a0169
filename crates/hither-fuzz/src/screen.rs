//! Output of programs, which nobody vouches for.

use hither_core::WindowSize;
use hither_screen::{Notice, Scanner, Screen, SnapshotLimits};

use crate::bytes::{choice, pieces};

const SCROLLBACK: usize = 50;
const LIMITS: SnapshotLimits =
    SnapshotLimits { scrollback_lines_max: SCROLLBACK, bytes_max: 1 << 20 };

fn size(data: &mut &[u8]) -> WindowSize {
    WindowSize::clamped(u32::from(choice(data)), u32::from(choice(data) % 64))
}

/// A snapshot rebuilds an equal screen, whatever was fed and however the window changed; answers
/// to queries hold nothing that the program chose.
pub(crate) fn screen(mut data: &[u8]) {
    let (born, later) = (size(&mut data), size(&mut data));
    let cut = usize::from(choice(&mut data)).min(data.len());
    let mut screen = Screen::new(born, SCROLLBACK);
    screen.feed(&data[..cut]);
    screen.resize(later);
    screen.feed(&data[cut..]);
    let replies = screen.take_replies();
    assert!(replies.len() <= 64 * data.len() + 64, "answers are bounded");
    assert!(!replies.contains(&b'\n') && !replies.contains(&b'\r'), "an answer types no line");
    let snapshot = screen.snapshot(LIMITS);
    assert!(snapshot.len() <= LIMITS.bytes_max);
    let mut rebuilt = Screen::new(screen.size(), SCROLLBACK);
    rebuilt.feed(&snapshot);
    assert!(rebuilt.take_replies().is_empty(), "a snapshot asks nothing");
    assert_eq!(rebuilt.state(), screen.state());
}

/// The same bytes in other pieces bring the same notices at the same places. A cut may make plain
/// output look less plain, never more: what is not plain must not be skipped.
pub(crate) fn scanner(mut data: &[u8]) {
    let size = choice(&mut data);
    let (cut, whole) = (scan(pieces(data, size)), scan(std::iter::once(data)));
    assert_eq!(cut.0, whole.0);
    assert!(cut.1 >= whole.1, "plain since {} in pieces, since {} as a whole", cut.1, whole.1);
}

fn scan<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<(u64, String)>, u64) {
    let mut scanner = Scanner::new();
    let mut found = Vec::new();
    for piece in pieces {
        let start = scanner.position();
        scanner.scan(piece, &mut |notice| {
            let (at, what) = match notice {
                Notice::Query { kind, end } => (start + end as u64, format!("{kind:?}")),
                Notice::Title(title) => (0, title),
                Notice::Bell => (0, "bell".to_owned()),
                Notice::Mark { mark, end } => (start + end as u64, format!("{mark:?}")),
                Notice::Directory(directory) => (0, format!("{directory:?}")),
            };
            found.push((at, what));
        });
    }
    (found, scanner.plain_since())
}
