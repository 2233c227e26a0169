//! Single sign-on: to the provider, and back.
//!
//! Both routes are for browsers, which follow where they are sent: to the provider, or to a page of
//! ours and nowhere else. Why somebody is not let in is told to the start page by a word in the
//! fragment; the log has the rest.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hither_auth::{Mode, Secret, SignOn, cookie_values};
use hither_core::SessionId;
use hither_store::{StoreError, Welcomed};
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::app::App;
use super::auth::random;
use super::auth_routes::{end_old_logins, header_value, set_cookie};
use super::door::Arrival;
use super::problem::Problem;
use super::query::QueryOf;
use crate::audit::{Actor, Event};
use crate::oidc::{Answer, Failed, Provider};
use crate::store_thread::StoreFailed;

/// Where the provider sends the browser, below the base path.
const CALLBACK: &str = "/api/auth/oidc/callback";

/// Where somebody wants to go.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct LoginQuery {
    /// Session whose page it leads to; else the start page.
    session: Option<String>,
}

/// The provider's answer.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct CallbackQuery {
    /// What came with the request.
    state: Option<String>,
    /// To be redeemed for the proof.
    code: Option<String>,
    /// Who answers (RFC 9207).
    iss: Option<String>,
    /// Why there is no code.
    error: Option<String>,
}

/// Why somebody is sent to the start page without a login. The words are read by the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Nobody knows of a sign-on in this browser, or of another one.
    Stale,
    /// The person has said no, or the provider has.
    Denied,
    /// The provider does not answer as it should.
    Provider,
    /// It has not proven anybody.
    Refused,
    /// It has, and that is nobody who may come in.
    NotAllowed,
    /// Somebody else has the name.
    NameTaken,
    /// Too much is going on.
    Busy,
    /// Too many wrong tries.
    TooManyAttempts,
}

/// Somebody who is in.
struct Entered {
    login: Secret,
    name: String,
}

/// `GET /api/auth/oidc/login`: to the provider.
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    QueryOf(query): QueryOf<LoginQuery>,
) -> Result<Response, Problem> {
    let (provider, redirect) = provider(&app, &arrival)?;
    // Whatever is no session leads to the start page.
    let session: Option<SessionId> = query.session.and_then(|text| text.parse().ok());
    let random = random().map_err(|_| Problem::internal())?;
    let sign_on = SignOn::begin(random, session, SystemTime::now());
    match provider.address(&sign_on, &redirect).await {
        Ok(address) => {
            let cookie = arrival.cookie_name.for_sign_on().set_sign_on(&sign_on);
            let cookie = (SET_COOKIE, header_value(&cookie));
            Ok((StatusCode::SEE_OTHER, [cookie], [(LOCATION, address)]).into_response())
        }
        Err(failed) => Ok(to_start_page(&app, &arrival, told(&failed))),
    }
}

/// `GET /api/auth/oidc/callback`: back from the provider.
pub(crate) async fn callback(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    headers: HeaderMap,
    QueryOf(query): QueryOf<CallbackQuery>,
) -> Result<Response, Problem> {
    let (provider, redirect) = provider(&app, &arrival)?;
    if app.gate.admit(arrival.address, None).is_err() {
        return Ok(to_start_page(&app, &arrival, Why::TooManyAttempts));
    }
    let state = query.state.as_deref().unwrap_or_default();
    let Some(sign_on) = begun(&arrival, &headers, state) else {
        // Nothing was tried that could be counted: an image on any page of the web is enough to
        // have somebody's browser come here.
        return Ok(to_start_page(&app, &arrival, Why::Stale));
    };
    match enter(&app, provider, &sign_on, &query, &redirect).await {
        Ok(Entered { login, name }) => {
            arrival.seat.prove();
            app.gate.handle_success(arrival.address, None);
            app.note(&Actor::claimed(&name, arrival.address), &Event::LoggedIn);
            end_old_logins(&app, &arrival, &headers);
            let place = sign_on.session().map_or_else(String::new, |id| format!("s/{id}"));
            let mut response = to_page(&app, &arrival, &place);
            let (name, value) = set_cookie(&arrival, &login);
            response.headers_mut().append(name, value);
            Ok(response)
        }
        Err(why) => {
            if why == Why::Refused {
                app.gate.handle_failure(arrival.address, None);
            }
            if why != Why::Busy {
                app.metrics.auth_failures.increment(why.as_str());
            }
            let event = Event::LoginRefused(why.as_str());
            app.note(&Actor::claimed("", arrival.address), &event);
            Ok(to_start_page(&app, &arrival, why))
        }
    }
}

