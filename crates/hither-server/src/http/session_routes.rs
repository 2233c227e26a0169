//! The routes of sessions.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::response::{IntoResponse, Response};
use hither_auth::Level;
use hither_core::{SessionId, WindowSize};
use http::header::{CONTENT_TYPE, LINK, LOCATION};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::app::App;
use super::body::{INPUT_BODY_BYTES_MAX, JsonBody};
use super::door::Arrival;
use super::handle::level;
use super::idempotency::{Admission, Key};
use super::listing::ListQuery;
use super::names::AmendmentJson;
use super::new_session::NewSessionJson;
use super::problem::Problem;
use super::query::QueryOf;
use super::session_json::{SessionJson, SignalJson, SizeJson};
use super::typing::{InputJson, TypedJson};
use crate::audit::Event;
use crate::sessions::{NewSession, SessionError, SessionInfo};

/// About what a session takes as JSON, in bytes.
const SESSION_BYTES: usize = 512;

/// That something was done.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Done")]
pub(crate) struct DoneJson {
    /// Always true.
    success: bool,
}

/// That a session is gone.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Closed")]
pub(crate) struct ClosedJson {
    /// Always true.
    success: bool,
    /// The same in words.
    message: &'static str,
    /// The session.
    id: String,
}

/// The size of a window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Resized")]
pub(crate) struct ResizedJson {
    /// Always true.
    success: bool,
    /// Columns.
    cols: u16,
    /// Rows.
    rows: u16,
}

/// How many sessions are gone.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Cleaned")]
pub(crate) struct CleanedJson {
    /// Always true.
    success: bool,
    /// The same in words.
    message: String,
    /// Sessions.
    count: usize,
}

/// The session id in a path. A text that is none names no session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdInPath(pub(crate) SessionId);

impl<S: Send + Sync> FromRequestParts<S> for IdInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| SessionError::NotFound)?;
        let id = params.iter().find(|(name, _)| *name == "id");
        let id = id.and_then(|(_, value)| value.parse().ok());
        id.map(Self).ok_or_else(|| SessionError::NotFound.into())
    }
}

/// `GET /api/sessions`
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    access: Access,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Response, Problem> {
    let page = query.page(app.sessions(access.principal()).list())?;
    let sessions: Vec<SessionJson<'_>> = page.sessions.iter().map(SessionJson::from).collect();
    // A body that has to grow to half a megabyte is copied again and again.
    let mut body = Vec::with_capacity(2 + SESSION_BYTES * sessions.len());
    serde_json::to_writer(&mut body, &sessions).map_err(|_| Problem::internal())?;
    let json = HeaderValue::from_static("application/json");
    let mut response = ([(CONTENT_TYPE, json)], body).into_response();
    if let Some(link) = page.link {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// `POST /api/sessions`
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    access: Access,
    headers: HeaderMap,
    JsonBody(body): JsonBody<NewSessionJson>,
) -> Result<Response, Problem> {
    let (profiles, shell) = (&app.config.profiles, &app.config.shell);
    let new = match body.profile() {
        Some(name) => {
            let profile = profiles.find(name, access.principal())?;
            body.parse_over(profile, shell)?
        }
        None => body.parse(shell)?,
    };
    let who = format!("{:?}", access.principal().user());
    let info = match Key::of(&headers, &who)? {
        Some(key) => create_once(&app, &access, key, new).await?,
        None => create_session(&app, &access, new).await?,
    };
    let location = [(LOCATION, format!("{}/api/sessions/{}", app.base_of(arrival.peer), info.id))];
    Ok((StatusCode::CREATED, location, Json(SessionJson::from(&info))).into_response())
}

async fn create_session(
    app: &App,
    access: &Access,
    new: NewSession,
) -> Result<SessionInfo, Problem> {
    let info = app.sessions(access.principal()).create(new).await?;
    app.note(&access.actor(), &Event::SessionCreated(info.id));
    Ok(info)
}

/// Creates a session unless a request with this key has done so: then it is that one.
async fn create_once(
    app: &App,
    access: &Access,
    key: Key,
    new: NewSession,
) -> Result<SessionInfo, Problem> {
    match app.idempotency.admit(key, &new, Instant::now())? {
        Admission::New(started) => {
            let info = create_session(app, access, new).await?;
            started.finish(info.id);
            Ok(info)
        }
        Admission::Done(id) => {
            let session = app.session(access.principal(), id, level::Read);
            let info = session.ok().and_then(|session| session.info().ok());
            info.ok_or_else(|| {
                let detail = "the session that this request created is gone";
                Problem::new(StatusCode::GONE, "session_gone", detail)
            })
        }
    }
}

/// `GET /api/sessions/{id}`
pub(crate) async fn find(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
) -> Result<Response, Problem> {
    let info = app.session(access.principal(), id, level::Read)?.info()?;
    Ok(Json(SessionJson::from(&info)).into_response())
}

/// `DELETE /api/sessions/{id}`
pub(crate) async fn close(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
) -> Result<Json<ClosedJson>, Problem> {
    let session = app.session(access.principal(), id, level::Own)?;
    let closed = Event::SessionClosed(id);
    if session.held() == Level::Admin {
        app.note_first(&access.actor(), &closed).await?;
        session.close().await?;
    } else {
        session.close().await?;
        app.note(&access.actor(), &closed);
    }
    Ok(Json(ClosedJson { success: true, message: "session closed", id: id.to_string() }))
}

/// `PATCH /api/sessions/{id}`
pub(crate) async fn amend(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody<AmendmentJson>,
) -> Result<Response, Problem> {
    let amendment = body.parse()?;
    let session = app.session(access.principal(), id, level::Own)?;
    let info = session.amend(amendment)?;
    Ok(Json(SessionJson::from(&info)).into_response())
}

/// `POST /api/sessions/{id}/signal`
pub(crate) async fn signal(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody<SignalJson>,
) -> Result<Json<DoneJson>, Problem> {
    let signal = body.parse()?;
    app.session(access.principal(), id, level::Write)?.signal(signal).await?;
    Ok(Json(DoneJson { success: true }))
}

/// `POST /api/sessions/{id}/resize`
pub(crate) async fn resize(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody<SizeJson>,
) -> Result<Json<ResizedJson>, Problem> {
    let size = body.parse()?;
    app.session(access.principal(), id, level::Write)?.resize(size).await?;
    Ok(Json(ResizedJson { success: true, cols: size.cols(), rows: size.rows() }))
}

/// `POST /api/sessions/{id}/reset-size`
pub(crate) async fn reset_size(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
) -> Result<Json<ResizedJson>, Problem> {
    let session = app.session(access.principal(), id, level::Write)?;
    session.reset_size().await?;
    let size = session.info().map_or(WindowSize::DEFAULT, |info| info.size);
    Ok(Json(ResizedJson { success: true, cols: size.cols(), rows: size.rows() }))
}

/// `POST /api/sessions/{id}/input`
pub(crate) async fn input(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody<InputJson, INPUT_BODY_BYTES_MAX>,
) -> Result<Json<TypedJson>, Problem> {
    let session = app.session(access.principal(), id, level::Write)?;
    Ok(Json(body.send(&session).await?))
}

/// `POST /api/cleanup-exited`
pub(crate) async fn remove_exited(
    State(app): State<Arc<App>>,
    access: Access,
) -> Json<CleanedJson> {
    let count = app.sessions(access.principal()).remove_exited().await;
    let message = format!("cleaned up {count} exited sessions");
    Json(CleanedJson { success: true, message, count })
}
