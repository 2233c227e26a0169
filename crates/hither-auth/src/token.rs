//! API tokens: credentials of programs.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::principal::TokenId;
use crate::scope::Scopes;
use crate::secret::{Digest, SECRET_TEXT_MAX};
use crate::user::UserId;

/// How long a token is good when nothing is said.
pub const TOKEN_LIFE_DEFAULT: Duration = Duration::from_hours(30 * 24);
/// The longest that a token may be good.
pub const TOKEN_LIFE_MAX: Duration = Duration::from_hours(366 * 24);

/// A token as its owner gets to see it, once: `hither_`, 43 characters of base 62 that carry 256
/// random bits, and 6 that carry their CRC-32.
///
/// The prefix lets scanners find tokens that leaked into a repository, and the checksum lets them
/// be sure of it without asking us.
pub struct ApiToken([u8; 32]);

impl ApiToken {
    const PREFIX: &str = "hither_";
    const SECRET_LEN: usize = 43;
    const CHECK_LEN: usize = 6;

    /// The token made of 256 random bits.
    #[must_use]
    pub const fn from_random(bits: [u8; 32]) -> Self {
        Self(bits)
    }

    /// The token's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let secret = base62(&self.0, Self::SECRET_LEN);
        let check = checksum(&secret);
        format!("{}{secret}{check}", Self::PREFIX)
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_text())
    }

    /// Whether a text has the form of a token, checksum included. Says nothing about whether it is
    /// a good one.
    #[must_use]
    pub fn is_token(text: &str) -> bool {
        let Some(rest) = text.strip_prefix(Self::PREFIX) else { return false };
        let is_whole = rest.len() == Self::SECRET_LEN + Self::CHECK_LEN && rest.is_ascii();
        is_whole && checksum(&rest[..Self::SECRET_LEN]) == rest[Self::SECRET_LEN..]
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken(***)")
    }
}

fn checksum(secret: &str) -> String {
    base62(&crc32fast::hash(secret.as_bytes()).to_be_bytes(), ApiToken::CHECK_LEN)
}

/// A number of big-endian bytes in base 62, with leading zeros.
fn base62(number: &[u8], len: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = number.to_vec();
    let mut text = vec!['0'; len];
    for slot in text.iter_mut().rev() {
        let mut remainder = 0_u16;
        for byte in &mut rest {
            let value = remainder << 8 | u16::from(*byte);
            *byte = u8::try_from(value / 62).expect("a remainder is less than 62");
            remainder = value % 62;
        }
        *slot = char::from(DIGITS[usize::from(remainder)]);
    }
    text.into_iter().collect()
}

/// What is stored of a token.
#[derive(Clone, Debug)]
pub struct TokenRecord {
    /// Number, never used again.
    pub id: TokenId,
    /// Whose it is; it is never worth more than its user.
    pub user: UserId,
    /// What its owner calls it; shown and logged.
    pub name: String,
    /// Digest of its text.
    pub digest: Digest,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created: SystemTime,
    /// When it ends by itself. Only the gateway's own has no end.
    pub expires: Option<SystemTime>,
}

impl TokenRecord {
    /// The record of a token that the gateway keeps for programs of its own user.
    #[must_use]
    pub fn local(name: &str, digest: Digest) -> Self {
        Self {
            id: TokenId(0),
            user: UserId::MACHINE,
            name: name.to_owned(),
            digest,
            scopes: Scopes::ALL,
            created: SystemTime::UNIX_EPOCH,
            expires: None,
        }
    }

    /// Whether it has not expired.
    #[must_use]
    pub fn is_good(&self, now: SystemTime) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// All tokens that are stored.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    records: Vec<TokenRecord>,
}

impl Tokens {
    /// The tokens with these records.
    #[must_use]
    pub const fn new(records: Vec<TokenRecord>) -> Self {
        Self { records }
    }

