//! Output whose every byte follows from its offset, so that any piece of it shows where it belongs.

use crate::random::mix;

/// What a stream is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbered records with a checksum, one a line, printable.
    Records,
    /// Bytes of all values; any eight in a row name their place.
    Noise,
}

/// What the line discipline does with the stream on its way to the PTY's master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// Nothing.
    Raw,
    /// Each line feed becomes carriage return and line feed (OPOST and ONLCR, termios(3)).
    Cooked,
}

/// A stream of output, known without having been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Tells one stream from all others.
    pub seed: u64,
    /// What it is made of.
    pub kind: Kind,
    /// What becomes of line feeds. Noise is written raw only.
    pub discipline: Discipline,
}

/// Bytes that are not those of the stream at that offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Offset of the first wrong byte.
    pub at: u64,
    /// Where the bytes found there belong, if they come from anywhere near in this stream.
    pub belongs_at: Option<u64>,
}

/// Bytes of a record as it is written, line feed included.
pub const RECORD_BYTES: usize = 64;
const DIGITS: &[u8; 16] = b"0123456789abcdef";
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// How far around a wrong byte its origin is looked for.
const NEAR: u64 = 1 << 20;

impl Pattern {
    /// Length of the unit that repeats: a record, or a word of noise.
    const fn unit(&self) -> usize {
        match (self.kind, self.discipline) {
            (Kind::Noise, _) => 8,
            (Kind::Records, Discipline::Raw) => RECORD_BYTES,
            (Kind::Records, Discipline::Cooked) => RECORD_BYTES + 1,
        }
    }

    /// Bytes of output that `written` bytes become.
    #[must_use]
    pub const fn output_bytes(&self, written: u64) -> u64 {
        match (self.kind, self.discipline) {
            (Kind::Records, Discipline::Cooked) => written + written / RECORD_BYTES as u64,
            (_, _) => written,
        }
    }

    /// Fills `out` with the stream from `offset` on.
    pub fn fill(&self, offset: u64, out: &mut [u8]) {
        let unit = self.unit();
        let mut whole = [0; RECORD_BYTES + 1];
        let mut index = offset / unit as u64;
        let mut skip = usize::try_from(offset % unit as u64).expect("a unit is short");
        let mut out = out;
        while !out.is_empty() {
            self.put(index, &mut whole);
            let len = (unit - skip).min(out.len());
            let (now, later) = out.split_at_mut(len);
            now.copy_from_slice(&whole[skip..skip + len]);
            (out, index, skip) = (later, index + 1, 0);
        }
    }

    /// Compares `bytes`, which came at `offset`, with the stream.
    ///
    /// # Errors
    /// The first byte that differs.
    pub fn check(&self, offset: u64, bytes: &[u8]) -> Result<(), Mismatch> {
        let mut right = vec![0; bytes.len()];
        self.fill(offset, &mut right);
        if right == bytes {
            return Ok(());
        }
        let wrong = right.iter().zip(bytes).position(|(right, found)| right != found);
        let wrong = wrong.unwrap_or(0);
        let at = offset + wrong as u64;
        Err(Mismatch { at, belongs_at: self.locate(at, &bytes[wrong..]) })
    }

    /// Where `bytes` come from, looked for around `near`.
    #[must_use]
    pub fn locate(&self, near: u64, bytes: &[u8]) -> Option<u64> {
        let sought = &bytes[..bytes.len().min(RECORD_BYTES)];
        if sought.len() < 8 {
            return None;
        }
        let start = near.saturating_sub(NEAR);
        let len = usize::try_from(near - start + NEAR).expect("two MiB");
        let mut around = vec![0; len];
        self.fill(start, &mut around);
        let found = around.windows(sought.len()).position(|window| window == sought);
        found.map(|index| start + index as u64)
    }

    fn put(&self, index: u64, out: &mut [u8; RECORD_BYTES + 1]) {
        match self.kind {
            Kind::Noise => {
                let word = mix(self.seed ^ mix(index));
                out[..8].copy_from_slice(&word.to_le_bytes());
            }
            Kind::Records => {
                put_record(self.seed, index, out);
                if self.discipline == Discipline::Cooked {
                    out[RECORD_BYTES - 1..].copy_from_slice(b"\r\n");
                }
            }
        }
    }
}

