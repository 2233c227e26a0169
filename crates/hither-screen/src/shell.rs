//! What shells say about themselves: OSC 133 and OSC 7.

use hither_core::ShellMark;

/// A directory that a shell is in (OSC 7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Machine that it is on, as the shell calls it; may be empty. Not to be trusted.
    pub host: String,
    /// Absolute path without control characters.
    pub path: String,
}

/// Longest host name in bytes (RFC 1035 section 2.3.4).
const HOST_BYTES_MAX: usize = 255;

/// The mark that the text of an OSC 133 stands for. What other marks say is of no use here.
pub(crate) fn parse_mark(text: &str) -> Option<ShellMark> {
    let mut parts = text.split(';');
    Some(match parts.next()? {
        "A" => ShellMark::Prompt,
        "B" => ShellMark::Input,
        "C" => ShellMark::Output,
        "D" => ShellMark::End(parts.next().and_then(|code| code.parse().ok())),
        _ => return None,
    })
}

/// The directory that the text of an OSC 7 names: `file://HOST/PATH`, the path percent-encoded.
pub(crate) fn parse_directory(text: &str) -> Option<Directory> {
    let rest = text.strip_prefix("file://")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    let path = percent_decoded(path)?;
    let harmless = |text: &str| !text.chars().any(char::is_control);
    (host.len() <= HOST_BYTES_MAX && harmless(host) && harmless(&path))
        .then(|| Directory { host: host.to_owned(), path })
}

/// A text with its percent escapes undone (RFC 3986 section 2.1); a `%` that starts none stays, as
/// not all shells encode it. `None` when it is no UTF-8 then.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| hex_byte(behind)).flatten();
        bytes.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).ok()
}

fn hex_byte(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_four_marks() {
        for (text, expect) in [
            ("A", Some(ShellMark::Prompt)),
            ("A;cl=m;aid=7", Some(ShellMark::Prompt)),
            ("B", Some(ShellMark::Input)),
            ("C", Some(ShellMark::Output)),
            ("C;cmdline=ls", Some(ShellMark::Output)),
            ("D", Some(ShellMark::End(None))),
            ("D;0", Some(ShellMark::End(Some(0)))),
            ("D;130;aid=7", Some(ShellMark::End(Some(130)))),
            ("D;-1", Some(ShellMark::End(Some(-1)))),
            ("D;aid=7", Some(ShellMark::End(None))),
            ("D;99999999999", Some(ShellMark::End(None))),
            ("P;k=i", None),
            ("", None),
            ("AB", None),
            ("a", None),
        ] {
            assert_eq!(parse_mark(text), expect, "{text:?}");
        }
    }

    #[test]
    fn reads_directories_and_nothing_else() {
        let long = format!("file://{}/x", "h".repeat(HOST_BYTES_MAX + 1));
        for (text, expect) in [
            ("file:///home/me", Some(("", "/home/me"))),
            ("file://host/", Some(("host", "/"))),
            ("file://host/a%20b%C3%A9", Some(("host", "/a bé"))),
            ("file://host/50%", Some(("host", "/50%"))),
            ("file://host/%zz%4", Some(("host", "/%zz%4"))),
            ("file://host/%+1", Some(("host", "/%+1"))),
            ("file://host/%0a", None),
            ("file://host/%1b[31m", None),
            ("file://host/%ff", None),
            ("file://host", None),
            ("http://host/x", None),
            ("/home/me", None),
            (&long, None),
        ] {
            let found = parse_directory(text);
            let found = found.as_ref().map(|found| (&*found.host, &*found.path));
            assert_eq!(found, expect, "{text:?}");
        }
    }
}