    /// The token with this text, if it is one that has not expired. Compares in constant time.
    #[must_use]
    pub fn check(&self, text: &str, now: SystemTime) -> Option<&TokenRecord> {
        if text.len() > SECRET_TEXT_MAX || !text.starts_with(ApiToken::PREFIX) {
            return None;
        }
        let digest = Digest::of(text);
        let mut found = None;
        for record in &self.records {
            if record.digest.matches(&digest).into() {
                found = Some(record);
            }
        }
        found.filter(|record| record.is_good(now))
    }

    /// The token with this number.
    #[must_use]
    pub fn find(&self, id: TokenId) -> Option<&TokenRecord> {
        self.records.iter().find(|record| record.id == id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &TokenRecord> {
        self.records.iter()
    }

    /// Adds one.
    pub fn add(&mut self, record: TokenRecord) {
        self.records.push(record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn tokens() -> (Tokens, [String; 2]) {
        let tokens = [1, 2].map(|n| ApiToken::from_random([n; 32]));
        let records = tokens.iter().zip(["ci", "bench"]);
        let records = records.map(|(token, name)| TokenRecord::local(name, token.digest()));
        (Tokens::new(records.collect()), tokens.map(|token| token.to_text()))
    }

    fn name<'a>(tokens: &'a Tokens, text: &str) -> Option<&'a str> {
        tokens.check(text, NOW).map(|record| &*record.name)
    }

    #[test]
    fn knows_its_own() {
        let (tokens, [ci, bench]) = tokens();
        assert_eq!(name(&tokens, &ci), Some("ci"));
        assert_eq!(name(&tokens, &bench), Some("bench"));
        assert_eq!(ci.len(), 56);
    }

    #[test]
    fn refuses_others() {
        let (tokens, [ci, _]) = tokens();
        for wrong in ["", "hither_", &ci[1..], &ci[..49], &ci.to_uppercase(), &format!("{ci} ")] {
            assert_eq!(name(&tokens, wrong), None, "{wrong}");
        }
        assert_eq!(name(&Tokens::default(), &ci), None);
    }

    #[test]
    fn an_empty_secret_is_not_a_way_in() {
        let tokens = Tokens::new(vec![TokenRecord::local("", Digest::of(""))]);
        assert_eq!(name(&tokens, ""), None);
    }

    #[test]
    fn ends_when_it_says() {
        let token = ApiToken::from_random([1; 32]);
        let expires = NOW + TOKEN_LIFE_DEFAULT;
        let record = TokenRecord::local("ci", token.digest());
        let tokens = Tokens::new(vec![TokenRecord { expires: Some(expires), ..record }]);
        let second = Duration::from_secs(1);
        assert!(tokens.check(&token.to_text(), expires - second).is_some());
        assert!(tokens.check(&token.to_text(), expires).is_none());
    }

    #[test]
    fn base_62_is_that_of_other_programs() {
        // Computed with Python: the number by repeated divmod with 62, zlib.crc32 of its text.
        assert_eq!(
            base62(&[0xff; 32], 43),
            "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1".to_owned()
        );
        assert_eq!(base62(&[0, 61], 2), "0z");
        assert_eq!(base62(&[62], 3), "010");
    }

    proptest! {
        #[test]
        fn a_changed_character_is_noticed(bits: [u8; 32], at in 7_usize..56, to in "[0-9A-Za-z]") {
            let text = ApiToken::from_random(bits).to_text();
            prop_assert!(ApiToken::is_token(&text));
            let mut changed = text.clone();
            changed.replace_range(at..=at, &to);
            prop_assert_eq!(ApiToken::is_token(&changed), changed == text);
        }

        #[test]
        fn never_panics(text in ".{0,80}") {
            prop_assert!(!ApiToken::is_token(&text));
            let prefixed = "hither_".to_owned() + &text;
            prop_assert!(!ApiToken::is_token(&prefixed));
        }
    }
}
