//! Patterns that are looked for in output and on screens: bounded in size and in work.

use std::collections::VecDeque;

use hither_core::Offset;
use hither_screen::PlainText;
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Serialize;

use super::problem::Problem;

/// Longest pattern in bytes.
pub(crate) const PATTERN_BYTES_MAX: usize = 1024;
/// Most memory of a compiled pattern, and of what it remembers while it searches.
const COMPILED_BYTES_MAX: usize = 512 << 10;
/// Deepest nesting of groups.
const NEST_MAX: u32 = 50;
/// Text that is looked at again when more comes: a match may be this long.
const WINDOW_BYTES: usize = 64 << 10;
/// Most groups in an answer; those behind are left out.
const GROUPS_MAX: usize = 32;

/// What a pattern found.
#[derive(Clone, Debug, Serialize, JsonSchema, PartialEq, Eq)]
#[schemars(rename = "Match")]
pub(crate) struct MatchJson {
    /// The text that matches.
    pub(crate) text: String,
    /// What the groups of the pattern match, the first being group 1; null where one takes no part.
    pub(crate) groups: Vec<Option<String>>,
}

/// A pattern that is safe to search for: no input makes a search take more than time in proportion
/// to the text.
///
/// # Errors
/// When it is no pattern, or too large.
pub(crate) fn pattern(text: &str) -> Result<Regex, Problem> {
    let invalid = |detail: String| Problem::bad_request("invalid_pattern", detail);
    if text.is_empty() || text.len() > PATTERN_BYTES_MAX {
        return Err(invalid(format!("pattern must have 1 to {PATTERN_BYTES_MAX} bytes")));
    }
    let built = RegexBuilder::new(text)
        .multi_line(true)
        .size_limit(COMPILED_BYTES_MAX)
        .dfa_size_limit(COMPILED_BYTES_MAX)
        .nest_limit(NEST_MAX)
        .build();
    built.map_err(|error| {
        if let regex::Error::CompiledTooBig(_) = error {
            invalid("pattern is too large when compiled".to_owned())
        } else {
            invalid(last_line(&error.to_string()))
        }
    })
}

/// The library explains errors with a drawing; its last line has the words.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or(text);
    format!("pattern: {}", line.trim_start_matches("error: "))
}

/// What a pattern finds in a text, if anything.
pub(crate) fn find(pattern: &Regex, text: &str) -> Option<MatchJson> {
    found(pattern, text).map(|(found, _)| found)
}

/// A match, and where it ends in the text.
fn found(pattern: &Regex, text: &str) -> Option<(MatchJson, usize)> {
    let captures = pattern.captures(text)?;
    let whole = captures.get(0)?;
    let groups = captures.iter().skip(1).take(GROUPS_MAX);
    let groups = groups.map(|group| group.map(|group| group.as_str().to_owned())).collect();
    Some((MatchJson { text: whole.as_str().to_owned(), groups }, whole.end()))
}

/// Looks for a pattern in the text of output that comes in pieces.
#[derive(Debug)]
pub(crate) struct Search {
    pattern: Regex,
    plain: PlainText,
    /// The last text, of which a match may begin anywhere.
    text: String,
    /// Ends of pieces of it: in `text`, and in the output.
    ends: VecDeque<(usize, Offset)>,
}

impl Search {
    /// A search that starts where output is plain: between two control functions.
    pub(crate) fn new(pattern: Regex) -> Self {
        Self { pattern, plain: PlainText::new(), text: String::new(), ends: VecDeque::new() }
    }

    /// Forgets what came before, because output is missing.
    pub(crate) fn reset(&mut self) {
        self.plain = PlainText::new();
        self.text.clear();
        self.ends.clear();
    }

    /// Takes the output from `from` on. A match, with the offset behind it, ends the search.
    pub(crate) fn feed(&mut self, bytes: &[u8], from: Offset) -> Option<(MatchJson, Offset)> {
        let Self { plain, text, ends, .. } = self;
        let before = text.len();
        plain.feed(bytes, &mut |piece, end| {
            text.push_str(piece);
            ends.push_back((text.len(), from.plus(end as u64)));
        });
        if text.len() == before {
            return None;
        }
        if let Some((found, end)) = found(&self.pattern, &self.text) {
            return Some((found, self.offset_of(end)));
        }
        self.trim();
        None
    }

