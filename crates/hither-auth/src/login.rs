//! Logins of browsers: what stands behind the cookie.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

use crate::principal::LoginId;
use crate::secret::{Digest, SECRET_TEXT_MAX, Secret};
use crate::user::UserId;

/// How long a login is good, however much it is used.
pub const LOGIN_LIFE: Duration = Duration::from_hours(12);
/// How long an admin's login is good while nobody uses it.
pub const ADMIN_IDLE: Duration = Duration::from_mins(30);
/// Most logins of one user at a time; one more ends the user's oldest.
pub const LOGINS_MAX: usize = 64;

/// All logins, oldest first, by the digests of their secrets.
///
/// They are records on the server, so that ending one really ends it.
#[derive(Debug, Default)]
pub struct Logins {
    records: Vec<LoginRecord>,
    opened: u64,
}

/// What is stored of a login.
#[derive(Debug)]
pub struct LoginRecord {
    id: LoginId,
    /// Digest of the secret in the cookie.
    pub digest: Digest,
    /// Whose it is.
    pub user: UserId,
    /// The user's generation when it was opened.
    pub generation: u64,
    /// When it ends by itself.
    pub expires: SystemTime,
    seen: AtomicU64,
}

impl Logins {
    /// Starts a login and answers its secret, which belongs into a cookie.
    pub fn open(
        &mut self,
        user: UserId,
        generation: u64,
        random: [u8; 32],
        now: SystemTime,
    ) -> Secret {
        let secret = Secret::from_random(random);
        let digest = secret.digest();
        self.add(LoginRecord::new(digest, user, generation, now + LOGIN_LIFE, now), now);
        secret
    }

    /// The login with this secret, if there is one that has not expired.
    #[must_use]
    pub fn check(&self, text: &str, now: SystemTime) -> Option<&LoginRecord> {
        if text.len() > SECRET_TEXT_MAX {
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

    /// The login with this number, if it has not expired.
    #[must_use]
    pub fn find(&self, id: LoginId, now: SystemTime) -> Option<&LoginRecord> {
        self.records.iter().find(|record| record.id == id).filter(|record| record.is_good(now))
    }

    /// Ends the login with this secret, if there is one.
    pub fn close(&mut self, text: &str) {
        if text.len() <= SECRET_TEXT_MAX {
            let digest = Digest::of(text);
            self.records.retain(|record| !bool::from(record.digest.matches(&digest)));
        }
    }

    /// Ends the logins for which this is not true.
    pub fn retain(&mut self, keep: impl FnMut(&LoginRecord) -> bool) {
        self.records.retain(keep);
    }

    /// What to store so that logins outlive a restart: no secrets, one record a login.
    #[must_use]
    pub fn export(&self) -> Vec<LoginRecord> {
        self.records.iter().map(LoginRecord::copy).collect()
    }

    /// Takes over stored records, those that have not expired.
    pub fn import(&mut self, records: impl IntoIterator<Item = LoginRecord>, now: SystemTime) {
        for record in records {
            self.add(record, now);
        }
    }

    fn add(&mut self, mut record: LoginRecord, now: SystemTime) {
        self.opened += 1;
        record.id = LoginId(self.opened);
        let user = record.user;
        self.records.push(record);
        self.records.retain(|record| record.is_good(now));
        let mut excess = self.records.iter().filter(|record| record.user == user).count();
        self.records.retain(|record| {
            let is_excess = record.user == user && excess > LOGINS_MAX;
            excess -= usize::from(is_excess);
            !is_excess
        });
    }
}

impl LoginRecord {
    /// A record as it was stored.
    #[must_use]
    pub fn new(
        digest: Digest,
        user: UserId,
        generation: u64,
        expires: SystemTime,
        seen: SystemTime,
    ) -> Self {
        let seen = AtomicU64::new(seconds(seen));
        Self { id: LoginId(0), digest, user, generation, expires, seen }
    }

    /// Number of the login, good as long as the gateway runs.
    #[must_use]
    pub const fn id(&self) -> LoginId {
        self.id
    }

    /// When it was last used.
    #[must_use]
    pub fn seen(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.seen.load(Relaxed))
    }

    /// It is used now.
    pub fn handle_use(&self, now: SystemTime) {
        self.seen.fetch_max(seconds(now), Relaxed);
    }

    /// Not expired, and not from a future that a wrong clock made up.
    fn is_good(&self, now: SystemTime) -> bool {
        now < self.expires && self.expires <= now + LOGIN_LIFE
    }

    fn copy(&self) -> Self {
        let seen = AtomicU64::new(self.seen.load(Relaxed));
        Self { digest: self.digest.clone(), seen, ..*self }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: UserId = UserId(1);

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn open(logins: &mut Logins, user: UserId, n: u8) -> String {
        logins.open(user, 0, [n; 32], now()).to_text()
    }

    #[test]
    fn lasts_twelve_hours_however_used() {
        let mut logins = Logins::default();
        let text = open(&mut logins, ALICE, 1);
        assert!(logins.check(&text, now()).is_some());
        assert!(logins.check(&text, now() + LOGIN_LIFE - Duration::from_secs(1)).is_some());
        assert!(logins.check(&text, now() + LOGIN_LIFE).is_none());
    }

    #[test]
    fn ends_when_closed() {
        let mut logins = Logins::default();
        let [one, two] = [1, 2].map(|n| open(&mut logins, ALICE, n));
        logins.close(&one);
        assert!(logins.check(&one, now()).is_none());
        let id = logins.check(&two, now()).unwrap().id();
        assert!(logins.find(id, now()).is_some());
        logins.retain(|record| record.user != ALICE);
        assert!(logins.check(&two, now()).is_none());
        assert!(logins.find(id, now()).is_none());
    }

    #[test]
    fn refuses_other_texts() {
        let mut logins = Logins::default();
        let text = open(&mut logins, ALICE, 1);
        for wrong in ["", &text[1..], &text.to_lowercase(), &format!("{text}="), &"x".repeat(9999)]
        {
            assert!(logins.check(wrong, now()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn one_too_many_ends_the_oldest_of_the_same_user() {
        let mut logins = Logins::default();
        let other = open(&mut logins, UserId(2), 255);
        let texts: Vec<_> =
            (0..=LOGINS_MAX).map(|n| open(&mut logins, ALICE, u8::try_from(n).unwrap())).collect();
        assert!(logins.check(&texts[0], now()).is_none());
        assert!(texts[1..].iter().all(|text| logins.check(text, now()).is_some()));
        assert!(logins.check(&other, now()).is_some());
    }

    #[test]
    fn outlives_a_restart() {
        let mut before = Logins::default();
        let text = open(&mut before, ALICE, 1);
        before.check(&text, now()).unwrap().handle_use(now() + Duration::from_secs(9));
        let mut after = Logins::default();
        after.import(before.export(), now());
        let record = after.check(&text, now()).unwrap();
        assert_eq!((record.user, record.seen()), (ALICE, now() + Duration::from_secs(9)));
    }

    #[test]
    fn import_skips_the_expired_and_the_impossible() {
        let mut logins = Logins::default();
        let text = open(&mut Logins::default(), ALICE, 1);
        for expires in [now(), now() + LOGIN_LIFE * 2] {
            let record = LoginRecord::new(Digest::of(&text), ALICE, 0, expires, now());
            logins.import([record], now());
            assert!(logins.check(&text, now()).is_none());
        }
        assert!(logins.export().is_empty());
    }
}
