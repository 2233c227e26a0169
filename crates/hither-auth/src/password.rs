//! Passwords: the only secrets here that people choose, so the only ones that are hashed slowly.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

/// Most bytes of a password; anything longer is wrong without being hashed.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Fewest characters of a new password.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Memory that one hash takes, in KiB (OWASP Password Storage Cheat Sheet, argon2id).
pub const HASH_MEMORY_KIB: u32 = 19_456;
const HASH_PASSES: u32 = 2;
const HASH_LANES: u32 = 1;

/// Compared with when there is no password, so that an answer takes as long for a name that does
/// not exist. Of a password that nobody knows.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$9sO+5b3GUOScD9mcApODGA$\
     G0qFq9PwpWE8+BT8sb1q/WQ4dVozcyVaEUs8mlI7tDg";

/// A new password.
#[derive(Clone)]
pub struct Password(String);

/// A text that may not become a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Too easily guessed.
    #[error("password must have at least {PASSWORD_CHARS_MIN} characters")]
    Short,
    /// Too long.
    #[error("password must have at most {PASSWORD_BYTES_MAX} bytes")]
    Long,
}

/// The result of comparing a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is another one, or there is none.
    Wrong,
    /// It is the right one.
    Right,
    /// It is the right one, and its stored hash is of other strength than new ones.
    Outdated,
}

impl Password {
    /// A password of at least 8 characters.
    ///
    /// # Errors
    /// When it is shorter, or longer than 1,024 bytes.
    pub fn new(text: String) -> Result<Self, InvalidPassword> {
        if text.len() > PASSWORD_BYTES_MAX {
            Err(InvalidPassword::Long)
        } else if text.chars().count() < PASSWORD_CHARS_MIN {
            Err(InvalidPassword::Short)
        } else {
            Ok(Self(text))
        }
    }

    /// What is stored of it: a PHC string of argon2id. Takes 19 MiB and some 30 ms.
    #[must_use]
    pub fn hash(&self, salt: [u8; 16]) -> String {
        hash(&self.0, salt)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

/// The hash of a password that was found right, with the strength of new ones.
#[must_use]
pub fn hash(password: &str, salt: [u8; 16]) -> String {
    let hashed: Result<PasswordHash, _> =
        hasher().hash_password_with_salt(password.as_bytes(), &salt);
    hashed.expect("the parameters are good and the salt is long enough").to_string()
}

/// Compares a text with what is stored, if anything is. Takes the same time when nothing is.
#[must_use]
pub fn check_password(text: &str, stored: Option<&str>) -> Verdict {
    if text.len() > PASSWORD_BYTES_MAX {
        return Verdict::Wrong;
    }
    let parsed = stored.and_then(|stored| PasswordHash::new(stored).ok());
    let Some(parsed) = parsed else {
        let dummy = PasswordHash::new(DUMMY).expect("it is well-formed");
        // The result is that of nobody's password; only the time counts.
        let _nobody = hasher().verify_password(text.as_bytes(), &dummy).is_ok();
        return Verdict::Wrong;
    };
    match hasher().verify_password(text.as_bytes(), &parsed) {
        Err(_) => Verdict::Wrong,
        Ok(()) if is_current(&parsed) => Verdict::Right,
        Ok(()) => Verdict::Outdated,
    }
}

fn is_current(hash: &PasswordHash) -> bool {
    let params = Params::try_from(hash);
    params.is_ok_and(|params| {
        (params.m_cost(), params.t_cost(), params.p_cost())
            == (HASH_MEMORY_KIB, HASH_PASSES, HASH_LANES)
    })
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(HASH_MEMORY_KIB, HASH_PASSES, HASH_LANES, None);
    let params = params.expect("the parameters are within the limits of RFC 9106");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned()).unwrap()
    }

    #[test]
    fn knows_the_right_one() {
        let stored = password("correct horse").hash([7; 16]);
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(check_password("correct horse", Some(&stored)), Verdict::Right);
        for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
            assert_eq!(check_password(wrong, Some(&stored)), Verdict::Wrong, "{wrong}");
        }
    }

    #[test]
    fn nothing_matches_no_password() {
        for stored in [None, Some(""), Some("plain"), Some("$argon2id$v=19$m=8,t=1,p=1$")] {
            for text in ["", "plain", "correct horse"] {
                assert_eq!(check_password(text, stored), Verdict::Wrong, "{stored:?} {text}");
            }
        }
    }

    #[test]
    fn a17_the_dummy_costs_what_a_real_one_costs() {
        assert!(is_current(&PasswordHash::new(DUMMY).unwrap()));
    }

    #[test]
    fn says_when_the_stored_hash_is_weaker() {
        let params = Params::new(8192, 1, 1, None).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hashed: PasswordHash = weak.hash_password_with_salt(b"secret!!", &[1; 16]).unwrap();
        assert_eq!(check_password("secret!!", Some(&hashed.to_string())), Verdict::Outdated);
    }

    #[test]
    fn bounds_hold() {
        for (len, expect) in [
            (7, Some(InvalidPassword::Short)),
            (8, None),
            (1024, None),
            (1025, Some(InvalidPassword::Long)),
        ] {
            assert_eq!(Password::new("x".repeat(len)).err(), expect, "{len}");
        }
        // Characters are counted below, bytes above.
        assert_eq!(Password::new("é".repeat(7)).err(), Some(InvalidPassword::Short));
        assert_eq!(Password::new("é".repeat(513)).err(), Some(InvalidPassword::Long));
        let long = "x".repeat(1025);
        let stored = hash(&long, [1; 16]);
        assert_eq!(check_password(&long, Some(&stored)), Verdict::Wrong);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", password("canary canary")), "Password(***)");
    }
}
