//! Counts of the control plane, which several tasks share.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hither_core::ExitStatus;

use super::histogram::Histogram;

/// A count.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Counts by something of which there are few: a code, a name, a route and a status.
#[derive(Debug)]
pub(crate) struct Counts<K>(Mutex<BTreeMap<K, u64>>);

impl<K: Ord + Clone> Counts<K> {
    /// Counts that show these keys from the start, so that a first hit is seen as a change.
    pub(crate) fn with(keys: impl IntoIterator<Item = K>) -> Self {
        Self(Mutex::new(keys.into_iter().map(|key| (key, 0)).collect()))
    }

    pub(crate) fn increment(&self, key: K) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
    }

    pub(crate) fn values(&self) -> BTreeMap<K, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Durations by something of which there are few.
#[derive(Debug)]
pub(crate) struct Times<K>(Mutex<BTreeMap<K, Histogram>>);

impl<K: Ord + Clone> Times<K> {
    pub(crate) fn observe(&self, key: K, time: Duration) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.entry(key).or_default().observe(time);
    }

    pub(crate) fn values(&self) -> BTreeMap<K, Histogram> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What the HTTP side counts.
#[derive(Debug)]
pub(crate) struct HttpMetrics {
    /// Moves with each answer: method, route and status.
    pub(crate) requests: Counts<(&'static str, &'static str, u16)>,
    /// Moves with each answer, by route.
    pub(crate) times: Times<&'static str>,
    /// Moves with each accepted connection, by kind of listener.
    pub(crate) connections: Counts<&'static str>,
    /// Moves with each request that is refused for its credential or where it comes from.
    pub(crate) auth_failures: Counts<&'static str>,
    /// Moves with each limit that is hit.
    pub(crate) limits: Counts<&'static str>,
    /// Moves with each upgrade that was asked for and did not happen.
    pub(crate) upgrade_failures: Count,
}

/// What becomes of sessions.
#[derive(Debug)]
pub(crate) struct LifeMetrics {
    /// Moves when a session's program runs.
    pub(crate) started: Count,
    /// Moves when a session of the last gateway is taken over.
    pub(crate) adopted: Count,
    /// Moves when a session leaves the list.
    pub(crate) closed: Count,
    /// Moves when a program has ended.
    pub(crate) ended: Counts<&'static str>,
    /// Moves when a session cannot be started.
    pub(crate) start_failures: Counts<&'static str>,
    /// Moves when the connection to the PTY host breaks.
    pub(crate) host_losses: Count,
    /// Moves when a session ends because of the time, by the limit.
    pub(crate) overdue: Counts<&'static str>,
}

/// Codes of problems that mean: this one may not come in.
const AUTH_CODES: [&str; 11] = [
    "unauthenticated",
    "ticket_required",
    "ticket_refused",
    "share_refused",
    "passphrase_refused",
    "proxy_required",
    "credentials_refused",
    "login_refused",
    "launch_refused",
    "cross_site",
    "host_not_allowed",
];
/// Codes of problems that mean: a limit is reached.
const LIMIT_CODES: [&str; 14] = [
    "busy",
    "limit_reached",
    "too_many_attempts",
    "too_many_grants",
    "too_many_shares",
    "too_many_waiting",
    "too_many_viewers",
    "input_full",
    "body_too_large",
    "request_timeout",
    "file_limit",
    "memory_limit",
    "process_limit",
    "pty_limit",
];
/// The limit of connections that speak HTTP.
pub(crate) const HTTP_CONNECTIONS: &str = "http_connections";
/// The system has no descriptor or no memory for a connection.
pub(crate) const ACCEPT: &str = "accept";
/// The limits of how long a session may be unused, and unwatched; named as their settings.
pub(crate) const IDLE_TIMEOUT: &str = "idle_timeout";
/// The second of them.
pub(crate) const GRACE: &str = "grace";
/// The limit of connections that have not shown a credential.
pub(crate) const UNAUTHENTICATED_CONNECTIONS: &str = "unauthenticated_connections";
/// The time that a connection has to show one.
pub(crate) const AUTHENTICATION_TIME: &str = "authentication_time";

impl HttpMetrics {
    pub(crate) fn new() -> Self {
        Self {
            requests: Counts::with([]),
            times: Times(Mutex::default()),
            upgrade_failures: Count::default(),
            connections: Counts::with(["tcp", "unix"]),
            auth_failures: Counts::with(AUTH_CODES),
            limits: Counts::with(LIMIT_CODES.into_iter().chain([
                HTTP_CONNECTIONS,
                ACCEPT,
                UNAUTHENTICATED_CONNECTIONS,
                AUTHENTICATION_TIME,
            ])),
        }
    }

    /// How often requests were refused with this code, or this limit was hit.
    pub(crate) fn refusals(&self, code: &str) -> u64 {
        let of = |counts: &Counts<&'static str>| counts.values().get(code).copied().unwrap_or(0);
        of(&self.auth_failures) + of(&self.limits)
    }

    /// A request was answered with this problem.
    pub(crate) fn count_problem(&self, code: &'static str) {
        if AUTH_CODES.contains(&code) {
            self.auth_failures.increment(code);
        } else if LIMIT_CODES.contains(&code) {
            self.limits.increment(code);
        }
    }
}

impl LifeMetrics {
    pub(crate) fn new() -> Self {
        Self {
            started: Count::default(),
            adopted: Count::default(),
            closed: Count::default(),
            ended: Counts::with(["exit", "signal", "lost", "unknown"]),
            start_failures: Counts::with([]),
            host_losses: Count::default(),
            overdue: Counts::with([IDLE_TIMEOUT, GRACE]),
        }
    }

    /// A program has ended like this.
    pub(crate) fn count_end(&self, status: ExitStatus) {
        self.ended.increment(match status {
            ExitStatus::Code(_) => "exit",
            ExitStatus::Signal(_) => "signal",
            ExitStatus::Lost => "lost",
            ExitStatus::Unknown => "unknown",
        });
    }
}
