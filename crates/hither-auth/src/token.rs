//! API tokens: credentials of programs.

use std::fmt;

use crate::secret::{Digest, SECRET_TEXT_MAX, Secret};

/// A token as its owner gets to see it, once: `hither_` and 43 characters of base64url.
///
/// The prefix lets scanners find tokens that leaked into a repository.
pub struct ApiToken(Secret);

impl ApiToken {
    const PREFIX: &str = "hither_";

    /// The token made of 256 random bits.
    #[must_use]
    pub const fn from_random(bits: [u8; 32]) -> Self {
        Self(Secret::from_random(bits))
    }

    /// The token's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}{}", Self::PREFIX, self.0.to_text())
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_text())
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken(***)")
    }
}

/// What is stored of a token.
#[derive(Clone, Debug)]
pub struct TokenRecord {
    /// What its owner calls it; shown and logged.
    pub name: String,
    /// Digest of its text.
    pub digest: Digest,
}

/// All tokens that are good.
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

    /// The name of the token with this text, if it is one. Looks at all of them, in constant time.
    #[must_use]
    pub fn check(&self, text: &str) -> Option<&str> {
        if text.len() > SECRET_TEXT_MAX || !text.starts_with(ApiToken::PREFIX) {
            return None;
        }
        let digest = Digest::of(text);
        let mut found = None;
        for record in &self.records {
            if record.digest.matches(&digest).into() {
                found = Some(record.name.as_str());
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> (Tokens, [String; 2]) {
        let tokens = [1, 2].map(|n| ApiToken::from_random([n; 32]));
        let records = tokens
            .iter()
            .zip(["ci", "bench"])
            .map(|(token, name)| TokenRecord { name: name.to_owned(), digest: token.digest() });
        (Tokens::new(records.collect()), tokens.map(|token| token.to_text()))
    }

    #[test]
    fn knows_its_own() {
        let (tokens, [ci, bench]) = tokens();
        assert_eq!(tokens.check(&ci), Some("ci"));
        assert_eq!(tokens.check(&bench), Some("bench"));
        assert_eq!(ci.len(), 50);
    }

    #[test]
    fn refuses_others() {
        let (tokens, [ci, _]) = tokens();
        for wrong in ["", "hither_", &ci[1..], &ci[..49], &ci.to_uppercase(), &format!("{ci} ")] {
            assert_eq!(tokens.check(wrong), None, "{wrong}");
        }
        assert_eq!(Tokens::default().check(&ci), None);
    }

    #[test]
    fn an_empty_secret_is_not_a_way_in() {
        let record = TokenRecord { name: String::new(), digest: Digest::of("") };
        assert_eq!(Tokens::new(vec![record]).check(""), None);
    }
}
