//! Tickets: what a page needs, besides its cookie, to open a WebSocket.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hither_auth::{TICKET_LIFE, Ticket};
use hither_core::{Role, SessionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::app::App;
use super::body::JsonBody;
use super::handle::{NoAccess, level};
use super::problem::Problem;

/// What a ticket's secret is called among the subprotocols of a WebSocket.
pub(crate) const TICKET_PREFIX: &str = "hither.ticket.";

/// What a ticket is for.
#[derive(Default, Deserialize, JsonSchema)]
pub(crate) struct TicketBody {
    /// Id of the session.
    session: Option<String>,
    /// `operator` (default) or `observer`.
    role: Option<String>,
}

/// A ticket.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Ticket")]
pub(crate) struct TicketJson {
    /// Its secret, which is good once.
    ticket: String,
    /// What stands before it in the subprotocol.
    subprotocol_prefix: &'static str,
    /// `operator` or `observer`.
    role: &'static str,
    /// Seconds that it is good for.
    expires_in: u64,
}

/// `POST /api/ws-ticket`: a ticket for one WebSocket to a session.
pub(crate) async fn issue(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(body): JsonBody<TicketBody>,
) -> Result<Json<TicketJson>, Problem> {
    let id = body.session.unwrap_or_default().parse::<SessionId>();
    let id = id.map_err(|_| NoAccess::NotFound)?;
    let session = app.session(access.principal(), id, level::Read)?;
    let role = match body.role.as_deref() {
        None | Some("operator") => session.held().role(),
        Some("observer") => Role::Observer,
        Some(_) => {
            let detail = "role must be operator or observer";
            return Err(Problem::bad_request("invalid_role", detail));
        }
    };
    let ticket = Ticket { principal: access.principal().clone(), session: id, role };
    Ok(Json(TicketJson {
        ticket: app.auth.issue_ticket(ticket)?,
        subprotocol_prefix: TICKET_PREFIX,
        role: role.as_str(),
        expires_in: TICKET_LIFE.as_secs(),
    }))
}
