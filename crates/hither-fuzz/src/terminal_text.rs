//! Text of others on a person's terminal.

use crate::bytes::text;
use crate::escape::{Escaped, json_escaped};

/// Nothing that a terminal obeys is left, and different texts look different.
pub(crate) fn escape(data: &[u8]) {
    let text = text(data);
    let shown = Escaped(&text).to_string();
    assert!(!shown.contains(char::is_control), "{shown:?}");
    assert!(!shown.contains(['\u{202e}', '\u{200b}', '\u{feff}', '\u{2066}']), "{shown:?}");
    if !text.contains('\\') && !shown.contains('\\') {
        assert_eq!(shown, text);
    }
    let json = json_escaped(&text);
    assert!(!json.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')));
}
