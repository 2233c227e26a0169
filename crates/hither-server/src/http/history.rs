//! `GET /api/sessions/{id}/output`: output from an offset on, at once, when there is some, or as
//! events.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hither_auth::Principal;
use hither_core::{ExitStatus, Offset, SessionId};
use hither_screen::PlainText;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::access::Access;
use super::app::App;
use super::handle::{SessionHandle, level};
use super::output::take_output;
use super::problem::Problem;
use super::query::QueryOf;
use super::screen::OFFSET;
use super::serve::{Stop, stopped};
use super::session_json::ExitJson;
use super::session_routes::IdInPath;
use super::stream_body::{Source, event, event_stream, last_event_id, named_event};
use crate::sessions::{Output, Patience, SessionError};

/// Most bytes of output in one answer.
const BYTES_MAX: u32 = 1 << 20;
/// Bytes of output in an answer when nothing is said.
const BYTES_DEFAULT: u32 = 64 << 10;
/// Longest time that a request waits for output.
const WAIT_MS_MAX: u32 = 60_000;
/// Time after which a comment is sent, so that both ends notice a dead connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Where the next request continues.
const NEXT_OFFSET: HeaderName = HeaderName::from_static("hither-next-offset");
/// Whether nothing follows, because the program has ended.
const END: HeaderName = HeaderName::from_static("hither-end");

/// Which output is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutputQuery {
    /// Offset of the first byte; absent: the oldest that is kept.
    from: Option<u64>,
    /// Most bytes in the answer, 65,536 if absent; not for events.
    #[schemars(range(min = 1, max = 1_048_576))]
    limit: Option<u32>,
    /// Most milliseconds to wait when there is no output yet; not for events.
    #[schemars(range(max = 60_000))]
    wait: Option<u32>,
    /// The form of the answer.
    #[serde(default)]
    format: Format,
}

/// The form of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "OutputFormat")]
pub(crate) enum Format {
    /// The bytes as they are.
    #[default]
    Raw,
    /// Text without control functions.
    Text,
    /// Server-sent events; what a request that accepts `text/event-stream` gets too.
    Events,
}

/// `GET /api/sessions/{id}/output`
pub(crate) async fn output(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    QueryOf(query): QueryOf<OutputQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = app.session(access.principal(), id, level::Read)?;
    let accepts = headers.get(ACCEPT).is_some_and(|value| value == "text/event-stream");
    if accepts || query.format == Format::Events {
        let last: Option<u64> = last_event_id(&headers)?;
        let at = Offset(last.or(query.from).unwrap_or(0));
        let (stop, principal) = (app.stop.clone(), access.principal().clone());
        return Ok(event_stream(Events {
            at: Some(at),
            sent: at,
            tail: Vec::new(),
            id,
            stop,
            principal,
            app,
        }));
    }
    let limit = query.limit.unwrap_or(BYTES_DEFAULT);
    let wait = query.wait.unwrap_or(0);
    if !(1..=BYTES_MAX).contains(&limit) || wait > WAIT_MS_MAX {
        let detail = format!("limit must be 1 to {BYTES_MAX}, wait at most {WAIT_MS_MAX}");
        return Err(Problem::bad_request("invalid_query", detail));
    }
    let mut stop = app.stop.clone();
    let deadline = Instant::now() + Duration::from_millis(wait.into());
    let from = Offset(query.from.unwrap_or(0));
    let output = tokio::select! {
        () = stopped(&mut stop) => return Err(SessionError::Stopping.into()),
        denied = app.auth.withdrawn(access.principal()) => return Err(denied.into()),
        output = read(&session, from, (limit, deadline)) => output?,
    };
    Ok(respond(output, query.format))
}

