//! Requests that a client repeats because it has not seen the answer.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hither_core::SessionId;
use http::{HeaderMap, StatusCode};

use super::problem::Problem;

/// Longest key in bytes.
const KEY_BYTES_MAX: usize = 255;
/// Most keys that are remembered; the oldest are forgotten first.
const KEYS_MAX: usize = 1024;
/// How long a key is remembered.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The requests with an `idempotency-key`
/// (<https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>) of late.
#[derive(Debug, Default)]
pub(crate) struct Idempotency(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    requests: HashMap<Key, Request>,
    /// The keys, oldest first.
    order: VecDeque<Key>,
}

/// Who sent it, and the key that they chose.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    who: String,
    key: String,
}

#[derive(Debug)]
struct Request {
    /// Digest of what was asked for.
    asked: u64,
    since: Instant,
    /// What came of it; none while it is being done.
    session: Option<SessionId>,
}

/// What is to be done about a request.
#[derive(Debug)]
pub(crate) enum Admission<'a> {
    /// It is new: do it, and say what came of it.
    New(Started<'a>),
    /// It was done: this session came of it.
    Done(SessionId),
}

/// A request that is being done. Dropped without a word, it counts as never made.
#[derive(Debug)]
pub(crate) struct Started<'a> {
    all: &'a Idempotency,
    key: Option<Key>,
}

impl Key {
    /// The key in these headers, if there is one.
    pub(crate) fn of(headers: &HeaderMap, who: &str) -> Result<Option<Self>, Problem> {
        let mut values = headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else { return Ok(None) };
        let key = value
            .to_str()
            .ok()
            .filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX && values.next().is_none());
        let detail =
            || format!("idempotency-key must be there once, 1 to {KEY_BYTES_MAX} ASCII bytes");
        let invalid = || Problem::bad_request("invalid_idempotency_key", detail());
        let key = key.ok_or_else(invalid)?.to_owned();
        Ok(Some(Self { who: who.to_owned(), key }))
    }
}

impl Idempotency {
    /// Looks whether this was asked for before.
    ///
    /// # Errors
    /// When the key is that of another request, or of one that is being done.
    pub(crate) fn admit(
        &self,
        key: Key,
        asked: &impl Hash,
        now: Instant,
    ) -> Result<Admission<'_>, Problem> {
        let mut hasher = DefaultHasher::new();
        asked.hash(&mut hasher);
        let asked = hasher.finish();
        let mut known = self.known();
        known.forget_old(now);
        if let Some(request) = known.requests.get(&key) {
            return match request.session {
                _ if request.asked != asked => Err(Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "idempotency_key_reused",
                    "this key belongs to a request with another body",
                )),
                None => Err(Problem::new(
                    StatusCode::CONFLICT,
                    "idempotency_key_in_use",
                    "a request with this key is being done",
                )),
                Some(session) => Ok(Admission::Done(session)),
            };
        }
        known.requests.insert(key.clone(), Request { asked, since: now, session: None });
        known.order.push_back(key.clone());
        Ok(Admission::New(Started { all: self, key: Some(key) }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn forget_old(&mut self, now: Instant) {
        while let Some(oldest) = self.order.front() {
            let is_old = self
                .requests
                .get(oldest)
                .is_none_or(|request| now.duration_since(request.since) >= KEPT);
            if !is_old && self.order.len() < KEYS_MAX {
                return;
            }
            self.requests.remove(oldest);
            self.order.pop_front();
        }
    }
}

impl Started<'_> {
    /// This session came of it.
    pub(crate) fn finish(mut self, session: SessionId) {
        if let Some(key) = self.key.take()
            && let Some(request) = self.all.known().requests.get_mut(&key)
        {
            request.session = Some(session);
        }
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            let mut known = self.all.known();
            known.requests.remove(&key);
            known.order.retain(|other| *other != key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key { who: "me".into(), key: text.into() }
    }

    fn id(number: u16) -> SessionId {
        let [high, low] = number.to_be_bytes();
        SessionId::from_random([high, low, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    fn code(admission: Result<Admission<'_>, Problem>) -> String {
        format!("{:?}", admission.unwrap_err())
    }

    #[test]
    fn a_repeated_request_finds_its_session() {
        let (all, now) = (Idempotency::default(), Instant::now());
        let Admission::New(started) = all.admit(key("a"), &1, now).unwrap() else { panic!() };
        assert!(code(all.admit(key("a"), &1, now)).contains("idempotency_key_in_use"));
        started.finish(id(1));
        let again = all.admit(key("a"), &1, now).unwrap();
        assert!(matches!(again, Admission::Done(session) if session == id(1)));
        assert!(code(all.admit(key("a"), &2, now)).contains("idempotency_key_reused"));
        let other = Key { who: "you".into(), key: "a".into() };
        assert!(matches!(all.admit(other, &2, now), Ok(Admission::New(_))));
        assert!(matches!(all.admit(key("a"), &1, now + KEPT), Ok(Admission::New(_))));
    }

    #[test]
    fn a_request_that_failed_may_be_made_again() {
        let (all, now) = (Idempotency::default(), Instant::now());
        drop(all.admit(key("a"), &1, now));
        assert!(matches!(all.admit(key("a"), &2, now), Ok(Admission::New(_))));
        assert!(all.known().order.is_empty() && all.known().requests.is_empty());
    }

    #[test]
    fn remembers_a_bounded_number() {
        let (all, now) = (Idempotency::default(), Instant::now());
        for number in 0..2000 {
            let admission = all.admit(key(&number.to_string()), &1, now);
            let Ok(Admission::New(started)) = admission else { panic!() };
            started.finish(id(number));
        }
        let counts = {
            let known = all.known();
            (known.order.len(), known.requests.len())
        };
        assert_eq!(counts, (KEYS_MAX, KEYS_MAX));
        assert!(matches!(all.admit(key("1999"), &1, now), Ok(Admission::Done(_))));
        assert!(matches!(all.admit(key("0"), &1, now), Ok(Admission::New(_))));
    }
}
