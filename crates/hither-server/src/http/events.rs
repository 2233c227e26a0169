//! `GET /api/events`: what happens to sessions, as server-sent events.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use hither_auth::Principal;
use hither_core::SessionId;
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::access::Access;
use super::app::App;
use super::problem::Problem;
use super::serve::{Stop, stopped};
use super::session_json::{ExitJson, SessionJson};
use super::stream_body::{Source, event, event_stream, last_event_id, named_event};
use super::time::rfc3339;
use crate::sessions::{EventCursor, NextEvent, SessionEvent, ShellEvent};

/// Time after which a comment is sent, so that both ends notice a dead connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// `GET /api/events`
pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    access: Access,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let behind = last_event_id(&headers)?;
    let sessions = app.sessions(access.principal());
    Ok(event_stream(Events {
        state: Stage::Greeting,
        events: sessions.events(behind),
        shown: sessions.list().into_iter().map(|info| info.id).collect(),
        stop: app.stop.clone(),
        authority: app.auth.authority_changes(),
        principal: access.principal().clone(),
        app,
    }))
}

struct Events {
    state: Stage,
    events: EventCursor,
    /// Sessions that the receiver has been shown, so that it hears of their end too.
    shown: BTreeSet<SessionId>,
    stop: Stop,
    authority: watch::Receiver<u64>,
    principal: Principal,
    app: Arc<App>,
}

enum Stage {
    Greeting,
    Listening,
}

impl Source for Events {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if matches!(self.state, Stage::Greeting) {
            self.state = Stage::Listening;
            let hello = json!({ "type": "connected" });
            return Some((event(&stamped(hello, SystemTime::now())), self));
        }
        loop {
            let bytes = tokio::select! {
                () = stopped(&mut self.stop) => return None,
                _ = self.authority.changed() => None,
                () = tokio::time::sleep(HEARTBEAT) => Some(Bytes::from_static(b":\n\n")),
                next = self.events.next() => self.handle_next(next),
            };
            // A credential that was withdrawn, or has expired, ends the stream.
            self.principal = self.app.auth.verify_again(&self.principal).ok()?;
            if let Some(bytes) = bytes {
                return Some((bytes, self));
            }
        }
    }
}

impl Events {
    /// What the receiver is told of what comes next.
    fn handle_next(&mut self, next: NextEvent) -> Option<Bytes> {
        match next {
            NextEvent::Happened(happened) => self.shows(&happened.event).then(|| {
                let json = stamped(to_json(happened.event), happened.at);
                named_event(&happened.id, &json)
            }),
            NextEvent::Missed(count) => {
                let missed = json!({ "type": "missed", "count": count });
                Some(event(&stamped(missed, SystemTime::now())))
            }
        }
    }

    /// Whether the receiver may hear of an event.
    fn shows(&mut self, happened: &SessionEvent) -> bool {
        let sessions = self.app.sessions(&self.principal);
        match happened {
            _ if sessions.shows_all() => true,
            SessionEvent::Closed(id) => self.shown.remove(id),
            SessionEvent::Created(_)
            | SessionEvent::Exited(..)
            | SessionEvent::Title(..)
            | SessionEvent::Shell(..)
            | SessionEvent::Directory(..)
            | SessionEvent::Amended(_) => {
                let id = happened.session();
                let shows = sessions.shows(id);
                if shows {
                    self.shown.insert(id)
                } else {
                    self.shown.remove(&id)
                };
                shows
            }
        }
    }
}

fn to_json(happened: SessionEvent) -> Value {
    match happened {
        SessionEvent::Created(info) => {
            let session = SessionJson::from(&*info);
            json!({
                "type": "session-start",
                "sessionId": session.id,
                "sessionName": session.title,
                "command": session.command,
                "session": session,
            })
        }
        SessionEvent::Exited(id, status) => {
            let event = json!({ "type": "session-exit", "sessionId": id.as_str() });
            ExitJson::from(status).added_to(event)
        }
        SessionEvent::Closed(id) => json!({ "type": "session-closed", "sessionId": id.as_str() }),
        SessionEvent::Title(id, title) => {
            json!({ "type": "session-title", "sessionId": id.as_str(), "title": title })
        }
        SessionEvent::Shell(id, shell, offset) => {
            let (name, code) = match shell {
                ShellEvent::Prompt => ("shell-prompt", None),
                ShellEvent::CommandStart => ("command-start", None),
                ShellEvent::CommandEnd(code) => ("command-end", code),
            };
            let mut event = json!({ "type": name, "sessionId": id.as_str(), "offset": offset.0 });
            if let Some(code) = code {
                event["exitCode"] = code.into();
            }
            event
        }
        SessionEvent::Directory(id, path) => {
            json!({ "type": "session-directory", "sessionId": id.as_str(), "directory": path })
        }
        SessionEvent::Amended(info) => {
            let session = SessionJson::from(&*info);
            json!({ "type": "session-changed", "sessionId": session.id, "session": session })
        }
    }
}

fn stamped(mut event: Value, at: SystemTime) -> Value {
    event["timestamp"] = rfc3339(at).into();
    event
}
