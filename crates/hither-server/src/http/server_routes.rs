//! What the server does to itself on request: it makes way for a successor.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hither_auth::Peer;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::access::Access;
use super::app::App;
use super::body::JsonBody;
use super::door::Arrival;
use super::problem::Problem;

/// Somebody asks for an upgrade.
#[derive(Debug)]
pub(crate) struct UpgradeWish {
    /// The program to become; `None` is the file that this one was started from.
    pub(crate) program: Option<PathBuf>,
    /// Told when the successor has shown that it can start, or why there is no upgrade.
    pub(crate) reply: oneshot::Sender<Result<UpgradeBegun, UpgradeRefused>>,
}

/// An upgrade that is going to happen.
#[derive(Clone, Debug)]
pub(crate) struct UpgradeBegun {
    /// Version of the successor.
    pub(crate) version: String,
}

/// An upgrade that is not going to happen.
#[derive(Clone, Debug)]
pub(crate) struct UpgradeRefused {
    /// The stable code of the API.
    pub(crate) code: &'static str,
    /// For people.
    pub(crate) detail: String,
}

/// What a server knows of its place in a row of programs.
#[derive(Debug)]
pub(crate) struct Succession {
    /// How many programs have served in this process, this one included.
    pub(crate) generation: u64,
    /// Takes wishes; one at a time is enough.
    pub(crate) wishes: mpsc::Sender<UpgradeWish>,
}

/// Which program goes on.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "Upgrade")]
pub(crate) struct UpgradeBody {
    /// Absolute path; absent: the file that the server was started from.
    #[schemars(with = "Option<String>")]
    program: Option<PathBuf>,
}

/// That another program goes on.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Upgrading")]
pub(crate) struct UpgradingJson {
    /// Version of this program.
    version: &'static str,
    /// Version of the one that takes its place.
    successor_version: String,
    /// Which program in this process this one is, from 1.
    generation: u64,
}

/// `POST /api/server/upgrade`: another program goes on in the place of this one. Only for processes
/// of the same user on the Unix socket: whoever may ask decides what is executed.
pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    _: Access,
    JsonBody(body): JsonBody<UpgradeBody>,
) -> Result<Json<UpgradingJson>, Problem> {
    if arrival.peer != Peer::SameUser {
        let detail = "an upgrade can be asked for on the Unix socket only";
        return Err(Problem::new(StatusCode::FORBIDDEN, "unix_socket_only", detail));
    }
    if body.program.as_ref().is_some_and(|program| !program.is_absolute()) {
        let detail = "program must be an absolute path";
        return Err(Problem::bad_request("invalid_program", detail));
    }
    let succession = app.succession.as_ref().ok_or_else(Problem::not_found)?;
    let (reply, answer) = oneshot::channel();
    let wish = UpgradeWish { program: body.program, reply };
    succession.wishes.send(wish).await.map_err(|_| stopping())?;
    match answer.await.map_err(|_| stopping())? {
        Ok(begun) => Ok(Json(UpgradingJson {
            version: env!("CARGO_PKG_VERSION"),
            successor_version: begun.version,
            generation: succession.generation,
        })),
        Err(refused) => Err(Problem::new(StatusCode::CONFLICT, refused.code, refused.detail)),
    }
}

fn stopping() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the gateway is stopping")
}
