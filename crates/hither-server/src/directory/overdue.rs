//! Sessions that end because of the time: unused, unwatched, or long since exited.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hither_core::SessionId;

use super::{Directory, Shared};
use crate::gateway::Limits;
use crate::metrics::{GRACE, IDLE_TIMEOUT};

/// Most sessions that stay listed after they have exited. Programs that start thousands of short
/// sessions must not fill the memory with what is left of them.
const EXITED_MAX: usize = 128;

/// Why a session ends without being asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overdue {
    /// Neither input nor output for so long.
    Idle(Duration),
    /// No viewer for so long.
    Unwatched(Duration),
    /// Its child has exited that long ago.
    Exited,
}

impl Overdue {
    /// Why `shared` has to end now, if it has to.
    fn of(shared: &Shared, limits: &Limits, now_ms: u64) -> Option<Self> {
        if shared.is_stranded() {
            // Its end would be that of a program which the next gateway may take over.
            return None;
        }
        let since = |then_ms: u64| Duration::from_millis(now_ms.saturating_sub(then_ms));
        if let Some(at) = shared.ended_at() {
            return (since(at) > limits.exited_kept).then_some(Self::Exited);
        }
        let over = |max: Option<Duration>, then_ms| max.filter(|max| since(then_ms) > *max);
        let used = shared.updated_ms.load(Relaxed).max(shared.known_since_ms);
        if let Some(max) = over(limits.idle_max, used) {
            return Some(Self::Idle(max));
        }
        let watched = shared.watched_ms.load(Relaxed).max(shared.known_since_ms);
        let unwatched = shared.viewers.load(Relaxed) == 0;
        over(limits.grace, watched).filter(|_| unwatched).map(Self::Unwatched)
    }

    /// The limit that was hit, by its name in the metrics.
    const fn limit(self) -> Option<&'static str> {
        match self {
            Self::Idle(_) => Some(IDLE_TIMEOUT),
            Self::Unwatched(_) => Some(GRACE),
            // How long it is kept is no limit that anybody runs into.
            Self::Exited => None,
        }
    }

    /// What viewers are told in the close frame, which holds 123 bytes.
    fn reason(self) -> String {
        match self {
            Self::Idle(max) => format!("closed: neither input nor output for {}", in_words(max)),
            Self::Unwatched(max) => format!("closed: nobody watched for {}", in_words(max)),
            Self::Exited => "closed: it has exited".to_owned(),
        }
    }
}

/// The exited sessions that have to go before their time: those that ended before the last
/// [`EXITED_MAX`].
fn superseded(sessions: &[Arc<Shared>]) -> BTreeSet<SessionId> {
    let ended = sessions.iter().filter(|shared| !shared.is_stranded());
    let ended = ended.filter_map(|shared| Some((shared.ended_at()?, shared.id)));
    let mut ended: Vec<_> = ended.collect();
    ended.sort_unstable();
    ended.truncate(ended.len().saturating_sub(EXITED_MAX));
    ended.into_iter().map(|(_, id)| id).collect()
}

fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        s if s >= 3600 && s.is_multiple_of(3600) => format!("{} h", s / 3600),
        s if s >= 60 && s.is_multiple_of(60) => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

impl Directory {
    /// Closes the sessions whose time is over.
    pub(super) fn end_overdue(&self) {
        let now_ms = self.clock.unix_ms(self.clock.now());
        let sessions = self.sessions();
        let superseded = superseded(&sessions);
        for shared in sessions {
            let overdue = if superseded.contains(&shared.id) {
                Some(Overdue::Exited)
            } else {
                Overdue::of(&shared, &self.config.limits, now_ms)
            };
            let Some(overdue) = overdue else { continue };
            tracing::info!(session = %shared.id, ?overdue, "session ends by itself");
            if let Some(limit) = overdue.limit() {
                self.metrics.overdue.increment(limit);
            }
            self.end(shared.id, overdue.reason());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use hither_auth::UserId;
    use hither_core::{ExitStatus, WindowSize};

    use super::super::shared::{Facts, Names};
    use super::*;
    use crate::sessions::{Life, OnClose};

    fn session(number: u8, ended_ms: Option<u64>) -> Arc<Shared> {
        let facts = Facts {
            id: SessionId::from_random([number; 10]),
            owner: UserId(0),
            command: Vec::new(),
            cwd: PathBuf::new(),
            names: Names::default(),
            life: Life::Lasting,
            on_close: OnClose::default(),
            size: WindowSize::DEFAULT,
            created_ms: 0,
        };
        let shared = Shared::new(facts, 0, 0);
        if let Some(at) = ended_ms {
            shared.set_ended(ExitStatus::Code(0), at);
        }
        Arc::new(shared)
    }

    #[test]
    fn those_that_ended_first_make_room() {
        let most = u8::try_from(EXITED_MAX).unwrap();
        let mut sessions: Vec<_> =
            (0..most).map(|n| session(n, Some(1000 - u64::from(n)))).collect();
        sessions.extend((most..most + 5).map(|n| session(n, None)));
        assert!(superseded(&sessions).is_empty(), "running ones do not count");
        sessions.push(session(200, Some(2000)));
        let first = sessions[usize::from(most) - 1].id;
        assert_eq!(superseded(&sessions).into_iter().collect::<Vec<_>>(), [first]);
    }

    #[test]
    fn a_stranded_session_is_nobodys_to_end() {
        let most = u8::try_from(EXITED_MAX).unwrap();
        let stranded = session(201, Some(0));
        stranded.set_stranded(true);
        let limits = Limits {
            sessions_max: 1,
            viewers_max: 1,
            input_queue_bytes_max: 1,
            idle_max: Some(Duration::ZERO),
            grace: Some(Duration::ZERO),
            exited_kept: Duration::from_secs(1),
        };
        assert_eq!(Overdue::of(&stranded, &limits, 1_000_000), None);
        let mut sessions: Vec<_> = (0..most).map(|n| session(n, Some(1000))).collect();
        sessions.push(Arc::clone(&stranded));
        assert!(superseded(&sessions).is_empty());
        stranded.set_stranded(false);
        assert_eq!(Overdue::of(&stranded, &limits, 1_000_000), Some(Overdue::Exited));
        assert_eq!(superseded(&sessions).into_iter().collect::<Vec<_>>(), [stranded.id]);
    }

    #[test]
    fn times_are_said_in_the_largest_unit_that_fits() {
        for (seconds, expect) in
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (90, "90 s"), (7200, "2 h")]
        {
            assert_eq!(in_words(Duration::from_secs(seconds)), expect);
        }
        let longest = Overdue::Idle(Duration::from_secs(u64::MAX)).reason();
        assert!(longest.len() <= 123, "{longest}");
    }
}
