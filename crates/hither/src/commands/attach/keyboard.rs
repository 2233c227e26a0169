//! What the user's terminal sends: keys, the one that leaves, and answers that nobody asked for.

use hither_client::is_reply;

/// The key that leaves the session, as the byte that a terminal sends for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DetachKey(Option<u8>);

/// What was read from the terminal, split.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys<'a> {
    /// What goes to the session.
    pub(super) typed: &'a [u8],
    /// Whether the key that leaves came behind it.
    pub(super) leaves: bool,
}

impl DetachKey {
    /// Splits what was read.
    pub(super) fn split(self, read: &[u8]) -> Keys<'_> {
        let at = self.0.and_then(|key| read.iter().position(|byte| *byte == key));
        let typed = &read[..at.unwrap_or(read.len())];
        // The gateway answers the programs' queries; this terminal's answers would be typed.
        let typed = if is_reply(typed) { &[] } else { typed };
        Keys { typed, leaves: at.is_some() }
    }
}

/// Reads the name of a key.
pub(super) fn detach_key(text: &str) -> Result<DetachKey, String> {
    if text == "none" {
        return Ok(DetachKey(None));
    }
    let key = text.strip_prefix("Ctrl-").and_then(|rest| match rest.as_bytes() {
        [letter] => Some(letter.to_ascii_uppercase()),
        _ => None,
    });
    key.filter(|key| (b'A'..=b'_').contains(key) && *key != b'[')
        .map(|key| DetachKey(Some(key & 0x1f)))
        .ok_or_else(|| "expected `none`, or Ctrl- and a letter or one of \\ ] ^ _".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_names() {
        for (text, expect) in [
            ("Ctrl-\\", Some(Some(0x1c))),
            ("Ctrl-]", Some(Some(0x1d))),
            ("Ctrl-a", Some(Some(1))),
            ("Ctrl-A", Some(Some(1))),
            ("none", Some(None)),
            ("Ctrl-[", None),
            ("Ctrl-1", None),
            ("Ctrl-", None),
            ("x", None),
        ] {
            assert_eq!(detach_key(text).ok(), expect.map(DetachKey), "{text}");
        }
    }

    #[test]
    fn what_comes_before_the_key_is_typed_and_the_rest_is_not() {
        let key = DetachKey(Some(0x1c));
        assert_eq!(key.split(b"ab\x1ccd"), Keys { typed: b"ab", leaves: true });
        assert_eq!(key.split(b"ab\x03"), Keys { typed: b"ab\x03", leaves: false });
        assert_eq!(DetachKey(None).split(b"\x1c"), Keys { typed: b"\x1c", leaves: false });
    }

    #[test]
    fn answers_of_the_terminal_are_not_typed() {
        let key = DetachKey(None);
        for answer in ["\x1b[?62;22c", "\x1b[24;80R", "\x1b]11;rgb:0000/0000/0000\x1b\\"] {
            assert_eq!(key.split(answer.as_bytes()).typed, b"", "{answer:?}");
        }
        for typed in ["\x1b", "\x1b[A", "\x1bOP", "\x1b[1;2R", "c"] {
            assert_eq!(key.split(typed.as_bytes()).typed, typed.as_bytes(), "{typed:?}");
        }
    }
}