    /// Offset in the output of an end in the text. Text and output run in step within a piece.
    fn offset_of(&self, end: usize) -> Offset {
        let at = self.ends.partition_point(|&(piece_end, _)| piece_end < end);
        let piece = self.ends.get(at).or_else(|| self.ends.back());
        piece.map_or(Offset::ZERO, |&(piece_end, offset)| {
            Offset(offset.0.saturating_sub(piece_end.saturating_sub(end) as u64))
        })
    }

    fn trim(&mut self) {
        let mut cut = self.text.len().saturating_sub(WINDOW_BYTES);
        while !self.text.is_char_boundary(cut) {
            cut += 1;
        }
        self.text.drain(..cut);
        while self.ends.front().is_some_and(|&(end, _)| end <= cut) {
            self.ends.pop_front();
        }
        for (end, _) in &mut self.ends {
            *end -= cut;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(text: &str, pieces: &[&[u8]]) -> Option<(String, u64)> {
        let mut search = Search::new(pattern(text).unwrap());
        let mut from = Offset(1000);
        for piece in pieces {
            if let Some((found, end)) = search.feed(piece, from) {
                return Some((found.text, end.0));
            }
            from = from.plus(piece.len() as u64);
        }
        None
    }

    #[test]
    fn finds_text_between_control_functions_and_says_where() {
        for (pattern, pieces, expect) in [
            ("b", &[b"abc".as_slice()][..], Some(("b", 1002))),
            ("abc", &[b"a\x1b[1", b"mb\x1b[0m", b"c"], Some(("abc", 1011))),
            ("^ready$", &[b"not ready\r\n", b"ready\r\nx"], Some(("ready", 1016))),
            ("x", &[b"\x1b]0;x\x07"], None),
            ("é", &[b"\xc3", b"\xa9"], Some(("é", 1002))),
            ("$ $", &[b"\x1b[32m$\x1b[0m "], Some(("$ ", 1011))),
        ] {
            let pattern = pattern.replace("$ $", r"\$ $");
            let found = search(&pattern, pieces);
            let found = found.as_ref().map(|(text, end)| (text.as_str(), *end));
            assert_eq!(found, expect, "{pattern}");
        }
    }

    #[test]
    fn remembers_a_bounded_amount() {
        let mut search = Search::new(pattern("start.*end").unwrap());
        assert_eq!(search.feed(b"start", Offset(0)), None);
        for at in 0..1000 {
            assert_eq!(search.feed("é\x1b[m".repeat(100).as_bytes(), Offset(5 + 500 * at)), None);
            assert!(search.text.len() <= WINDOW_BYTES && search.ends.len() <= WINDOW_BYTES);
        }
        assert_eq!(search.feed(b"end", Offset(600_000)), None);
        search.reset();
        let found = search.feed(b"start end", Offset(700_000)).unwrap();
        assert_eq!(found.1, Offset(700_009));
    }

    #[test]
    fn groups_are_told() {
        let found = find(&pattern(r"(\d+)(x)? of (\w+)").unwrap(), "say 12 of many").unwrap();
        assert_eq!(found.text, "12 of many");
        assert_eq!(found.groups, [Some("12".to_owned()), None, Some("many".to_owned())]);
    }

    #[test]
    fn refuses_what_is_none_or_too_large() {
        let long = "a".repeat(PATTERN_BYTES_MAX + 1);
        let deep = format!("{}a{}", "(".repeat(60), ")".repeat(60));
        for text in
            ["", "(", "a{1000}{1000}{1000}", r"\w{5000}", "[z-a]", r"\1", "(?=a)", &long, &deep]
        {
            assert!(pattern(text).is_err(), "{text:.40}");
        }
    }

    #[test]
    fn no_pattern_makes_a_search_explode() {
        // Takes ages where backtracking is done.
        let text = "a".repeat(50_000);
        assert_eq!(find(&pattern("(a+)+$b").unwrap(), &text), None);
    }
}