/// `NUMBER noise SUM`, 16, 37 and 8 characters, and a line feed.
fn put_record(seed: u64, index: u64, out: &mut [u8; RECORD_BYTES + 1]) {
    put_hex(index, &mut out[..16]);
    out[16] = b' ';
    let mut noise = mix(seed ^ mix(index));
    for (place, byte) in out[17..54].iter_mut().enumerate() {
        if place % 10 == 9 {
            noise = mix(noise);
        }
        *byte = LETTERS[(noise & 63) as usize];
        noise >>= 6;
    }
    out[54] = b' ';
    let sum = sum(&out[..55]);
    put_hex(sum.into(), &mut out[55..63]);
    out[63] = b'\n';
}

/// Checksum of a record: FNV-1a of 32 bits.
pub(crate) fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, &byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn put_hex(mut value: u64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = DIGITS[(value & 15) as usize];
        value >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: Pattern = Pattern { seed: 7, kind: Kind::Records, discipline: Discipline::Raw };
    const COOKED: Pattern = Pattern { discipline: Discipline::Cooked, ..RAW };
    const NOISE: Pattern = Pattern { kind: Kind::Noise, ..RAW };

    fn bytes(pattern: Pattern, offset: u64, len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        pattern.fill(offset, &mut out);
        out
    }

    #[test]
    fn any_piece_equals_the_same_piece_of_the_whole() {
        for pattern in [RAW, COOKED, NOISE] {
            let whole = bytes(pattern, 0, 1000);
            for (offset, len) in [(0, 0), (1, 1), (63, 2), (64, 64), (65, 300), (7, 993)] {
                let at = usize::try_from(offset).unwrap();
                assert_eq!(bytes(pattern, offset, len), whole[at..at + len], "{pattern:?}");
                pattern.check(offset, &whole[at..at + len]).unwrap();
            }
        }
    }

    #[test]
    fn cooked_is_raw_with_carriage_returns() {
        let raw = String::from_utf8(bytes(RAW, 0, 64 * 20)).unwrap();
        let cooked = raw.replace('\n', "\r\n");
        assert_eq!(bytes(COOKED, 0, cooked.len()), cooked.as_bytes());
        assert_eq!(COOKED.output_bytes(64 * 20), cooked.len() as u64);
    }

    #[test]
    fn records_are_numbered_and_printable() {
        let text = String::from_utf8(bytes(RAW, 0, 64 * 3)).unwrap();
        for (number, line) in text.lines().enumerate() {
            assert_eq!(line.len(), 63);
            assert!(line.starts_with(&format!("{number:016x} ")), "{line}");
            assert!(line.ends_with(&format!(" {:08x}", sum(&line.as_bytes()[..55]))), "{line}");
        }
    }

    #[test]
    fn what_is_missing_doubled_or_changed_is_found_and_placed() {
        for pattern in [RAW, COOKED, NOISE] {
            let whole = bytes(pattern, 0, 4000);
            let skipped = [&whole[..1000], &whole[1003..]].concat();
            let found = pattern.check(0, &skipped).unwrap_err();
            assert!((1000..1004).contains(&found.at), "{found:?}");
            assert_eq!(found.belongs_at, Some(found.at + 3));
            let doubled = [&whole[..1000], &whole[900..]].concat();
            let found = pattern.check(0, &doubled).unwrap_err();
            assert_eq!(found.belongs_at, Some(found.at - 100), "{found:?}");
            let mut changed = whole;
            changed[77] ^= 1;
            let found = pattern.check(0, &changed).unwrap_err();
            assert_eq!(found, Mismatch { at: 77, belongs_at: None });
        }
    }

    #[test]
    fn noise_has_every_value_and_seeds_differ() {
        let noise = bytes(NOISE, 0, 1 << 14);
        assert!((0..=255).all(|value| noise.contains(&value)));
        assert_ne!(noise[..64], bytes(Pattern { seed: 8, ..NOISE }, 0, 64));
    }
}
