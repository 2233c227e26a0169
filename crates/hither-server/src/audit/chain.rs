//! The chain: each record holds the hash of the one before it, so that none can be changed, removed
//! or moved without breaking it.
//!
//! A record is one line of JSON in ASCII. Its last two members are `previous`, the hash of the
//! record before it, and `hash`, the SHA-256 of all bytes of the line up to the end of `previous`.

use std::fmt;
use std::str::FromStr;

use hither_auth::Digest;
use serde::Deserialize;

/// Most bytes of a line, so that a reader can refuse what is no record.
pub const RECORD_BYTES_MAX: usize = 8 * 1024;

/// Where a chain ends: the number and the hash of its last record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Records are counted from 1.
    pub number: u64,
    hash: String,
}

/// What is wrong with a line of the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is not one.
    #[error("not a record")]
    NotARecord,
    /// Its own hash is not that of its content.
    #[error("record {0} was edited")]
    Edited(u64),
    /// Records before it are missing, or it was moved.
    #[error("expected record {expected}, found record {found}: records were removed or moved")]
    Gap {
        /// The number that comes next.
        expected: u64,
        /// The number of the line.
        found: u64,
    },
    /// It follows another record than the one before it.
    #[error("record {0} does not follow the one before it, which was replaced")]
    Replaced(u64),
    /// The log ends before a record that is known to have been written.
    #[error("the log ends at record {last}, but record {known} was written: its end was cut off")]
    Cut {
        /// Number of the last record.
        last: u64,
        /// Number of the record that is missing.
        known: u64,
    },
    /// A record that is known has another hash here.
    #[error("record {0} is not the one that was written: the log was rewritten")]
    Rewritten(u64),
}

/// A text that is not a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the number of a record, a colon and its hash of 64 hexadecimal digits")]
pub struct InvalidHead;

impl Head {
    /// Before the first record.
    #[must_use]
    pub fn start() -> Self {
        Self { number: 0, hash: "0".repeat(64) }
    }

    /// The line of the next record, with its line feed, and where the chain ends then. `members`
    /// are members of a JSON object in ASCII, without braces.
    pub(super) fn append(&self, members: &str) -> (String, Self) {
        let number = self.number + 1;
        let body = format!("{{\"number\":{number},{members},\"previous\":\"{}\"", self.hash);
        debug_assert!(body.is_ascii() && !body.contains('\n'));
        let hash = Digest::of(&body).to_hex();
        (format!("{body},\"hash\":\"{hash}\"}}\n"), Self { number, hash })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.hash)
    }
}

impl FromStr for Head {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<Self, InvalidHead> {
        let (number, hash) = text.split_once(':').ok_or(InvalidHead)?;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|_| digits).ok_or(InvalidHead)?;
        Digest::from_hex(hash).map_err(|_| InvalidHead)?;
        Ok(Self { number, hash: hash.to_ascii_lowercase() })
    }
}

/// The members of a record that hold the chain together.
#[derive(Deserialize)]
struct Link {
    number: u64,
    previous: String,
    hash: String,
}

/// The head that a line makes, when the line is what its own hash says.
pub(super) fn head_of(line: &str) -> Result<(Head, String), Flaw> {
    if line.len() > RECORD_BYTES_MAX || !line.is_ascii() {
        return Err(Flaw::NotARecord);
    }
    let link: Link = serde_json::from_str(line).map_err(|_| Flaw::NotARecord)?;
    let tail = format!("\"previous\":\"{}\",\"hash\":\"{}\"}}", link.previous, link.hash);
    let Some(before) = line.strip_suffix(&tail) else { return Err(Flaw::Edited(link.number)) };
    let body = format!("{before}\"previous\":\"{}\"", link.previous);
    if Digest::of(&body).to_hex() != link.hash {
        return Err(Flaw::Edited(link.number));
    }
    Ok((Head { number: link.number, hash: link.hash }, link.previous))
}

/// Checks the lines of a log, one after the other.
#[derive(Debug)]
pub struct Checker {
    head: Head,
    known: Vec<Head>,
}

impl Checker {
    /// A checker for a log that begins with the record `first`; `known` are heads that the log is
    /// known to have had.
    #[must_use]
    pub fn new(first: u64, known: Vec<Head>) -> Self {
        // The record before a first one that is not number 1 is in an archive: any will do.
        let hash = if first == 1 { "0".repeat(64) } else { String::new() };
        Self { head: Head { number: first - 1, hash }, known }
    }

    /// Where the log ends so far.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The next line, without its line feed.
    ///
    /// # Errors
    /// What is wrong with it. The next line is checked against this one all the same.
    pub fn handle_line(&mut self, line: &str) -> Result<(), Flaw> {
        let before = self.head.clone();
        let (head, previous) = match head_of(line) {
            Ok(link) => link,
            Err(flaw) => {
                // What follows a line that says nothing is not to be blamed for it.
                self.head = Head { number: before.number + 1, hash: String::new() };
                return Err(flaw);
            }
        };
        self.head = head.clone();
        if head.number != before.number + 1 {
            return Err(Flaw::Gap { expected: before.number + 1, found: head.number });
        }
        if !before.hash.is_empty() && previous != before.hash {
            return Err(Flaw::Replaced(head.number));
        }
        match self.known.iter().find(|known| known.number == head.number) {
            Some(known) if *known != head => Err(Flaw::Rewritten(head.number)),
            _ => Ok(()),
        }
    }

