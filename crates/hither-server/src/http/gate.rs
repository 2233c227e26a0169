//! The gate: who may try a secret, and how often. The rules are in `hither-auth`; here are their
//! clock and their locks.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hither_auth::{Backoff, Offence, Penalties, Record, Source};
use tokio::time::Instant;

use super::problem::Problem;

/// Counts what strangers try. Requests that show a good credential never ask it.
#[derive(Debug)]
pub(crate) struct Gate {
    start: Instant,
    penalties: Mutex<Penalties>,
    accounts: Mutex<Backoff>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { start: Instant::now(), penalties: Mutex::default(), accounts: Mutex::default() }
    }
}

impl Gate {
    /// Lets a try pass that comes from `address` (none on a Unix socket) and names an account (none
    /// for secrets that stand for themselves). To be asked before the secret is looked at.
    ///
    /// # Errors
    /// With the time to wait, when there were too many tries.
    pub(crate) fn admit(
        &self,
        address: Option<IpAddr>,
        account: Option<&str>,
    ) -> Result<(), Problem> {
        let (now, source) = (self.now(), source(address));
        let mut record = Record::Clean;
        if let Some(source) = source {
            let penalties = lock(&self.penalties);
            if let Some(wait) = penalties.wait(source, now) {
                return Err(Problem::too_many_attempts(wait));
            }
            if !penalties.is_clean(source, now) {
                record = Record::Tainted;
            }
        }
        let Some(account) = account else { return Ok(()) };
        lock(&self.accounts).admit(account, record, now).map_err(Problem::too_many_attempts)
    }

    /// Something was wrong with a request.
    pub(crate) fn handle_offence(&self, address: Option<IpAddr>, offence: Offence) {
        if let Some(source) = source(address) {
            lock(&self.penalties).handle_offence(source, offence, self.now());
        }
    }

    /// A try that was admitted has failed.
    pub(crate) fn handle_failure(&self, address: Option<IpAddr>, account: Option<&str>) {
        self.handle_offence(address, Offence::WrongSecret);
        if let Some(account) = account {
            lock(&self.accounts).handle_failure(account, self.now());
        }
    }

    /// A try at an account was good that says nothing of who tried the others.
    pub(crate) fn forgive(&self, account: &str) {
        lock(&self.accounts).handle_success(account);
    }

    /// A try that was admitted was good.
    pub(crate) fn handle_success(&self, address: Option<IpAddr>, account: Option<&str>) {
        if let Some(source) = source(address) {
            lock(&self.penalties).handle_success(source);
        }
        if let Some(account) = account {
            lock(&self.accounts).handle_success(account);
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

fn source(address: Option<IpAddr>) -> Option<Source> {
    address.and_then(Source::of)
}

// Nothing under these locks is left half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    /// Tries with the wrong password until they are refused, at most `count` times; how many were
    /// looked at.
    fn guess(gate: &Gate, from: Option<IpAddr>, account: &str, count: usize) -> usize {
        let mut reached = 0;
        for _ in 0..count {
            if gate.admit(from, Some(account)).is_ok() {
                reached += 1;
                gate.handle_failure(from, Some(account));
            }
        }
        reached
    }

    /// Row A16 of the security catalogue; one clock tick for all tries is the worst case.
    #[tokio::test(start_paused = true)]
    async fn a16_of_a_thousand_guesses_few_are_looked_at() {
        let gate = Gate::default();
        let mut reached = 0;
        for guess_of in 0..50 {
            let from = address(&format!("2001:db8::{guess_of:x}"));
            reached += guess(&gate, from, "ada", 20);
        }
        assert!(reached <= 20, "{reached} from one network");
        let (gate, mut reached) = (Gate::default(), 0);
        for network in 0..50 {
            let from = address(&format!("2001:db8:{network:x}::1"));
            reached += guess(&gate, from, "ada", 20);
        }
        assert!(reached <= 20, "{reached} from fifty networks");
    }

    #[tokio::test(start_paused = true)]
    async fn a16_the_owner_gets_in_from_elsewhere() {
        let gate = Gate::default();
        guess(&gate, address("192.0.2.1"), "ada", 1000);
        for from in [address("198.51.100.7"), address("127.0.0.1"), None] {
            assert!(gate.admit(from, Some("ada")).is_ok(), "{from:?}");
        }
        gate.handle_success(address("198.51.100.7"), Some("ada"));
        assert!(gate.admit(address("198.51.100.8"), Some("ada")).is_ok());
        // The guesser still waits.
        assert!(gate.admit(address("192.0.2.1"), Some("ada")).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn this_machine_is_never_locked_out() {
        let gate = Gate::default();
        for from in [address("127.0.0.1"), address("::1"), None] {
            for _ in 0..1000 {
                assert!(gate.admit(from, None).is_ok());
                gate.handle_failure(from, None);
            }
        }
    }
}
