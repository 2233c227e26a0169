//! Credentials at run time, and the routes that hand them out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hither_auth::{
    Authenticated, Denied, Identity, Launch, LoginRecord, Mode, Presented, Secret, Tokens, Verifier,
};
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

/// The verifier and the launch secret, with the clock and the random numbers they need.
#[derive(Debug)]
pub struct Auth {
    verifier: RwLock<Verifier>,
    launch: Mutex<Launch>,
    changes: watch::Sender<u64>,
}

impl Auth {
    /// Knows these tokens and the logins that were stored before a restart.
    #[must_use]
    pub fn new(mode: Mode, tokens: Tokens, logins: impl IntoIterator<Item = LoginRecord>) -> Self {
        let mut verifier = Verifier::new(mode, tokens);
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

    pub(crate) fn verify(&self, shown: &Presented<'_>) -> Result<Authenticated, Denied> {
        self.read().verify(shown, SystemTime::now())
    }

    fn redeem_launch(&self, text: &str) -> Result<Secret, Problem> {
        let redeemed = self.launch().redeem(text, SystemTime::now());
        redeemed.map_err(|error| Problem::unauthorized("launch_refused", error.to_string()))?;
        self.open_login()
    }

    fn redeem_password(&self, password: &str) -> Result<Secret, Problem> {
        let is_good = {
            let verifier = self.read();
            verifier.mode() == Mode::Off || verifier.knows_token(password)
        };
        if !is_good {
            let detail = "the password must be an API token of this server";
            return Err(Problem::unauthorized("login_refused", detail));
        }
        self.open_login()
    }

    fn open_login(&self) -> Result<Secret, Problem> {
        let random = random().map_err(|_| Problem::internal())?;
        let secret = self.write().logins.open(random, SystemTime::now());
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
    password: Option<String>,
}

/// `POST /api/auth/launch`: the secret of the printed URL for a cookie.
pub(crate) async fn launch(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    JsonBody(body): JsonBody<LaunchBody>,
) -> Result<Response, Problem> {
    let login = app.auth.redeem_launch(&body.secret.unwrap_or_default())?;
    Ok((StatusCode::NO_CONTENT, [set_cookie(&arrival, &login)]).into_response())
}

/// `POST /api/auth/login`: an API token, as a password, for a cookie and a login token.
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    JsonBody(body): JsonBody<LoginBody>,
) -> Result<Response, Problem> {
    let login = app.auth.redeem_password(&body.password.unwrap_or_default())?;
    let answer = json!({
        "success": true,
        "token": login.to_text(),
        "user": user(&app),
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
    let (via, token) = match access.proof().identity() {
        Identity::Anyone => ("no-auth", None),
        Identity::SameUser => ("unix-socket", None),
        Identity::Token(name) => ("token", Some(name)),
        Identity::Login => ("login", None),
    };
    Json(json!({
        "success": true,
        "userId": app.config.user,
        "user": user(&app),
        "via": via,
        "tokenName": token,
    }))
    .into_response()
}

fn user(app: &App) -> Value {
    let name = &app.config.user;
    json!({ "id": name, "username": name, "role": "owner" })
}

fn set_cookie(arrival: &Arrival, login: &Secret) -> (http::HeaderName, HeaderValue) {
    (SET_COOKIE, header_value(&arrival.cookie_name.set(login)))
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("cookies are made of printable ASCII")
}
