//! The gateway: listeners, workers, WebSocket, HTTP API, web assets.
#![forbid(unsafe_code)]

pub mod acme;
mod assets;
pub mod audit;
mod clock;
mod directory;
pub mod gateway;
pub mod http;
pub mod metrics;
pub mod oidc;
pub mod pass;
pub mod sessions;
mod shell_integration;
mod spare;
pub mod store_thread;
pub mod tls;
mod web;
mod worker;
