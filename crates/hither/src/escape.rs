//! The one way by which text from a server or a program reaches the terminal.
//!
//! A title or a command line can hold bytes that a terminal obeys: escape sequences, also in their
//! C1 form, carriage returns that overwrite, characters without width, and those that turn the
//! direction of the text. They are shown, not obeyed (docs/security, test X05).

use std::fmt::{self, Write as _};

/// Shows a text with everything escaped that a terminal, or the reader, could take for more than text.
///
/// A backslash is doubled, so that what is shown stands for one text only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if !is_deceptive(c) => f.write_char(c)?,
                c if c <= '\u{ff}' => write!(f, "\\x{:02x}", u32::from(c))?,
                c => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            }
        }
        Ok(())
    }
}

/// Lines of text, each as [`Escaped`] shows it, but for backslashes, which stay single: this is text to
/// read on, not a name. Tabs stay too.
pub(crate) fn lines_escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\\' => shown.push(c),
            '\r' => {}
            // Writing to a String cannot fail.
            c => write!(shown, "{}", Escaped(c.encode_utf8(&mut [0; 4]))).unwrap_or_default(),
        }
    }
    shown
}

/// Rewrites a JSON text so that it means the same and holds nothing deceptive.
///
/// Control characters cannot stand in JSON; others only inside strings, where `\u` may.
pub(crate) fn json_escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_deceptive(c) && !matches!(c, '\n' | '\r' | '\t') {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// Whether a character does something other than to be seen.
const fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' // C0, DEL, C1
        | '\u{ad}' | '\u{34f}' | '\u{61c}' // soft hyphen, grapheme joiner, Arabic letter mark
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' // fillers, inherent vowels
        | '\u{180b}'..='\u{180f}' // Mongolian selectors and separator
        | '\u{200b}'..='\u{200f}' // zero-width space and joiners, direction marks
        | '\u{2028}'..='\u{202e}' // line and paragraph separators, embeddings and overrides
        | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, isolates
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' // fillers, byte order mark
        | '\u{fe00}'..='\u{fe0f}' // variation selectors
        | '\u{fff0}'..='\u{fffb}' // interlinear annotations
        | '\u{e0000}'..='\u{e0fff}' // tags, further selectors
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        for (text, expect) in [
            ("vim README.md", "vim README.md"),
            ("größe 猫 🐈", "größe 猫 🐈"),
            ("\u{1b}]0;title\u{7}", "\\x1b]0;title\\x07"),
            ("\u{9b}31m", "\\x9b31m"),
            ("safe\rrm -rf", "safe\\rrm -rf"),
            ("two\nlines\ttab", "two\\nlines\\ttab"),
            ("\u{202e}gpj.exe", "\\u{202e}gpj.exe"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("\u{e0041}", "\\u{e0041}"),
            ("\u{7f}", "\\x7f"),
            ("C:\\x1b", "C:\\\\x1b"),
        ] {
            assert_eq!(Escaped(text).to_string(), expect);
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(lines_escaped("a\r\n\tC:\\x\u{1b}[2J\u{9b}\n"), "a\n\tC:\\x\\x1b[2J\\x9b\n");
    }

    #[test]
    fn utf8_encoded_c1_is_one_character_and_escaped() {
        let bytes = [0xc2, 0x9b, b'2', b'J'];
        let text = std::str::from_utf8(&bytes).unwrap();
        assert_eq!(Escaped(text).to_string(), "\\x9b2J");
    }

    proptest! {
        #[test]
        fn nothing_deceptive_is_left(text in any::<String>()) {
            prop_assert!(!Escaped(&text).to_string().chars().any(is_deceptive));
        }

        #[test]
        fn different_texts_are_shown_differently(text in any::<String>()) {
            prop_assert_eq!(unescaped(&Escaped(&text).to_string()), text);
        }

        #[test]
        fn escaped_json_means_the_same(text in any::<String>()) {
            let json = serde_json::to_string_pretty(&[&text]).unwrap();
            let safe = json_escaped(&json);
            prop_assert!(!safe.replace('\n', "").chars().any(is_deceptive));
            prop_assert_eq!(serde_json::from_str::<[String; 1]>(&safe).unwrap(), [text]);
        }
    }

    /// The text that is shown as `shown`.
    fn unescaped(shown: &str) -> String {
        let mut text = String::new();
        let mut chars = shown.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                text.push(c);
                continue;
            }
            let digits: String = match chars.next().unwrap() {
                'x' => chars.by_ref().take(2).collect(),
                'u' => chars.by_ref().skip(1).take_while(|c| *c != '}').collect(),
                'n' => "a".to_owned(),
                'r' => "d".to_owned(),
                't' => "9".to_owned(),
                _ => "5c".to_owned(),
            };
            text.push(u32::from_str_radix(&digits, 16).unwrap().try_into().unwrap());
        }
        text
    }
}