    /// The log has ended.
    ///
    /// # Errors
    /// When its end is missing.
    pub fn finish(self) -> Result<Head, Flaw> {
        let last = self.head.number;
        let known = self.known.iter().map(|known| known.number).max().unwrap_or(0);
        if known > last { Err(Flaw::Cut { last, known }) } else { Ok(self.head) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(count: u64) -> (Vec<String>, Vec<Head>) {
        let mut heads = vec![Head::start()];
        let mut lines = Vec::new();
        for n in 1..=count {
            let (line, head) = heads[heads.len() - 1].append(&format!("\"event\":\"{n}\""));
            lines.push(line.trim_end().to_owned());
            heads.push(head);
        }
        (lines, heads)
    }

    fn check(lines: &[String], known: &[Head]) -> Vec<Flaw> {
        let mut checker = Checker::new(1, known.to_vec());
        let mut flaws: Vec<_> =
            lines.iter().filter_map(|line| checker.handle_line(line).err()).collect();
        flaws.extend(checker.finish().err());
        flaws
    }

    #[test]
    fn a_log_that_nobody_touched_is_good() {
        let (lines, heads) = log(50);
        assert_eq!(check(&lines, &heads[50..]), []);
        assert_eq!(check(&lines, &heads[7..8]), []);
        assert_eq!(check(&[], &[]), []);
    }

    #[test]
    fn a24_every_record_that_is_deleted_is_missed() {
        let (lines, heads) = log(20);
        for at in 0..20 {
            let mut fewer = lines.clone();
            fewer.remove(at);
            assert!(!check(&fewer, &heads[20..]).is_empty(), "{at}");
        }
    }

    #[test]
    fn a24_every_byte_that_is_edited_is_noticed() {
        let (lines, heads) = log(3);
        for (at, line) in lines.iter().enumerate() {
            for byte in 0..line.len() {
                for to in [b'x', b'0', b'"', b' '] {
                    let mut bytes = line.clone().into_bytes();
                    if std::mem::replace(&mut bytes[byte], to) == to {
                        continue;
                    }
                    let mut edited = lines.clone();
                    edited[at] = String::from_utf8(bytes).unwrap();
                    assert!(!check(&edited, &heads[3..]).is_empty(), "{}", edited[at]);
                }
            }
        }
    }

    #[test]
    fn a24_every_two_records_that_change_places_are_noticed() {
        let (lines, heads) = log(8);
        for one in 0..8 {
            for other in 0..one {
                let mut moved = lines.clone();
                moved.swap(one, other);
                assert!(!check(&moved, &heads[8..]).is_empty(), "{one} {other}");
            }
        }
    }

    #[test]
    fn a24_an_end_that_is_cut_off_is_missed() {
        let (lines, heads) = log(10);
        for len in 0..10 {
            let flaws = check(&lines[..len], &heads[10..]);
            assert_eq!(flaws, [Flaw::Cut { last: len as u64, known: 10 }]);
        }
    }

    #[test]
    fn a24_a_record_with_a_hash_of_its_own_does_not_fit_the_next() {
        let (lines, heads) = log(5);
        let (forged, _) = heads[2].append("\"event\":\"forged\"");
        let mut replaced = lines;
        replaced[2] = forged.trim_end().to_owned();
        assert_eq!(check(&replaced, &heads[5..]), [Flaw::Replaced(4)]);
        // Who rewrites all that follows is found by a head that was noted elsewhere.
        let mut head = heads[2].clone();
        for (at, line) in replaced.iter_mut().enumerate().skip(2) {
            let (new, next) = head.append(&format!("\"event\":\"forged {at}\""));
            (*line, head) = (new.trim_end().to_owned(), next);
        }
        assert_eq!(check(&replaced, &[]), []);
        assert_eq!(check(&replaced, &heads[4..5]), [Flaw::Rewritten(4)]);
    }

    #[test]
    fn an_archived_beginning_is_allowed_when_it_is_said() {
        let (lines, heads) = log(10);
        let mut checker = Checker::new(6, heads[10..].to_vec());
        for line in &lines[5..] {
            assert_eq!(checker.handle_line(line), Ok(()));
        }
        assert_eq!(checker.finish(), Ok(heads[10].clone()));
        let gap = Flaw::Gap { expected: 1, found: 6 };
        assert_eq!(check(&lines[5..], &[]), [gap]);
    }

    #[test]
    fn heads_are_written_and_read() {
        let (_, heads) = log(3);
        assert_eq!(heads[3].to_string().parse(), Ok(heads[3].clone()));
        for wrong in ["", "1", "1:", "x:00", "+1:00", &format!("1:{}", "g".repeat(64))] {
            assert_eq!(wrong.parse::<Head>(), Err(InvalidHead), "{wrong}");
        }
    }
}
