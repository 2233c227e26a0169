//! Health, configuration and status.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use hither_auth::Mode;
use hither_core::WindowSize;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::app::App;
use super::body::{BODY_BYTES_MAX, INPUT_BODY_BYTES_MAX};
use super::new_session::VARIABLES;
use super::problem::Problem;
use super::time::seconds;
use crate::sessions::Readiness;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// That the server answers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Health")]
pub(crate) struct HealthJson {
    /// Always `ok`.
    status: &'static str,
    /// Sessions whose program runs.
    sessions: usize,
    /// Time since the server started, such as `61.500s`.
    uptime: String,
}

/// That whoever comes now can be served.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Ready")]
pub(crate) struct ReadyJson {
    /// Always `ready`.
    status: &'static str,
}

/// What a client may want to know of the server.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Config")]
pub(crate) struct ConfigJson {
    /// Name of the server.
    server_name: String,
    /// Version of the server.
    version: &'static str,
    /// Whether a credential is asked for.
    auth_required: bool,
    /// What there is.
    features: FeaturesJson,
    /// Subprotocols of the WebSocket.
    protocols: [&'static str; 2],
    /// What requests may be at most.
    limits: LimitsJson,
    /// Variables that a new session may be given; a `*` at the end stands for anything.
    env_allowed: &'static [&'static str],
    /// Profiles that you may start sessions by.
    profiles: Vec<String>,
}

/// What there is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Features")]
struct FeaturesJson {
    /// Credentials.
    auth: bool,
    /// WebSockets.
    websocket: bool,
    /// Server-sent events.
    sse: bool,
}

/// What requests may be at most.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Limits")]
struct LimitsJson {
    /// Sessions at a time.
    max_sessions: usize,
    /// Columns of a window.
    max_cols: u16,
    /// Rows of a window.
    max_rows: u16,
    /// Bytes of a body.
    max_body_bytes: usize,
    /// Bytes of the body of an input.
    max_input_body_bytes: usize,
}

/// Counts of this moment.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ServerStatus")]
pub(crate) struct StatusJson {
    /// Always `running`.
    status: &'static str,
    /// Always true.
    healthy: bool,
    /// Name of the server.
    server_name: String,
    /// Version of the server.
    version: &'static str,
    /// Time since the server started, such as `61.500s`.
    uptime: String,
    /// The same in milliseconds.
    uptime_ms: u64,
    /// Now, in seconds since 1970.
    timestamp: u64,
    /// Sessions whose program runs.
    sessions: usize,
    /// Sessions whose program has ended.
    sessions_exited: usize,
    /// Attached viewers.
    clients: usize,
    /// Worker threads.
    workers: usize,
    /// Number of the server's process.
    pid: u32,
    /// Which program in this process it is, from 1.
    generation: u64,
}

/// `GET /health`: that the server answers, and counts, which are no secret.
pub(crate) async fn health(State(app): State<Arc<App>>) -> Json<HealthJson> {
    let status = app.status();
    let (sessions, uptime) = (status.sessions_running, seconds(status.uptime));
    Json(HealthJson { status: "ok", sessions, uptime })
}

/// `GET /api/ready`: whether whoever comes now can be served. Other than health, which is for
/// whoever restarts processes, this is for whoever sends people here.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<Json<ReadyJson>, Problem> {
    let not = |code, detail| Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail));
    if *app.stop.borrow() {
        return not("stopping", "the gateway is stopping");
    }
    match app.readiness() {
        Readiness::Ready => Ok(Json(ReadyJson { status: "ready" })),
        Readiness::Adopting => {
            not("adopting", "the sessions of the last gateway are being taken over")
        }
        Readiness::HostGone => not("host_unavailable", "the PTY host is not available"),
    }
}

/// `GET /api/config`: what a client may want to know of the server.
pub(crate) async fn config(State(app): State<Arc<App>>, access: Access) -> Json<ConfigJson> {
    let profiles = app.config.profiles.names(access.principal());
    Json(ConfigJson {
        server_name: app.config.server_name.clone(),
        version: VERSION,
        auth_required: app.auth.mode() == Mode::Required,
        features: FeaturesJson { auth: true, websocket: true, sse: true },
        protocols: ["hither.v1", "tty"],
        limits: LimitsJson {
            max_sessions: app.config.sessions_max,
            max_cols: WindowSize::COLS_MAX,
            max_rows: WindowSize::ROWS_MAX,
            max_body_bytes: BODY_BYTES_MAX,
            max_input_body_bytes: INPUT_BODY_BYTES_MAX,
        },
        env_allowed: &VARIABLES,
        profiles: profiles.into_iter().map(str::to_owned).collect(),
    })
}

/// `GET /api/server/status`: counts of this moment.
pub(crate) async fn status(State(app): State<Arc<App>>, _: Access) -> Json<StatusJson> {
    let status = app.status();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Json(StatusJson {
        status: "running",
        healthy: true,
        server_name: app.config.server_name.clone(),
        version: VERSION,
        uptime: seconds(status.uptime),
        uptime_ms: u64::try_from(status.uptime.as_millis()).unwrap_or(u64::MAX),
        timestamp: now.unwrap_or_default().as_secs(),
        sessions: status.sessions_running,
        sessions_exited: status.sessions_exited,
        clients: status.viewers,
        workers: status.workers,
        pid: std::process::id(),
        generation: app.generation(),
    })
}
