//! The routes that hand credentials out and take them back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hither_auth::{Mode, Secret, UserName, cookie_values};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::access::Access;
use super::app::App;
use super::auth::Claim;
use super::auth_json::{
    AuthConfigJson, AuthMethodJson, CurrentUserJson, LaunchUrlJson, LoggedInJson,
};
use super::body::JsonBody;
use super::door::Arrival;
use super::problem::Problem;
use crate::audit::{Actor, Event};

/// The secret of the printed address.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "Launch")]
pub(crate) struct LaunchBody {
    /// The secret, which is good once and for ten minutes.
    #[schemars(required)]
    secret: Option<String>,
}

/// A name and a password.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "Login")]
pub(crate) struct LoginBody {
    /// Name of a user; any name with an API token.
    username: Option<String>,
    /// Password, or an API token.
    #[schemars(required)]
    password: Option<String>,
}

/// `POST /api/auth/launch`: the secret of the printed URL for a cookie.
pub(crate) async fn launch(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    headers: HeaderMap,
    JsonBody(body): JsonBody<LaunchBody>,
) -> Result<Response, Problem> {
    app.gate.admit(arrival.address, None)?;
    let login = app.auth.redeem_launch(&body.secret.unwrap_or_default());
    let login = noted(&app, &arrival, None, login)?;
    end_old_logins(&app, &arrival, &headers);
    Ok((StatusCode::NO_CONTENT, [set_cookie(&arrival, &login)]).into_response())
}

/// `POST /api/auth/login`: name and password for a cookie and a login token.
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    headers: HeaderMap,
    JsonBody(body): JsonBody<LoginBody>,
) -> Result<Response, Problem> {
    let (name, password) = (body.username.unwrap_or_default(), body.password.unwrap_or_default());
    app.gate.admit(arrival.address, Some(&name))?;
    let login = app.auth.redeem_password(Claim { name: &name, password: &password }).await;
    let login = noted(&app, &arrival, Some(&name), login)?;
    end_old_logins(&app, &arrival, &headers);
    let name = app.auth.login_name(&login).unwrap_or_else(|| app.config.user.clone());
    let answer = Json(LoggedInJson::new(login.to_text(), &name));
    Ok(([set_cookie(&arrival, &login)], answer).into_response())
}

/// `POST /api/auth/launch-url`: a fresh address for a browser, for whoever is in already.
pub(crate) async fn launch_url(
    State(app): State<Arc<App>>,
    _: Access,
) -> Result<Json<LaunchUrlJson>, Problem> {
    let url = app.launch_url().map_err(|_| Problem::internal())?;
    Ok(Json(LaunchUrlJson { url }))
}

/// `POST /api/auth/logout`: ends the login that the request was made with.
pub(crate) async fn logout(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    access: Access,
) -> Response {
    for login in access.login_texts() {
        app.auth.close_login(login);
    }
    app.note(&access.actor(), &Event::LoggedOut);
    (StatusCode::NO_CONTENT, [clear_cookie(&arrival)]).into_response()
}

/// `POST /api/auth/logout-all`: ends all logins of the user.
pub(crate) async fn logout_all(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    access: Access,
) -> Result<Response, Problem> {
    let user = access.principal().user().ok_or_else(Problem::internal)?;
    app.auth.close_logins(user).await?;
    app.note(&access.actor(), &Event::LoggedOut);
    Ok((StatusCode::NO_CONTENT, [clear_cookie(&arrival)]).into_response())
}

/// `POST /api/auth/reload`: looks at once at what another program has changed in the store.
pub(crate) async fn reload(State(app): State<Arc<App>>, _: Access) -> Result<StatusCode, Problem> {
    app.auth.refresh().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/auth/config`: how to get in.
pub(crate) async fn config(State(app): State<Arc<App>>) -> Json<AuthConfigJson> {
    let required = app.auth.mode() == Mode::Required;
    let provider = app.oidc.as_ref().filter(|_| required);
    let ways = [
        (AuthMethodJson::Launch, required),
        (AuthMethodJson::Token, required),
        (AuthMethodJson::Password, required && app.auth.has_passwords()),
        (AuthMethodJson::Oidc, provider.is_some()),
    ];
    Json(AuthConfigJson {
        auth_required: required,
        auth_methods: ways
            .into_iter()
            .filter_map(|(way, is_open)| is_open.then_some(way))
            .collect(),
        password_auth: required,
        ssh_key_auth: false,
        oidc_label: provider.map(|provider| provider.label().to_owned()),
    })
}

/// `GET /api/auth/current-user`: who the request was made by.
pub(crate) async fn current_user(
    State(app): State<Arc<App>>,
    access: Access,
) -> Json<CurrentUserJson> {
    let principal = access.principal();
    Json(CurrentUserJson::new(principal, app.auth.token_name(principal)))
}

/// Writes the outcome of an attempt to log in down, and lets the gate know.
fn noted(
    app: &App,
    arrival: &Arrival,
    name: Option<&str>,
    login: Result<Secret, Problem>,
) -> Result<Secret, Problem> {
    match &login {
        Ok(_) => {
            arrival.seat.prove();
            app.gate.handle_success(arrival.address, name);
        }
        Err(problem) if problem.is_unauthorized() => {
            app.gate.handle_failure(arrival.address, name);
        }
        // Nothing was compared.
        Err(_) => {}
    }
    let claimed: String = name.unwrap_or_default().chars().take(UserName::LEN_MAX).collect();
    let actor = Actor::claimed(&claimed, arrival.address);
    let event = match &login {
        Ok(_) => Event::LoggedIn,
        Err(problem) => Event::LoginRefused(problem.code()),
    };
    app.note(&actor, &event);
    login
}

/// A browser that logs in again gets a new secret, and the old one is good no more.
pub(super) fn end_old_logins(app: &App, arrival: &Arrival, headers: &HeaderMap) {
    let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or("");
    for old in cookie_values(cookies, &arrival.cookie_name) {
        app.auth.close_login(old);
    }
}

pub(super) fn set_cookie(arrival: &Arrival, login: &Secret) -> (HeaderName, HeaderValue) {
    (SET_COOKIE, header_value(&arrival.cookie_name.set(login)))
}

fn clear_cookie(arrival: &Arrival) -> (HeaderName, HeaderValue) {
    (SET_COOKIE, header_value(&arrival.cookie_name.clear()))
}

pub(super) fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("cookies are made of printable ASCII")
}
