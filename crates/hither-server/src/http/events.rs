//! `GET /api/events`: what happens to sessions, as server-sent events.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use hither_auth::Principal;
use hither_core::SessionId;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::access::Access;
use super::app::App;
use super::serve::{Stop, stopped};
use super::session_json::{ExitJson, SessionJson};
use super::stream_body::{Source, event, event_stream};
use super::time::rfc3339;
use crate::sessions::SessionEvent;

/// Time after which a comment is sent, so that both ends notice a dead connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// `GET /api/events`
pub(crate) async fn stream(State(app): State<Arc<App>>, access: Access) -> Response {
    let sessions = app.sessions(access.principal());
    event_stream(Events {
        state: Stage::Greeting,
        events: sessions.events(),
        shown: sessions.list().into_iter().map(|info| info.id).collect(),
        stop: app.stop.clone(),
        authority: app.auth.authority_changes(),
        principal: access.principal().clone(),
        app,
    })
}

struct Events {
    state: Stage,
    events: Receiver<SessionEvent>,
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
            return Some((event(&stamped(json!({ "type": "connected" }))), self));
        }
        loop {
            let bytes = tokio::select! {
                () = stopped(&mut self.stop) => return None,
                _ = self.authority.changed() => None,
                () = tokio::time::sleep(HEARTBEAT) => Some(Bytes::from_static(b":\n\n")),
                received = self.events.recv() => match received {
                    Ok(happened) => {
                        self.shows(&happened).then(|| event(&stamped(to_json(happened))))
                    }
                    Err(RecvError::Lagged(count)) => {
                        Some(event(&stamped(json!({ "type": "missed", "count": count }))))
                    }
                    Err(RecvError::Closed) => return None,
                },
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
    /// Whether the receiver may hear of an event.
    fn shows(&mut self, happened: &SessionEvent) -> bool {
        let sessions = self.app.sessions(&self.principal);
        match happened {
            _ if sessions.shows_all() => true,
            SessionEvent::Closed(id) => self.shown.remove(id),
            SessionEvent::Created(_) | SessionEvent::Exited(..) | SessionEvent::Title(..) => {
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
            let session = SessionJson::from(*info);
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
    }
}

fn stamped(mut event: Value) -> Value {
    event["timestamp"] = rfc3339(SystemTime::now()).into();
    event
}
