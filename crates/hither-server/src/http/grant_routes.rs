//! Grants: levels that the owner of a session gives to other users.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, State};
use hither_auth::{GRANTS_MAX, Level, UserId};
use hither_core::SessionId;
use http::StatusCode;
use http::request::Parts;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::app::App;
use super::body::JsonBody;
use super::handle::level;
use super::problem::Problem;
use super::session_routes::IdInPath;
use super::viewer_routes::{LevelBody, read_or_write};
use crate::audit::Event;
use crate::store_thread::StoreFailed;

/// The user's name in a path.
#[derive(Debug)]
pub(crate) struct UserInPath(String);

impl<S: Send + Sync> FromRequestParts<S> for UserInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| no_user())?;
        let name = params.iter().find(|(name, _)| *name == "user").map(|(_, value)| value);
        name.map(|name| Self(name.to_owned())).ok_or_else(no_user)
    }
}

/// A level that a user has been given.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Grant")]
pub(crate) struct GrantJson {
    /// Name of the user.
    user: String,
    /// `read` or `write`.
    level: &'static str,
}

/// `GET /api/sessions/{id}/grants`
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
) -> Result<Json<Vec<GrantJson>>, Problem> {
    app.session(access.principal(), id, level::Own)?;
    let all = app.auth.with_people(|people| {
        let all = people.grants_of(id);
        all.map(|(user, level)| GrantJson::of(user.name.as_str(), level)).collect()
    });
    Ok(Json(all))
}

/// `PUT /api/sessions/{id}/grants/{user}`
pub(crate) async fn set(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    UserInPath(name): UserInPath,
    JsonBody(body): JsonBody<LevelBody>,
) -> Result<Json<GrantJson>, Problem> {
    app.session(access.principal(), id, level::Own)?;
    let level = read_or_write(body.level.as_deref())?;
    let user = user_named(&app, &name)?;
    let (held, others) = grants(&app, id, user);
    if held.is_none() && others >= GRANTS_MAX {
        let detail = format!("limit of {GRANTS_MAX} users with a level in a session is reached");
        return Err(Problem::new(StatusCode::CONFLICT, "too_many_grants", detail));
    }
    change(&app, id, user, Some(level)).await?;
    app.note(&access.actor(), &Event::LevelSet(id, name.clone(), Some(level)));
    Ok(Json(GrantJson::of(&name, level)))
}

/// `DELETE /api/sessions/{id}/grants/{user}`
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    UserInPath(name): UserInPath,
) -> Result<StatusCode, Problem> {
    app.session(access.principal(), id, level::Own)?;
    let user = user_named(&app, &name)?;
    let (Some(_), _) = grants(&app, id, user) else { return Err(no_user()) };
    change(&app, id, user, None).await?;
    app.note(&access.actor(), &Event::LevelSet(id, name, None));
    Ok(StatusCode::NO_CONTENT)
}

async fn change(
    app: &App,
    session: SessionId,
    user: UserId,
    level: Option<Level>,
) -> Result<(), StoreFailed> {
    app.auth.change(move |store| store.set_grant(session, user, level)).await
}

/// The level that a user has been given, and how many users have one.
fn grants(app: &App, session: SessionId, user: UserId) -> (Option<Level>, usize) {
    app.auth.with_people(|people| {
        let all: Vec<_> = people.grants_of(session).map(|(user, level)| (user.id, level)).collect();
        let held = all.iter().find(|(id, _)| *id == user).map(|(_, level)| *level);
        (held, all.len())
    })
}

fn user_named(app: &App, name: &str) -> Result<UserId, Problem> {
    let user = app.auth.with_people(|people| people.user_named(name).map(|user| user.id));
    user.ok_or_else(no_user)
}

fn no_user() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "user_not_found", "there is no such user here")
}

impl GrantJson {
    fn of(user: &str, level: Level) -> Self {
        Self { user: user.to_owned(), level: level.as_str() }
    }
}
