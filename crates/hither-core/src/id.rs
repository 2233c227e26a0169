//! Names of sessions, viewers and clients.

use std::fmt;
use std::str::FromStr;

/// Name of a session: 16 lower-case characters of the base-32 alphabet `a-z2-7`, 80 random bits.
///
/// It is an address, not a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; Self::LEN]);

/// A text that is not a session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSessionId;

impl SessionId {
    /// Length of the text form.
    pub const LEN: usize = 16;
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

    /// The id made of 80 random bits.
    #[must_use]
    pub fn from_random(bits: [u8; 10]) -> Self {
        let mut wide = [0; 16];
        wide[6..].copy_from_slice(&bits);
        let mut rest = u128::from_be_bytes(wide);
        let mut text = [0; Self::LEN];
        for slot in text.iter_mut().rev() {
            *slot = Self::ALPHABET[(rest & 31) as usize];
            rest >>= 5;
        }
        Self(text)
    }

    /// The id in text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }

    /// The id as the bytes of its text form.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<Self, InvalidSessionId> {
        let bytes: [u8; Self::LEN] = text.as_bytes().try_into().map_err(|_| InvalidSessionId)?;
        if bytes.iter().all(|byte| Self::ALPHABET.contains(byte)) {
            Ok(Self(bytes))
        } else {
            Err(InvalidSessionId)
        }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for InvalidSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("session id must be 16 characters of a-z and 2-7")
    }
}

impl std::error::Error for InvalidSessionId {}

/// Number of a viewer, unique in its session; 0 is nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewerId(pub u64);

impl ViewerId {
    /// Nobody: the owner of a window size that no viewer has set.
    pub const NOBODY: Self = Self(0);
}

/// 64 random bits by which a client's input numbers are told from another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_through_text() {
        for bits in [[0; 10], [255; 10], *b"0123456789"] {
            let id = SessionId::from_random(bits);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["", "abc", "ABCDEFGHIJKLMNOP", "aaaaaaaaaaaaaaa/", "aaaaaaaaaaaaaaaaa"] {
            assert_eq!(text.parse::<SessionId>(), Err(InvalidSessionId), "{text}");
        }
    }
}
