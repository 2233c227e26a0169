//! Random secrets and their digests.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Longest text that is hashed to see whether it is a secret; anything longer is wrong.
pub const SECRET_TEXT_MAX: usize = 128;

/// 256 random bits; whoever knows them is let in.
///
/// Neither compared nor stored: that is what its [`Digest`] is for.
pub struct Secret([u8; 32]);

impl Secret {
    /// The secret made of these random bits.
    #[must_use]
    pub const fn from_random(bits: [u8; 32]) -> Self {
        Self(bits)
    }

    /// The secret as 43 characters of base64url (RFC 4648 section 5).
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_text())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// SHA-256 of a secret's text.
///
/// Has no `PartialEq`: digests are compared in constant time, by [`Digest::matches`].
#[derive(Clone)]
pub struct Digest([u8; 32]);

/// A text that is not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("digest must be 64 hexadecimal digits")]
pub struct InvalidDigest;

impl Digest {
    /// The digest of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Whether both are of the same text, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }

    /// The digest as 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The digest from its hexadecimal form.
    ///
    /// # Errors
    /// When the text is not exactly 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, InvalidDigest> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidDigest);
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| InvalidDigest)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_carries_all_256_bits() {
        let text = Secret::from_random([0xFF; 32]).to_text();
        assert_eq!(text.len(), 43);
        assert_eq!(URL_SAFE_NO_PAD.decode(&text).unwrap(), [0xFF; 32]);
    }

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::from_random([7; 32]);
        let shown = format!("{secret:?} {:?}", secret.digest());
        assert_eq!(shown, "Secret(***) Digest(***)");
    }

    #[test]
    fn digest_round_trips_through_hex() {
        // FIPS 180-4 example: SHA-256 of "abc".
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of("abc").to_hex(), hex);
        let digest = Digest::from_hex(hex).unwrap();
        assert!(bool::from(digest.matches(&Digest::of("abc"))));
        assert!(!bool::from(digest.matches(&Digest::of("abd"))));
    }

    #[test]
    fn refuses_other_texts_as_digest() {
        for text in ["", "00", &"g".repeat(64), &"0".repeat(65), &"é".repeat(32), &"+0".repeat(32)]
        {
            assert_eq!(Digest::from_hex(text).unwrap_err(), InvalidDigest, "{text}");
        }
    }
}
