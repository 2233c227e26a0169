//! Titles are text from a stranger.

/// Longest title in characters; what comes after is cut.
pub const TITLE_CHARS_MAX: usize = 256;

/// The title without control characters and without the characters that change the direction of
/// the text around them, at most [`TITLE_CHARS_MAX`] characters.
#[must_use]
pub fn sanitize_title(text: &str) -> String {
    text.chars().filter(|&ch| is_harmless(ch)).take(TITLE_CHARS_MAX).collect()
}

/// Bidirectional controls: Unicode 15, property `Bidi_Control`; line and paragraph separators
/// break lines.
fn is_harmless(ch: char) -> bool {
    let bidi = matches!(ch, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !ch.is_control() && !bidi && !matches!(ch, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_text_and_drops_tricks() {
        for (title, expect) in [
            ("vim — notes.txt", "vim — notes.txt"),
            ("a\u{1b}[31mb\u{9b}c\nd\u{7f}", "a[31mbcd"),
            ("abc\u{202e}txt.exe\u{2066}x", "abctxt.exex"),
            ("<b>&amp;</b>", "<b>&amp;</b>"),
        ] {
            assert_eq!(sanitize_title(title), expect);
        }
        assert_eq!(sanitize_title(&"é".repeat(1_000_000)).chars().count(), TITLE_CHARS_MAX);
    }
}
