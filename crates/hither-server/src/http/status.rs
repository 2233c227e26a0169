//! Health, configuration and status.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use hither_auth::Mode;
use hither_core::WindowSize;
use serde_json::{Value, json};

use super::access::Access;
use super::app::App;
use super::body::{BODY_BYTES_MAX, INPUT_BODY_BYTES_MAX};
use super::time::seconds;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `GET /health`: that the server answers, and counts, which are no secret.
pub(crate) async fn health(State(app): State<Arc<App>>) -> Json<Value> {
    let status = app.status();
    Json(json!({
        "status": "ok",
        "sessions": status.sessions_running,
        "uptime": seconds(status.uptime),
    }))
}

/// `GET /api/config`: what a client may want to know of the server.
pub(crate) async fn config(State(app): State<Arc<App>>, _: Access) -> Json<Value> {
    Json(json!({
        "serverName": app.config.server_name,
        "version": VERSION,
        "authRequired": app.auth.mode() == Mode::Required,
        "features": { "auth": true, "websocket": true, "sse": true },
        "protocols": ["hither.v1", "tty"],
        "limits": {
            "maxSessions": app.config.sessions_max,
            "maxCols": WindowSize::COLS_MAX,
            "maxRows": WindowSize::ROWS_MAX,
            "maxBodyBytes": BODY_BYTES_MAX,
            "maxInputBodyBytes": INPUT_BODY_BYTES_MAX,
        },
    }))
}

/// `GET /api/server/status`: counts of this moment.
pub(crate) async fn status(State(app): State<Arc<App>>, _: Access) -> Json<Value> {
    let status = app.status();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Json(json!({
        "status": "running",
        "healthy": true,
        "serverName": app.config.server_name,
        "version": VERSION,
        "uptime": seconds(status.uptime),
        "uptimeMs": u64::try_from(status.uptime.as_millis()).unwrap_or(u64::MAX),
        "timestamp": now.unwrap_or_default().as_secs(),
        "sessions": status.sessions_running,
        "sessionsExited": status.sessions_exited,
        "clients": status.viewers,
        "workers": status.workers,
        "pid": std::process::id(),
        "generation": app.succession.as_ref().map_or(1, |succession| succession.generation),
    }))
}