/// At most `limit` bytes from `from` on; waits for the first of them until the deadline.
async fn read(
    session: &SessionHandle<'_, level::Read>,
    from: Offset,
    (limit, deadline): (u32, Instant),
) -> Result<Output, SessionError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut all = session.output(Some(from), Patience::Now).await?;
    if all.bytes.is_empty() && all.ended.is_none() {
        let waiting = session.output(Some(all.from), Patience::Wait);
        if let Ok(output) = timeout_at(deadline, waiting).await {
            all = output?;
        }
    }
    while all.bytes.len() < limit && end(&all) < all.head {
        let more = session.output(Some(end(&all)), Patience::Now).await?;
        if more.from > end(&all) {
            break;
        }
        all.bytes.extend(more.bytes);
        (all.head, all.ended) = (more.head, more.ended);
    }
    all.bytes.truncate(limit);
    Ok(all)
}

fn end(output: &Output) -> Offset {
    output.from.plus(output.bytes.len() as u64)
}

fn respond(output: Output, format: Format) -> Response {
    let next = end(&output);
    let is_last = output.ended.is_some() && next == output.head;
    let mut response = if format == Format::Text {
        let mut text = String::new();
        PlainText::new().feed(&output.bytes, &mut |piece, _| text += piece);
        ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
    } else {
        ([(CONTENT_TYPE, "application/octet-stream")], output.bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(OFFSET, output.from.0.into());
    headers.insert(NEXT_OFFSET, next.0.into());
    headers.insert(END, HeaderValue::from_static(if is_last { "true" } else { "false" }));
    response
}

/// Output as events. Each is named by the offset behind it, where a client that comes back continues.
struct Events {
    /// Where the next output is asked for; none when the last event has been sent.
    at: Option<Offset>,
    /// Everything before has been sent.
    sent: Offset,
    /// Bytes that may be the start of a character.
    tail: Vec<u8>,
    id: SessionId,
    stop: Stop,
    principal: Principal,
    app: Arc<App>,
}

impl Source for Events {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            let at = self.at?;
            // Asked anew each time: what one may see can change while one watches.
            let Ok(session) = self.app.session(&self.principal, self.id, level::Read) else {
                self.at = None;
                return Some((event(&json!({ "type": "closed" })), self));
            };
            let output = tokio::select! {
                () = stopped(&mut self.stop) => return None,
                () = tokio::time::sleep(HEARTBEAT) => None,
                _ = self.app.auth.withdrawn(&self.principal) => return None,
                output = session.output(Some(at), Patience::Wait) => Some(output),
            };
            let Some(output) = output else {
                return Some((Bytes::from_static(b":\n\n"), self));
            };
            let Ok(output) = output else {
                self.at = None;
                return Some((event(&json!({ "type": "closed" })), self));
            };
            let bytes = self.handle_output(output);
            if !bytes.is_empty() {
                return Some((bytes, self));
            }
        }
    }
}

impl Events {
    fn handle_output(&mut self, mut output: Output) -> Bytes {
        let mut events = Vec::new();
        let next = end(&output);
        if self.at.is_some_and(|at| at < output.from) {
            self.tail.clear();
            let gap = json!({ "type": "gap", "from": self.sent.0, "to": output.from.0 });
            self.sent = output.from;
            events.extend(named_event(&self.sent, &gap));
        }
        self.at = Some(next);
        self.tail.append(&mut output.bytes);
        if let Some(mut json) = take_output(&mut self.tail) {
            json["offset"] = self.sent.0.into();
            self.sent = Offset(next.0 - self.tail.len() as u64);
            events.extend(named_event(&self.sent, &json));
        }
        if let Some(status) = output.ended.filter(|_| next == output.head) {
            events.extend(self.last(status));
        }
        events.into()
    }

    /// What is left of the output, then how the program ended.
    fn last(&mut self, status: ExitStatus) -> Vec<u8> {
        let mut events = Vec::new();
        if let Some(end) = self.at.take()
            && !self.tail.is_empty()
        {
            let base64 = STANDARD.encode(std::mem::take(&mut self.tail));
            let json = json!({ "type": "output", "base64": base64, "offset": self.sent.0 });
            self.sent = end;
            events.extend(named_event(&end, &json));
        }
        events.extend(event(&ExitJson::from(status).added_to(json!({ "type": "exit" }))));
        events
    }
}
