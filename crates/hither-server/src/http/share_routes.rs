//! Share links: made, listed and withdrawn by the owner of a session, and used by anybody.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hither_auth::{
    Level, PASSWORD_BYTES_MAX, SHARE_LIFE_DEFAULT, SHARE_LIFE_MAX, SHARE_VIEWERS_MAX, SHARES_MAX,
    Secret, Share, ShareId, Ticket, Verdict, check_password,
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::app::App;
use super::auth::random;
use super::body::JsonBody;
use super::door::Arrival;
use super::handle::level;
use super::problem::Problem;
use super::session_routes::IdInPath;
use super::ticket_routes::TICKET_PREFIX;
use super::time::rfc3339;
use super::viewer_routes::{NumberInPath, read_or_write};
use crate::audit::{Actor, Event};
use crate::sessions::SessionError;

const LABEL_CHARS_MAX: usize = 64;

/// A share link to be made.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewShareBody {
    /// `read` (default) or `write`.
    level: Option<String>,
    /// Seconds; 24 hours by default, at most 30 days.
    expires_in: Option<u64>,
    /// Most viewers at a time, at most 64.
    viewers_max: Option<u32>,
    /// A word that must be known besides.
    passphrase: Option<String>,
    /// What to call it; at most 64 characters.
    label: Option<String>,
    /// Whether its holder must have an account.
    needs_login: Option<bool>,
}

/// What the holder of a share link knows.
#[derive(Default, Deserialize, JsonSchema)]
pub(crate) struct RedeemBody {
    /// The secret in the address.
    secret: Option<String>,
    /// The word that the link asks for, if it does.
    passphrase: Option<String>,
}

/// A share link, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Share")]
pub(crate) struct ShareJson {
    /// Its number.
    id: u64,
    /// The session that it leads to.
    session: String,
    /// `read` or `write`.
    level: &'static str,
    /// What it is called.
    label: String,
    /// Whether it asks for a passphrase.
    passphrase: bool,
    /// Whether its holder must have an account.
    needs_login: bool,
    /// When it was made (RFC 3339).
    created_at: String,
    /// When it ends (RFC 3339).
    expires_at: String,
    /// Most viewers at a time.
    viewers_max: u32,
    /// Viewers that are there by it.
    viewers: usize,
}

/// A share link that was just made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MadeShare")]
pub(crate) struct MadeShareJson {
    #[serde(flatten)]
    share: ShareJson,
    /// Its secret, this once.
    secret: String,
    /// The address to give away; the secret is in its fragment.
    url: String,
}

/// What the holder of a share link gets.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Redeemed")]
pub(crate) struct RedeemedJson {
    /// The session.
    session: String,
    /// `read` or `write`.
    level: &'static str,
    /// What the link is called.
    label: String,
    /// When the link ends (RFC 3339).
    expires_at: String,
    /// A ticket for one WebSocket to the session.
    ticket: String,
    /// What stands before the ticket in the subprotocol.
    subprotocol_prefix: &'static str,
}

/// `POST /api/sessions/{id}/shares`
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody<NewShareBody>,
) -> Result<Response, Problem> {
    let session = app.session(access.principal(), id, level::Own)?;
    let creator = access.principal().user().ok_or_else(Problem::internal)?;
    let now = SystemTime::now();
    let held = app.auth.with_people(|people| people.shares_of(id, now).count());
    if held >= SHARES_MAX {
        let detail = format!("limit of {SHARES_MAX} share links of a session is reached");
        return Err(Problem::new(StatusCode::CONFLICT, "too_many_shares", detail));
    }
    let level = body.level.as_deref().map_or(Ok(Level::Read), |word| read_or_write(Some(word)))?;
    let secret = Secret::from_random(random().map_err(|_| Problem::internal())?);
    let passphrase = hashed(&app, body.passphrase.filter(|text| !text.is_empty())).await?;
    let share = Share {
        id: ShareId(0),
        session: session.id(),
        level,
        digest: secret.digest(),
        passphrase,
        creator,
        label: label(body.label)?,
        created: now,
        expires: now + life(body.expires_in)?,
        viewers_max: viewers_max(body.viewers_max)?,
        // Whoever types should be known, unless the owner says otherwise.
        needs_login: body.needs_login.unwrap_or(level > Level::Read),
    };
    let stored = share.clone();
    let share =
        Share { id: app.auth.change(move |store| store.add_share(&stored)).await?, ..share };
    app.note(&access.actor(), &Event::ShareCreated(id, share.id, level));
    let secret = secret.to_text();
    let url = format!("{}s/{id}#share={secret}", app.config.page_url);
    let made = MadeShareJson { share: ShareJson::of(&share, 0), secret, url };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// `GET /api/sessions/{id}/shares`
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
) -> Result<Json<Vec<ShareJson>>, Problem> {
    app.session(access.principal(), id, level::Own)?;
    let now = SystemTime::now();
    let shares: Vec<_> =
        app.auth.with_people(|people| people.shares_of(id, now).cloned().collect());
    let json = |share: &Share| ShareJson::of(share, app.passes.by_link(share.id));
    Ok(Json(shares.iter().map(json).collect()))
}

