//! Waiting times of accounts whose password is being guessed, from however many sources.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

/// Most accounts that are remembered; names that nobody has count too, so that they are not told
/// from real ones.
pub const ACCOUNTS_MAX: usize = 4096;
/// The wait after the first failure that counts; it doubles with each one.
pub const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest wait. An account is never locked for good.
pub const WAIT_MAX: Duration = Duration::from_mins(5);
/// Failures that cost nothing.
const FREE: u32 = 3;
/// Tries of sources without a record that pass in spite of a wait: the owner is likely to be one.
const CLEAN_TRIES: u32 = 8;
/// Time after which one more of those tries is allowed.
const CLEAN_TRY_EVERY: Duration = Duration::from_secs(2);

/// What is known of the tries at each account. All times are those of a clock that never goes back.
#[derive(Debug, Default)]
pub struct Backoff {
    accounts: BTreeMap<[u8; 16], Account>,
}

#[derive(Clone, Copy, Debug)]
struct Account {
    failures: u32,
    last: Duration,
    until: Duration,
    /// When the next try of a clean source would be due if they came evenly.
    clean_due: Duration,
}

/// Whether anything is held against the source of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Nothing.
    Clean,
    /// A wrong secret lately.
    Tainted,
}

impl Backoff {
    /// Lets a try at an account pass, or tells how long to wait. To be asked before a password is
    /// hashed.
    ///
    /// # Errors
    /// The time after which the same source may try again.
    pub fn admit(&mut self, name: &str, record: Record, now: Duration) -> Result<(), Duration> {
        let Some(account) = self.accounts.get_mut(&key(name)) else { return Ok(()) };
        let Some(left) = account.until.checked_sub(now).filter(|left| !left.is_zero()) else {
            return Ok(());
        };
        let due = account.clean_due.max(now);
        if record == Record::Tainted || due > now + CLEAN_TRY_EVERY * (CLEAN_TRIES - 1) {
            return Err(left);
        }
        account.clean_due = due + CLEAN_TRY_EVERY;
        Ok(())
    }

    /// A password was wrong, or the account does not exist.
    pub fn handle_failure(&mut self, name: &str, now: Duration) {
        let new = Account { failures: 0, last: now, until: now, clean_due: now };
        let account = self.accounts.entry(key(name)).or_insert(new);
        if now.saturating_sub(account.until) > WAIT_MAX {
            *account = new;
        }
        account.failures = account.failures.saturating_add(1);
        account.last = now;
        if let Some(doublings) = account.failures.checked_sub(FREE + 1) {
            let wait = WAIT_MIN.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX));
            account.until = now + wait.min(WAIT_MAX);
        }
        if self.accounts.len() > ACCOUNTS_MAX {
            self.forget_one();
        }
    }

    /// The right password was given.
    pub fn handle_success(&mut self, name: &str) {
        self.accounts.remove(&key(name));
    }

    /// Accounts that are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Forgets the one that was tried least, of those the one that was tried longest ago.
    fn forget_one(&mut self) {
        let least =
            self.accounts.iter().min_by_key(|(_, account)| (account.failures, account.last));
        if let Some(key) = least.map(|(key, _)| *key) {
            self.accounts.remove(&key);
        }
    }
}

/// Names may be long, and belong into no table.
fn key(name: &str) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::digest(name)[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1000);

    #[test]
    fn waits_double_up_to_five_minutes_and_end() {
        let mut backoff = Backoff::default();
        let mut now = START;
        for expect in [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300] {
            backoff.handle_failure("ada", now);
            let expect = Duration::from_secs(expect);
            let wait = backoff.admit("ada", Record::Tainted, now).err().unwrap_or_default();
            assert_eq!(wait, expect);
            now += expect;
            assert_eq!(backoff.admit("ada", Record::Tainted, now), Ok(()));
        }
        assert_eq!(backoff.admit("bob", Record::Tainted, START), Ok(()));
    }

    #[test]
    fn a_clean_source_is_let_in_while_others_guess() {
        let mut backoff = Backoff::default();
        for _ in 0..1000 {
            backoff.handle_failure("ada", START);
        }
        assert!(backoff.admit("ada", Record::Tainted, START).is_err());
        assert_eq!(backoff.admit("ada", Record::Clean, START), Ok(()));
        backoff.handle_success("ada");
        assert_eq!(backoff.admit("ada", Record::Tainted, START), Ok(()));
    }

    #[test]
    fn a_crowd_of_clean_sources_gets_few_tries() {
        let mut backoff = Backoff::default();
        let mut passed = 0;
        for _ in 0..1000 {
            if backoff.admit("ada", Record::Clean, START).is_ok() {
                passed += 1;
                backoff.handle_failure("ada", START);
            }
        }
        assert!(passed <= 20, "{passed}");
        let later = START + CLEAN_TRY_EVERY;
        let more = (0..10).filter(|_| backoff.admit("ada", Record::Clean, later).is_ok()).count();
        assert_eq!(more, 1, "one more in two seconds");
    }

    #[test]
    fn a_long_rest_makes_it_forget() {
        let mut backoff = Backoff::default();
        for _ in 0..20 {
            backoff.handle_failure("ada", START);
        }
        let later = START + WAIT_MAX + WAIT_MAX + Duration::from_secs(1);
        backoff.handle_failure("ada", later);
        assert_eq!(backoff.admit("ada", Record::Tainted, later), Ok(()));
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_worst() {
        let mut backoff = Backoff::default();
        for _ in 0..10 {
            backoff.handle_failure("ada", START);
        }
        for number in 0..ACCOUNTS_MAX + 100 {
            backoff.handle_failure(&format!("{number}"), START);
        }
        assert_eq!(backoff.len(), ACCOUNTS_MAX);
        assert!(backoff.admit("ada", Record::Tainted, START).is_err());
    }
}
