//! Credentials at run time, and the routes that hand them out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hither_auth::{
    Denied, Launch, Level, LoginRecord, Mode, People, Presented, Principal, Scope, Secret,
    TokenRecord, UserId, UserName, Verifier, Way,
};
use hither_core::SessionId;
use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::access::Access;
use super::app::App;
use super::body::JsonBody;
use super::door::Arrival;
use super::problem::Problem;
use crate::audit::{Actor, Event};

/// The verifier and the launch secret, with the clock and the random numbers they need.
#[derive(Debug)]
pub struct Auth {
    verifier: RwLock<Verifier>,
    launch: Mutex<Launch>,
    changes: watch::Sender<u64>,
}

impl Auth {
    /// Knows these people and the logins that were stored before a restart.
    #[must_use]
    pub fn new(mode: Mode, people: People, logins: impl IntoIterator<Item = LoginRecord>) -> Self {
        let mut verifier = Verifier::new(mode, people);
        verifier.logins.import(logins, SystemTime::now());
        Self {
            verifier: RwLock::new(verifier),
            launch: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    /// Makes a launch secret, good once and for ten minutes; the one before it is good no more.
    ///
    /// # Errors
    /// When the kernel has no random numbers.
    pub fn issue_launch(&self) -> Result<Secret, getrandom::Error> {
        Ok(self.launch().issue(random()?, SystemTime::now()))
    }

    /// What a successor is left so that the launch secret stays good. Holds a digest, no secret.
    pub(crate) fn launch_line(&self) -> Option<String> {
        self.launch().to_line()
    }

    /// Takes over the launch secret of the program before.
    pub(crate) fn resume_launch(&self, line: &str) {
        *self.launch() = Launch::from_line(line, SystemTime::now());
    }

    /// What to store so that browsers stay logged in over a restart. Holds digests, no secrets.
    #[must_use]
    pub fn logins(&self) -> Vec<LoginRecord> {
        self.read().logins.export()
    }

    /// Changes whenever [`Auth::logins`] does.
    #[must_use]
    pub fn login_changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Whether credentials are asked for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.read().mode()
    }

    /// Changes who may do what.
    pub fn change_people(&self, change: impl FnOnce(&mut People)) {
        change(&mut self.write().people);
    }

    pub(crate) fn verify(&self, shown: &Presented<'_>) -> Result<Principal, Denied> {
        self.read().verify(shown, SystemTime::now())
    }

    /// The level that the owner of a session has given to a principal.
    pub(crate) fn granted(&self, principal: &Principal, session: SessionId) -> Option<Level> {
        self.read().people.granted(principal, session)
    }

    fn token_name(&self, principal: &Principal) -> Option<String> {
        let Way::Token(id) = principal.way() else { return None };
        self.read().people.tokens.find(id).map(|record: &TokenRecord| record.name.clone())
    }

    fn redeem_launch(&self, text: &str) -> Result<Secret, Problem> {
        let redeemed = self.launch().redeem(text, SystemTime::now());
        redeemed.map_err(|error| Problem::unauthorized("launch_refused", error.to_string()))?;
        self.open_login()
    }

    fn redeem_password(&self, password: &str) -> Result<Secret, Problem> {
        let is_good = {
            let verifier = self.read();
            verifier.mode() == Mode::Off
                || verifier.people.tokens.check(password, SystemTime::now()).is_some()
        };
        if !is_good {
            let detail = "the password must be an API token of this server";
            return Err(Problem::unauthorized("login_refused", detail));
        }
        self.open_login()
    }

    fn open_login(&self) -> Result<Secret, Problem> {
        let random = random().map_err(|_| Problem::internal())?;
        let secret = self.write().logins.open(UserId::MACHINE, 0, random, SystemTime::now());
        self.changed();
        Ok(secret)
    }

    fn close_login(&self, text: &str) {
        self.write().logins.close(text);
        self.changed();
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    // No operation under these locks leaves anything half done, so a poisoned one is still good.
    fn read(&self) -> RwLockReadGuard<'_, Verifier> {
        self.verifier.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Verifier> {
        self.verifier.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn launch(&self) -> MutexGuard<'_, Launch> {
        self.launch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits)?;
    Ok(bits)
}

#[derive(Default, Deserialize)]
pub(crate) struct LaunchBody {
    secret: Option<String>,
}

#[derive(Default, Deserialize)]
pub(crate) struct LoginBody {
    username: Option<String>,
    password: Option<String>,
}

/// `POST /api/auth/launch`: the secret of the printed URL for a cookie.
pub(crate) async fn launch(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    JsonBody(body): JsonBody<LaunchBody>,
) -> Result<Response, Problem> {
    app.gate.admit(arrival.address, None)?;
    let login = app.auth.redeem_launch(&body.secret.unwrap_or_default());
    let login = noted(&app, &arrival, None, login)?;
    Ok((StatusCode::NO_CONTENT, [set_cookie(&arrival, &login)]).into_response())
}

/// `POST /api/auth/login`: an API token, as a password, for a cookie and a login token.
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    JsonBody(body): JsonBody<LoginBody>,
) -> Result<Response, Problem> {
    let name = body.username.unwrap_or_default();
    app.gate.admit(arrival.address, Some(&name))?;
    let login = app.auth.redeem_password(&body.password.unwrap_or_default());
    let login = noted(&app, &arrival, Some(&name), login)?;
    let answer = json!({
        "success": true,
        "token": login.to_text(),
        "user": user(&app.config.user),
    });
    Ok(([set_cookie(&arrival, &login)], Json(answer)).into_response())
}

/// `POST /api/auth/launch-url`: a fresh address for a browser, for whoever is in already.
pub(crate) async fn launch_url(
    State(app): State<Arc<App>>,
    _: Access,
) -> Result<Json<Value>, Problem> {
    let url = app.launch_url().map_err(|_| Problem::internal())?;
    Ok(Json(json!({ "url": url })))
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
    let clear = header_value(&arrival.cookie_name.clear());
    (StatusCode::NO_CONTENT, [(SET_COOKIE, clear)]).into_response()
}

/// `GET /api/auth/config`: how to get in.
pub(crate) async fn config(State(app): State<Arc<App>>) -> Response {
    let required = app.auth.mode() == Mode::Required;
    let methods: &[&str] = if required { &["launch", "token"] } else { &[] };
    Json(json!({
        "authRequired": required,
        "authMethods": methods,
        "passwordAuth": required,
        "sshKeyAuth": false,
    }))
    .into_response()
}

/// `GET /api/auth/current-user`: who the request was made by.
pub(crate) async fn current_user(State(app): State<Arc<App>>, access: Access) -> Response {
    let principal = access.principal();
    let scopes: Vec<_> = principal.scopes().iter().map(Scope::as_str).collect();
    Json(json!({
        "success": true,
        "userId": principal.name(),
        "user": user(principal.name()),
        "via": principal.way().as_str(),
        "tokenName": app.auth.token_name(principal),
        "scopes": scopes,
    }))
    .into_response()
}

/// Writes the outcome of an attempt to log in down, and lets the gate know.
fn noted(
    app: &App,
    arrival: &Arrival,
    name: Option<&str>,
    login: Result<Secret, Problem>,
) -> Result<Secret, Problem> {
    match &login {
        Ok(_) => app.gate.handle_success(arrival.address, name),
        Err(_) => app.gate.handle_failure(arrival.address, name),
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

fn user(name: &str) -> Value {
    json!({ "id": name, "username": name, "role": "owner" })
}

fn set_cookie(arrival: &Arrival, login: &Secret) -> (http::HeaderName, HeaderValue) {
    (SET_COOKIE, header_value(&arrival.cookie_name.set(login)))
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("cookies are made of printable ASCII")
}