/// `DELETE /api/sessions/{id}/shares/{number}`
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    NumberInPath(number): NumberInPath,
) -> Result<StatusCode, Problem> {
    app.session(access.principal(), id, level::Own)?;
    let share = ShareId(number);
    let is_its = app.auth.with_people(|people| {
        people.share(share, SystemTime::now()).is_some_and(|share| share.session == id)
    });
    if !is_its {
        return Err(Problem::not_found());
    }
    app.auth.change(move |store| store.revoke_share(share)).await?;
    app.note(&access.actor(), &Event::ShareRevoked(id, share));
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/share`: the secret of a share link for a ticket to its session. Nothing else can be
/// had for it.
pub(crate) async fn redeem(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    access: Result<Access, Problem>,
    JsonBody(body): JsonBody<RedeemBody>,
) -> Result<Json<RedeemedJson>, Problem> {
    app.gate.admit(arrival.address, None)?;
    let secret = body.secret.unwrap_or_default();
    let found = app.auth.with_people(|people| {
        let share = people.share_with(&secret, SystemTime::now()).cloned();
        share.filter(|share| people.account(share.creator).is_some())
    });
    let alive = found.filter(|share| app.is_session(share.session));
    let Some(share) = alive else {
        app.gate.handle_failure(arrival.address, None);
        let detail = "the link is wrong, has expired or was withdrawn";
        return Err(Problem::unauthorized("share_refused", detail));
    };
    let with = access.ok().map(|access| access.principal().clone());
    let with = with.filter(|_| share.needs_login);
    if share.needs_login && with.is_none() {
        let detail = "this link is for people with an account: log in first";
        return Err(Problem::unauthorized("login_required", detail));
    }
    check_passphrase(&app, &arrival, &share, body.passphrase).await?;
    let max = usize::try_from(share.viewers_max).unwrap_or(usize::MAX);
    if app.passes.by_link(share.id) >= max {
        return Err(SessionError::TooManyViewers { max }.into());
    }
    // Who has a link has proven nothing that would make up for wrong guesses at something else.
    arrival.seat.prove();
    let (session, holder) = (share.session, share.holder(with));
    app.note(&Actor::proven(&holder, arrival.address), &Event::ShareUsed(session, share.id));
    let role = share.level.role();
    let ticket = app.auth.issue_ticket(Ticket { principal: holder, session, role })?;
    Ok(Json(RedeemedJson {
        session: session.to_string(),
        level: share.level.as_str(),
        label: share.label,
        expires_at: rfc3339(share.expires),
        ticket,
        subprotocol_prefix: TICKET_PREFIX,
    }))
}

async fn check_passphrase(
    app: &App,
    arrival: &Arrival,
    share: &Share,
    given: Option<String>,
) -> Result<(), Problem> {
    let Some(stored) = share.passphrase.clone() else { return Ok(()) };
    let Some(given) = given.filter(|text| !text.is_empty()) else {
        let detail = "this link asks for a passphrase";
        return Err(Problem::unauthorized("passphrase_required", detail));
    };
    // No user's name has spaces.
    let account = format!("share link {}", share.id.0);
    app.gate.admit(arrival.address, Some(&account))?;
    let verdict = app.auth.hash(move || check_password(&given, Some(&stored))).await?;
    if verdict == Verdict::Wrong {
        app.gate.handle_failure(arrival.address, Some(&account));
        return Err(Problem::unauthorized("passphrase_refused", "the passphrase is wrong"));
    }
    app.gate.forgive(&account);
    Ok(())
}

async fn hashed(app: &App, passphrase: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = passphrase else { return Ok(None) };
    if text.len() > PASSWORD_BYTES_MAX {
        let detail = format!("passphrase must have at most {PASSWORD_BYTES_MAX} bytes");
        return Err(Problem::bad_request("invalid_share", detail));
    }
    let salt = random().map_err(|_| Problem::internal())?;
    app.auth.hash(move || hither_auth::hash(&text, salt)).await.map(Some)
}

fn life(seconds: Option<u64>) -> Result<Duration, Problem> {
    let life = seconds.map_or(SHARE_LIFE_DEFAULT, Duration::from_secs);
    if life.is_zero() || life > SHARE_LIFE_MAX {
        let most = SHARE_LIFE_MAX.as_secs();
        let detail = format!("expiresIn must be 1 to {most} seconds");
        return Err(Problem::bad_request("invalid_share", detail));
    }
    Ok(life)
}

fn viewers_max(wanted: Option<u32>) -> Result<u32, Problem> {
    let wanted = wanted.unwrap_or(SHARE_VIEWERS_MAX);
    if wanted == 0 || wanted > SHARE_VIEWERS_MAX {
        let detail = format!("viewersMax must be 1 to {SHARE_VIEWERS_MAX}");
        return Err(Problem::bad_request("invalid_share", detail));
    }
    Ok(wanted)
}

fn label(label: Option<String>) -> Result<String, Problem> {
    let label = label.unwrap_or_default();
    if label.chars().count() > LABEL_CHARS_MAX || label.chars().any(char::is_control) {
        let detail =
            format!("label must have at most {LABEL_CHARS_MAX} characters and none of control");
        return Err(Problem::bad_request("invalid_share", detail));
    }
    Ok(label)
}

impl ShareJson {
    fn of(share: &Share, viewers: usize) -> Self {
        Self {
            id: share.id.0,
            session: share.session.to_string(),
            level: share.level.as_str(),
            label: share.label.clone(),
            passphrase: share.passphrase.is_some(),
            needs_login: share.needs_login,
            created_at: rfc3339(share.created),
            expires_at: rfc3339(share.expires),
            viewers_max: share.viewers_max,
            viewers,
        }
    }
}
