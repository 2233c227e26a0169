//! The gateway: listeners, workers, WebSocket, HTTP API, web assets.
#![forbid(unsafe_code)]

mod clock;
mod directory;
pub mod sessions;
mod worker;