/// The provider, and where it shall send this browser: to where it is now, which the door has found
/// to be ours.
fn provider<'a>(app: &'a App, arrival: &Arrival) -> Result<(&'a Provider, String), Problem> {
    let provider = app.oidc.as_deref().filter(|_| app.auth.mode() == Mode::Required);
    let provider = provider.ok_or_else(Problem::not_found)?;
    let origin = arrival.site_of_ours.as_ref().ok_or_else(Problem::not_found)?;
    Ok((provider, format!("{origin}{}{CALLBACK}", app.config.base_path.as_str())))
}

/// The sign-on that this browser has begun, if an answer with this state belongs to it.
fn begun(arrival: &Arrival, headers: &HeaderMap, state: &str) -> Option<SignOn> {
    let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let name = arrival.cookie_name.for_sign_on();
    let now = SystemTime::now();
    cookie_values(cookies, &name)
        .filter_map(|text| SignOn::from_cookie(text, now))
        .find(|sign_on| sign_on.is_state(state))
}

async fn enter(
    app: &App,
    provider: &Provider,
    sign_on: &SignOn,
    query: &CallbackQuery,
    redirect: &str,
) -> Result<Entered, Why> {
    if query.error.is_some() {
        return Err(Why::Denied);
    }
    let code = query.code.as_deref().unwrap_or_default();
    let answer = Answer { code, issuer: query.iss.as_deref() };
    let admitted = provider.redeem(sign_on, answer, redirect).await;
    let admitted = admitted.map_err(|failed| told(&failed))?;
    let name = admitted.name.to_string();
    let issuer = provider.issuer().to_owned();
    let welcomed = app
        .auth
        .change(move |store| store.welcome(&issuer, &admitted, SystemTime::now()))
        .await
        .map_err(|failed| not_welcome(&failed))?;
    let Welcomed { user, generation, is_new } = welcomed;
    if is_new {
        app.note(&Actor::gateway(), &Event::UserChanged(user, name.clone(), "added"));
    }
    let login = app.auth.open_login(user, generation).map_err(|_| Why::Busy)?;
    Ok(Entered { login, name })
}

fn not_welcome(failed: &StoreFailed) -> Why {
    if let StoreFailed::Store(StoreError::NameTaken(_)) = failed {
        return Why::NameTaken;
    }
    tracing::error!(error = %failed, "storing who has signed on");
    Why::Busy
}

/// Writes down what went wrong: the person is told a word only.
fn told(failed: &Failed) -> Why {
    match failed {
        Failed::Provider(_) => {
            tracing::warn!(error = %failed, "single sign-on failed");
            Why::Provider
        }
        Failed::Refused(_) => {
            tracing::info!(error = %failed, "single sign-on failed");
            Why::Refused
        }
        Failed::NotAdmitted(_) => {
            tracing::info!(error = %failed, "single sign-on failed");
            Why::NotAllowed
        }
        Failed::Busy => Why::Busy,
    }
}

fn to_start_page(app: &App, arrival: &Arrival, why: Why) -> Response {
    to_page(app, arrival, &format!("#login={}", why.as_str()))
}

/// To a page of ours, with the sign-on over.
fn to_page(app: &App, arrival: &Arrival, below: &str) -> Response {
    let address = format!("{}/{below}", app.config.base_path.as_str());
    let over = (SET_COOKIE, header_value(&arrival.cookie_name.for_sign_on().clear()));
    (StatusCode::SEE_OTHER, [over], [(LOCATION, address)]).into_response()
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Stale => "oidc_stale",
            Self::Denied => "oidc_denied",
            Self::Provider => "oidc_unavailable",
            Self::Refused => "oidc_refused",
            Self::NotAllowed => "oidc_not_allowed",
            Self::NameTaken => "oidc_name_taken",
            Self::Busy => "busy",
            Self::TooManyAttempts => "too_many_attempts",
        }
    }
}
