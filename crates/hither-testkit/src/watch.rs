//! Viewers that outlive gateways: they come back by the public rules and check every byte.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::frame::{Hello, ServerFrame};
use crate::ledger::Ledger;
use crate::pattern::Pattern;
use crate::place::Place;
use crate::viewer::{Connection, Lost};

/// What a viewer watches.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Whose output.
    pub session: String,
    /// Its client id.
    pub client: u64,
    /// Features it asks for.
    pub features: Vec<&'static str>,
    /// What the output must be.
    pub pattern: Pattern,
    /// How long it may hear nothing, or find no gateway, before that counts as a failure.
    pub patience: Duration,
}

/// What became of a viewer.
#[derive(Debug)]
pub struct Watched {
    /// What it was shown.
    pub ledger: Ledger,
    /// Connections on which it was welcomed.
    pub connections: u64,
    /// The first broken promise, in words.
    pub violation: Option<String>,
}

/// Who has been shown output by which gateway; waited on by those who kill them.
#[derive(Debug, Default)]
pub struct Progress {
    seen: Mutex<Vec<Seen>>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    version: u64,
    at: Instant,
    over: bool,
}

/// How long a viewer whose connection broke waits to hear of a new gateway before it tries the one
/// it knows.
const RETRY: Duration = Duration::from_millis(20);

impl Progress {
    /// A place for one more viewer; gives its number.
    ///
    /// # Panics
    /// Never: nobody panics while it is locked.
    pub fn enter(&self) -> usize {
        let mut seen = self.seen.lock().expect("nobody panics with it");
        seen.push(Seen { version: 0, at: Instant::now(), over: false });
        seen.len() - 1
    }

    /// Waits until every viewer has been shown output by gateway `version`, or is through.
    /// Gives the moment when the last one was; none when that took longer than `patience`.
    ///
    /// # Panics
    /// Never: nobody panics while it is locked.
    #[must_use]
    pub fn all_at(&self, version: u64, patience: Duration) -> Option<Instant> {
        let seen = self.seen.lock().expect("nobody panics with it");
        let waiting = |all: &mut Vec<Seen>| all.iter().any(|v| v.version < version && !v.over);
        let (seen, timeout) =
            self.changed.wait_timeout_while(seen, patience, waiting).expect("nobody panics");
        let last = seen.iter().map(|viewer| viewer.at).max();
        last.filter(|_| !timeout.timed_out())
    }

    /// Waits until some viewer has found a broken promise or is through, for at most `time`.
    /// This is how time passes in a run: nothing but the wish to act at that moment is waited for.
    ///
    /// # Panics
    /// Never: nobody panics while it is locked.
    pub fn pass(&self, time: Duration) {
        let seen = self.seen.lock().expect("nobody panics with it");
        let before = seen.iter().filter(|viewer| viewer.over).count();
        let quiet = |all: &mut Vec<Seen>| all.iter().filter(|v| v.over).count() == before;
        drop(self.changed.wait_timeout_while(seen, time, quiet));
    }

    /// Whether some viewer is through.
    ///
    /// # Panics
    /// Never: nobody panics while it is locked.
    #[must_use]
    pub fn any_over(&self) -> bool {
        self.seen.lock().expect("nobody panics with it").iter().any(|viewer| viewer.over)
    }

    pub(crate) fn note(&self, viewer: usize, version: u64) {
        let mut seen = self.seen.lock().expect("nobody panics with it");
        if seen[viewer].version < version {
            (seen[viewer].version, seen[viewer].at) = (version, Instant::now());
            drop(seen);
            self.changed.notify_all();
        }
    }

    pub(crate) fn leave(&self, viewer: usize) {
        self.seen.lock().expect("nobody panics with it")[viewer].over = true;
        self.changed.notify_all();
    }
}

impl Watch {
    /// Watches until the session has ended or a promise is broken.
    #[must_use]
    pub fn run(self, place: &Place, progress: &Arc<Progress>, number: usize) -> Watched {
        let mut ledger = Ledger::new(Some(self.pattern));
        let mut connections = 0;
        let mut known = 0;
        let violation = loop {
            let newer = place.newer_than(known, RETRY);
            let found = newer.or_else(|| place.newer_than(known.saturating_sub(1), self.patience));
            let Some((address, version)) = found else {
                break Some("no gateway came back".to_owned());
            };
            known = version;
            let hello = Hello {
                client: self.client,
                resume: ledger.next(),
                features: self.features.clone(),
                ..Hello::default()
            };
            ledger.handle_connection();
            let opened = Connection::open(address, &self.session, &hello, self.patience);
            let end = opened.map(|mut connection| {
                self.follow(&mut connection, &mut ledger, &mut connections, &|| {
                    progress.note(number, version);
                })
            });
            match end {
                Ok(Ok(())) => break None,
                Ok(Err(Stop::Violation(text))) => break Some(text),
                Ok(Err(Stop::Lost(lost))) | Err(lost) if lost.is_transport() => {}
                Ok(Err(Stop::Lost(lost))) | Err(lost) => break Some(lost.to_string()),
            }
        };
        progress.leave(number);
        let violation = violation.map(|text| {
            format!("session {} viewer {number}, at {:?}: {text}", self.session, ledger.next())
        });
        Watched { ledger, connections, violation }
    }

    /// Reads one connection. Ok: the session has ended, and everything was shown.
    fn follow(
        &self,
        connection: &mut Connection,
        ledger: &mut Ledger,
        connections: &mut u64,
        shown: &impl Fn(),
    ) -> Result<(), Stop> {
        loop {
            let frame = match connection.next_frame() {
                Ok(frame) => frame,
                Err(Lost::Closed(1000)) if ledger.exit().is_some() => return Ok(()),
                Err(lost) => return Err(Stop::Lost(lost)),
            };
            let kept = ledger.handle(&frame);
            kept.map_err(|violation| Stop::Violation(violation.to_string()))?;
            match frame {
                ServerFrame::Welcome(_) => *connections += 1,
                ServerFrame::Output { .. } | ServerFrame::Exit(_) => shown(),
                ServerFrame::Error { code, message } => {
                    return Err(Stop::Violation(format!("error {code}: {message}")));
                }
                ServerFrame::Gap { from, to } if self.features.contains(&"wait") => {
                    let text = format!("{from}..{to} was skipped, but the program should wait");
                    return Err(Stop::Violation(text));
                }
                _ => {}
            }
        }
    }
}

enum Stop {
    Violation(String),
    Lost(Lost),
}
