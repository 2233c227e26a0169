//! Sessions that live on in the PTY host while no gateway runs.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use hither_core::SessionId;
use hither_host::message::{Life, Refusal, SessionState, ToHost};
use hither_host::{ClientError, FromHost, HostConnection, RuntimeDir};
use serde_json::Value;

use super::sessions::Session;
use crate::failure::{Exit, Failure};

/// How long the host may take to answer, and a session to end.
const PATIENCE: Duration = Duration::from_secs(15);
/// Sessions that are closed at the same time: the host stops listening to who does not read.
const AT_ONCE: usize = 256;

/// The PTY host of a runtime directory, and what it keeps.
#[derive(Debug)]
pub(super) struct HostSessions {
    host: HostConnection,
    kept: Vec<SessionState>,
}

impl HostSessions {
    /// Asks the host, if one runs.
    pub(super) fn find(dir: &Path) -> Result<Option<Self>, Failure> {
        if !dir.is_dir() {
            return Ok(None);
        }
        let dir = RuntimeDir::open(dir)
            .map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
        let mut host = match HostConnection::connect(&dir) {
            Err(ClientError::NotRunning | ClientError::TurnedAway) => return Ok(None),
            connected => connected?,
        };
        host.send(&ToHost::<std::os::fd::OwnedFd>::List)?;
        let mut kept = Vec::new();
        loop {
            let answer = host.recv(PATIENCE)?;
            if let FromHost::Listed(state) = answer {
                kept.push(state);
            } else if let FromHost::ListEnd = answer {
                return Ok(Some(Self { host, kept }));
            }
        }
    }

    /// The sessions as a gateway would list them, as far as the host knows.
    pub(super) fn sessions(&self) -> Vec<Session> {
        self.kept.iter().map(session).collect()
    }

    /// Ends sessions, all at the same time, and waits until each has ended; `ended` is told of each.
    pub(super) fn close(
        &mut self,
        sessions: &[&Session],
        mut ended: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        for some in sessions.chunks(AT_ONCE) {
            let mut open = BTreeSet::new();
            for session in some {
                let Ok(session) = session.id.parse::<SessionId>() else { continue };
                self.host.send(&ToHost::<std::os::fd::OwnedFd>::Close { session })?;
                open.insert(session);
            }
            while !open.is_empty() {
                let answer = self.host.recv(PATIENCE)?;
                if let FromHost::Closed { session } = answer
                    && open.remove(&session)
                {
                    ended(session.as_str())?;
                }
                if let FromHost::Refused { session, reason } = answer
                    && open.remove(&session)
                {
                    // Somebody else was faster: it has ended.
                    if reason != Refusal::UnknownSession {
                        return Err(Failure::new(Exit::Refused, reason.to_string()));
                    }
                    ended(session.as_str())?;
                }
            }
        }
        Ok(())
    }
}

fn session(state: &SessionState) -> Session {
    let meta: Value = serde_json::from_slice(&state.meta).unwrap_or_default();
    let text = |name: &str| meta.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let words = meta.get("command").and_then(Value::as_array);
    let words = words.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    let status = match state.life {
        Life::Running => "running",
        Life::Exited(_) => "exited",
        Life::Closing => "closing",
    };
    Session {
        id: state.session.to_string(),
        title: text("title"),
        command: words.join(" "),
        status: status.to_owned(),
        ..Session::default()
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::new(Exit::Unavailable, error.to_string())
    }
}
