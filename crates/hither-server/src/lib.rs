//! The gateway: listeners, workers, WebSocket, HTTP API, web assets.
#![forbid(unsafe_code)]

pub mod sessions;
