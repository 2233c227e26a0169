//! Logins of browsers: what stands behind the cookie.

use std::time::{Duration, SystemTime};

use crate::secret::{Digest, InvalidDigest, SECRET_TEXT_MAX, Secret};

/// How long a login is good, however much it is used.
pub const LOGIN_LIFE: Duration = Duration::from_hours(12);
/// Most logins at a time; one more ends the oldest.
pub const LOGINS_MAX: usize = 64;

/// All logins, oldest first, by the digests of their secrets.
///
/// They are records on the server, so that ending one really ends it.
#[derive(Debug, Default)]
pub struct Logins {
    records: Vec<LoginRecord>,
}

/// What is stored of a login.
#[derive(Clone, Debug)]
pub struct LoginRecord {
    digest: Digest,
    expires: SystemTime,
}

/// A text that is not a login record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("login record must be a digest and a time in seconds")]
pub struct InvalidLoginRecord;

impl Logins {
    /// Starts a login and answers its secret, which belongs into a cookie.
    pub fn open(&mut self, random: [u8; 32], now: SystemTime) -> Secret {
        let secret = Secret::from_random(random);
        self.add(LoginRecord { digest: secret.digest(), expires: now + LOGIN_LIFE }, now);
        secret
    }

    /// Whether this is the secret of a login that has not expired.
    #[must_use]
    pub fn check(&self, text: &str, now: SystemTime) -> bool {
        if text.len() > SECRET_TEXT_MAX {
            return false;
        }
        let digest = Digest::of(text);
        let mut found = subtle::Choice::from(0);
        for record in &self.records {
            found |= record.digest.matches(&digest) & u8::from(record.is_good(now)).into();
        }
        found.into()
    }

    /// Ends the login with this secret, if there is one.
    pub fn close(&mut self, text: &str) {
        if text.len() <= SECRET_TEXT_MAX {
            let digest = Digest::of(text);
            self.records.retain(|record| !bool::from(record.digest.matches(&digest)));
        }
    }

    /// Ends all logins.
    pub fn close_all(&mut self) {
        self.records.clear();
    }

    /// What to store so that logins outlive a restart: no secrets, one record a login.
    #[must_use]
    pub fn export(&self) -> Vec<LoginRecord> {
        self.records.clone()
    }

    /// Takes over stored records, those that have not expired.
    pub fn import(&mut self, records: impl IntoIterator<Item = LoginRecord>, now: SystemTime) {
        for record in records {
            self.add(record, now);
        }
    }

    fn add(&mut self, record: LoginRecord, now: SystemTime) {
        self.records.push(record);
        self.records.retain(|record| record.is_good(now));
        let excess = self.records.len().saturating_sub(LOGINS_MAX);
        self.records.drain(..excess);
    }
}

impl LoginRecord {
    /// The record as one line: digest in hexadecimal, a space, expiry in seconds since 1970.
    #[must_use]
    pub fn to_line(&self) -> String {
        let expires = self.expires.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("{} {}", self.digest.to_hex(), expires.as_secs())
    }

    /// The record from its line.
    ///
    /// # Errors
    /// When the line is not what [`LoginRecord::to_line`] writes.
    pub fn from_line(line: &str) -> Result<Self, InvalidLoginRecord> {
        let (digest, expires) = line.split_once(' ').ok_or(InvalidLoginRecord)?;
        let expires = expires.parse().map_err(|_| InvalidLoginRecord)?;
        Ok(Self {
            digest: Digest::from_hex(digest)?,
            expires: SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_secs(expires))
                .ok_or(InvalidLoginRecord)?,
        })
    }

    /// Not expired, and not from a future that a wrong clock made up.
    fn is_good(&self, now: SystemTime) -> bool {
        now < self.expires && self.expires <= now + LOGIN_LIFE
    }
}

impl From<InvalidDigest> for InvalidLoginRecord {
    fn from(_: InvalidDigest) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    #[test]
    fn lasts_twelve_hours_however_used() {
        let mut logins = Logins::default();
        let text = logins.open([1; 32], now()).to_text();
        assert!(logins.check(&text, now()));
        assert!(logins.check(&text, now() + LOGIN_LIFE - Duration::from_secs(1)));
        assert!(!logins.check(&text, now() + LOGIN_LIFE));
    }

    #[test]
    fn ends_when_closed() {
        let mut logins = Logins::default();
        let [one, two] = [1, 2].map(|n| logins.open([n; 32], now()).to_text());
        logins.close(&one);
        assert!(!logins.check(&one, now()));
        assert!(logins.check(&two, now()));
        logins.close_all();
        assert!(!logins.check(&two, now()));
    }

    #[test]
    fn refuses_other_texts() {
        let mut logins = Logins::default();
        let text = logins.open([1; 32], now()).to_text();
        for wrong in ["", &text[1..], &text.to_lowercase(), &format!("{text}="), &"x".repeat(9999)]
        {
            assert!(!logins.check(wrong, now()), "{wrong}");
        }
    }

    #[test]
    fn one_too_many_ends_the_oldest() {
        let mut logins = Logins::default();
        let texts: Vec<_> = (0..=LOGINS_MAX)
            .map(|n| logins.open([u8::try_from(n).unwrap(); 32], now()).to_text())
            .collect();
        assert!(!logins.check(&texts[0], now()));
        assert!(texts[1..].iter().all(|text| logins.check(text, now())));
    }

    #[test]
    fn outlives_a_restart_as_text() {
        let mut before = Logins::default();
        let text = before.open([1; 32], now()).to_text();
        let lines: Vec<_> = before.export().iter().map(LoginRecord::to_line).collect();
        assert!(!lines[0].contains(&text));

        let mut after = Logins::default();
        let records = lines.iter().map(|line| LoginRecord::from_line(line).unwrap());
        after.import(records, now());
        assert!(after.check(&text, now()));
    }

    #[test]
    fn import_skips_the_expired_and_the_impossible() {
        let mut logins = Logins::default();
        let text = Logins::default().open([1; 32], now()).to_text();
        for expires in [now(), now() + LOGIN_LIFE * 2] {
            let digest = Digest::of(&text);
            logins.import([LoginRecord { digest, expires }], now());
            assert!(!logins.check(&text, now()));
        }
        assert!(logins.export().is_empty());
    }

    #[test]
    fn refuses_broken_records() {
        let hex = "0".repeat(64);
        for line in [
            String::new(),
            hex.clone(),
            format!("{hex} "),
            format!("{hex} -1"),
            format!("{hex} {}", u64::MAX),
            format!("{hex} 1 2"),
            "x 1".to_owned(),
        ] {
            assert_eq!(LoginRecord::from_line(&line).unwrap_err(), InvalidLoginRecord, "{line}");
        }
    }
}
