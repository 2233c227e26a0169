//! `GET /ws`: the handshake, which is refused for any flaw before anything is created.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequestParts as _;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hither_auth::{Offence, Principal, Ticket, TicketRefused, Way};
use hither_core::{Role, SessionId};
use hither_protocol::websocket::{accept_key, check_key};
use http::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::app::App;
use super::door::Arrival;
use super::handover::{Handover, Slot, Wanted};
use super::problem::Problem;
use super::ticket_routes::TICKET_PREFIX;
use crate::sessions::ViewerProtocol;

const HITHER: &str = hither_protocol::hither::SUBPROTOCOL;
const TTYD: &str = hither_protocol::ttyd::SUBPROTOCOL;

/// What ttyd's page asks for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TtydToken")]
pub(crate) struct TtydTokenJson {
    /// Always empty: credentials never go to a page.
    token: &'static str,
}

/// `GET /token`: what ttyd's page asks for first. Credentials never go to a page, so it is empty.
pub(crate) async fn ttyd_token(_: Access) -> Json<TtydTokenJson> {
    Json(TtydTokenJson { token: "" })
}

/// `GET /ws`
pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let (mut parts, _body) = request.into_parts();
    let Admitted { principal, address, role } = admit(&app, &mut parts).await?;
    let accept = check_handshake(&parts)?;
    let wanted = choose(&parts)?;
    let on_upgrade: Option<OnUpgrade> = parts.extensions.remove();
    let slot: Option<&Slot> = parts.extensions.get();
    let (Some(on_upgrade), Some(slot)) = (on_upgrade, slot) else {
        return Err(Problem::upgrade_required("this connection cannot be upgraded"));
    };
    let subprotocol = wanted.protocol;
    slot.put(Handover { app, principal, address, role, on_upgrade, wanted });
    Ok(switching(&accept, subprotocol))
}

/// Who opens a WebSocket.
struct Admitted {
    principal: Principal,
    address: Option<IpAddr>,
    role: Role,
}

/// Judges who opens a WebSocket. The door has checked host and origin.
///
/// A credential that browsers show of their own accord does not suffice: it takes a ticket, which
/// only our own page can have asked for, and the credential that it was made with. The ticket of a
/// share link stands for itself.
async fn admit(app: &Arc<App>, parts: &mut Parts) -> Result<Admitted, Problem> {
    let ticket = values(&parts.headers, &SEC_WEBSOCKET_PROTOCOL)
        .find_map(|item| item.strip_prefix(TICKET_PREFIX))
        .map(str::to_owned);
    let access = Access::from_request_parts(parts, app).await;
    let Some(ticket) = ticket else {
        let access = access?;
        if access.is_ambient() {
            let detail = "a cookie opens no WebSocket without a ticket: POST /api/ws-ticket";
            return Err(Problem::unauthorized("ticket_required", detail));
        }
        let principal = access.principal().clone();
        return Ok(Admitted { principal, address: access.address(), role: Role::Operator });
    };
    let arrival = Arrival::of(parts)?;
    let refused = |_| Problem::unauthorized("ticket_refused", TicketRefused.to_string());
    let query = parts.uri.query().unwrap_or("");
    let session = param(query, "session").or_else(|| param(query, "sessionId")).unwrap_or("");
    let session = session.parse::<SessionId>().map_err(|_| refused(TicketRefused))?;
    let Ticket { principal, role, .. } =
        app.auth.redeem_ticket(&ticket, session).map_err(|error| {
            app.gate.handle_offence(arrival.address, Offence::WrongToken);
            refused(error)
        })?;
    if principal.way() != Way::Link {
        let shown = access?;
        if (shown.principal().who(), shown.principal().way()) != (principal.who(), principal.way())
        {
            return Err(refused(TicketRefused));
        }
    }
    let principal = app.auth.verify_again(&principal).map_err(Problem::from)?;
    arrival.seat.prove();
    let address = arrival.address;
    Ok(Admitted { principal, address, role })
}

/// Whether the request wants to leave HTTP.
pub(crate) fn is_upgrade(parts: &Parts) -> bool {
    parts.headers.contains_key(UPGRADE)
}

/// Checks the client's part of the handshake (RFC 6455 section 4.2.1) and answers the value that
/// proves that it was understood.
fn check_handshake(parts: &Parts) -> Result<String, Problem> {
    let headers = &parts.headers;
    if parts.method != Method::GET {
        return Err(Problem::method_not_allowed().with_header(ALLOW, "GET"));
    }
    if parts.version != Version::HTTP_11
        || !has_token(headers, &UPGRADE, "websocket")
        || !has_token(headers, &CONNECTION, "upgrade")
    {
        return Err(Problem::upgrade_required("this path speaks WebSocket only"));
    }
    if only(headers, &SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(Problem::upgrade_required("WebSocket version must be 13"));
    }
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|len| len != "0");
    if has_body {
        return Err(Problem::bad_request("unexpected_body", "a handshake has no body"));
    }
    let key = only(headers, &SEC_WEBSOCKET_KEY).unwrap_or("");
    let invalid = |error| Problem::bad_request("invalid_key", format!("{error}"));
    check_key(key).map_err(invalid)?;
    Ok(accept_key(key))
}

/// What the client wants: docs/protocol.md, section 11.
fn choose(parts: &Parts) -> Result<Wanted, Problem> {
    let query = parts.uri.query().unwrap_or("");
    let offered = values(&parts.headers, &SEC_WEBSOCKET_PROTOCOL).collect::<Vec<_>>();
    let known = offered.iter().find(|name| [HITHER, TTYD].contains(name));
    let missing = |name: &str| {
        Problem::bad_request("session_required", format!("query must name a session: ?{name}=ID"))
    };
    let (protocol, session) = match (known, offered.is_empty()) {
        (Some(&HITHER), _) => {
            let session = param(query, "session").ok_or_else(|| missing("session"))?;
            (ViewerProtocol::Hither, Some(session))
        }
        (Some(_), _) => (ViewerProtocol::Ttyd, param(query, "session")),
        (None, true) => {
            let session = param(query, "sessionId").ok_or_else(|| missing("sessionId"))?;
            (ViewerProtocol::Plan, Some(session))
        }
        (None, false) => {
            return Err(Problem::bad_request(
                "unknown_subprotocol",
                "subprotocol must be hither.v1 or tty, or none with ?sessionId=",
            ));
        }
    };
    Ok(Wanted { protocol, session: session.map(|text| text.parse::<SessionId>().ok()) })
}

/// The value of a query parameter. Ids need no decoding.
fn param<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

fn switching(accept: &str, protocol: ViewerProtocol) -> Response {
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let accept = HeaderValue::from_str(accept).expect("base64 is ASCII");
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    let name = match protocol {
        ViewerProtocol::Hither => HITHER,
        ViewerProtocol::Ttyd => TTYD,
        ViewerProtocol::Plan | ViewerProtocol::Raw => return response,
    };
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
    response
}

/// All items of a comma-separated header, over all its lines.
fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .flat_map(|value| value.to_str().unwrap_or("").split(','))
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    values(headers, name).any(|item| item.eq_ignore_ascii_case(token))
}

/// The value of a header that is there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
